// Whether a transaction may: what it touches is nobody's, or it came with the token.
#include "server/control/leases.hpp"
#include "server/control/transaction.hpp"

namespace continuo::control {

Result<> Transactions::check_leases(const Transaction& tx) const {
  if (tx.own || parts_.leases.none()) return {};
  return parts_.leases.check(tx.expanded.operations, *tx.before, *tx.document, parts_.takes.recording(),
                             tx.request.leases());
}

Result<> Transactions::check_leases(const v1::ApplyRequest& scheduled, const Leases::Tokens& tokens) const {
  if (parts_.leases.none()) return {};
  const session::Document& document = *parts_.graph.document();
  session::Operations operations = scheduled.operations();
  for (v1::Operation& operation : operations) {
    // Which cue it will fire is known when it falls due: judged by the one that it would now.
    if (!operation.has_go() || operation.go().has_cue()) continue;
    if (const session::DocCue* const cue = parts_.cues.cue_of(operation.go()))
      operation.mutable_go()->mutable_cue()->set_name(cue->name);
  }
  Result<> free = parts_.leases.check(session::expand_cues(document, operations).operations, document, document,
                                      parts_.takes.recording(), tokens);
  if (free) return free;
  Error error = free.error();
  error.field = "leases";
  return error;
}

}  // namespace continuo::control
