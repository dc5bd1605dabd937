// The end of a transaction: what becomes of one that was validated, or why it was not.
#include <utility>

#include "server/base/log.hpp"
#include "server/control/transaction.hpp"
#include "server/control/transactions.hpp"

namespace continuo::control {

void Transactions::opened(const Ptr& tx, Result<std::vector<Takes::Opened>> takes) {
  if (!takes) {
    Error error = takes.error();
    error.field = tx->order_field;
    return refuse(tx, std::move(error));
  }
  // Nothing can fail from here on.
  Delta& delta = tx->delta;
  delta.document = tx->document;
  delta.frame = tx->frame;
  delta.params = std::move(tx->edit.params);
  delta.compile = tx->edit.structural;
  delta.takes = std::move(*takes);
  for (const Takes::Opened& take : delta.takes) {
    tx->started.push_back(Takes::ref(take));
    const session::DocNode* node = session::find_node(*tx->document, take.order.node);
    if (node == nullptr || node->type == "recorder") continue;
    delta.compile |= parts_.graph.taps.insert(take.order.node).second;
  }
  name_files(tx->edit.accepted, delta.takes);
  if (tx->edit.structural || tx->edit.cues) parts_.media.keep(tx->files, tx->found);
  if (!tx->entry) tx->id = parts_.ids.next();
  parts_.delivery.deliver(
      std::move(delta), [this, tx](std::vector<Takes::Ref> stopped) { commit(tx, stopped); },
      [this, tx](AudioLink::Fate fate, rt::FrameCount frame) { applied(tx, fate, frame); });
}

void Transactions::commit(const Ptr& tx, const std::vector<Takes::Ref>& stopped) {
  if (tx->entry) parts_.scheduled.committed(tx->entry, tx->frame);
  if (!tx->urgent) parts_.sources.ahead().keep({}, {});
  const DocumentPtr before = parts_.graph.document();
  if (tx->edit.changed) parts_.graph.set_document(tx->document);
  parts_.cues.committed(tx->id, tx->expanded.operations);
  v1::Change change;
  change.set_transaction_id(tx->id);
  for (v1::Operation& operation : tx->edit.accepted) *change.add_operations() = std::move(operation);
  tx->edit.accepted.clear();
  *change.mutable_origin() = origin_of(tx->request.client(), tx->outcome->identity);
  v1::ApplyResponse& response = tx->outcome->response;
  if (tx->back) change.set_undoes(tx->back->of);
  if (tx->streamed) change.set_streamed(true);
  *response.mutable_revision() = parts_.history.commit(tx->edit.changed, std::move(change));
  if (tx->edit.changed) record(*tx, *before, response.revision());
  response.set_outcome(v1::ApplyResponse::OUTCOME_COMMITTED);
  response.set_transaction_id(tx->id);
  for (const auto* takes : {&std::as_const(tx->started), &stopped}) {
    for (const Takes::Ref& take : *takes) {
      for (const std::string& file : take.files) {
        response.add_takes(file);
        response.add_take_ids(take.id);
      }
    }
  }
  if (tx->edit.structural) parts_.leases.follow();
  if (tx->stops_takes) tx->stopped = stopped;
  tx->outcome->known = true;
  tx->outcome->error.reset();  // of a daemon that ends: whoever asks the next one is told that it was done
  if (tx->edit.changed) {
    tx->outcome->stand = parts_.graph.stand();
    parts_.changed();
  } else if (!tx->request.request_id().empty()) {
    parts_.settled();
  }
  tx->finish();
  tx->request.clear_operations();
  tx->expanded = {};
  if (tx->touches_cues) parts_.cues.touch();
  tx->outcome->changed();
}

void Transactions::applied(const Ptr& tx, AudioLink::Fate fate, rt::FrameCount frame) {
  Outcome& outcome = *tx->outcome;
  if (outcome.final) return;  // the daemon ends: it was answered, and another thread may read it
  outcome.final = fate != AudioLink::Fate::applied || tx->stopped.empty();
  if (outcome.final) open_.erase(tx);
  if (fate == AudioLink::Fate::applied) {
    outcome.response.set_outcome(v1::ApplyResponse::OUTCOME_APPLIED);
    outcome.response.set_engine_frame(frame);
    parts_.history.applied(tx->id, frame);
    parts_.cues.applied(tx->id, frame);
    if (tx->touches_cues) parts_.cues.touch();
  } else if (fate == AudioLink::Fate::refused) {
    log::error("transaction {}: the audio thread's schedule was full", tx->id);
  }
  if (outcome.final && !tx->request.request_id().empty()) parts_.settled();
  if (outcome.final) return outcome.changed();
  parts_.takes.when_closed(tx->stopped, [this, tx](std::vector<Takes::Report> takes) {
    if (tx->outcome->final) return;
    for (Takes::Report& take : takes) {
      take.set_start_timeline_frame(parts_.graph.to_session(take.start_timeline_frame()));
      *tx->outcome->response.add_closed_takes() = std::move(take);
    }
    tx->outcome->final = true;
    open_.erase(tx);
    tx->outcome->changed();
  });
}

void Transactions::refuse(const Ptr& tx, Error error) {
  Outcome& outcome = *tx->outcome;
  outcome.known = outcome.final = true;
  open_.erase(tx);
  error.field = tx->expanded.field_of(error.field);
  if (tx->request.dry_run()) {
    outcome.response.set_outcome(v1::ApplyResponse::OUTCOME_INVALID);
    *outcome.response.mutable_revision() = parts_.history.revision();
    auto* problem = outcome.response.add_problems();
    problem->set_field(error.field);
    problem->set_reason(error.reason);
    problem->set_message(error.message);
  } else {
    if (!tx->request.request_id().empty()) {
      if (passes(error))
        log_.forget(outcome.identity, tx->request.request_id());
      else
        parts_.settled();
    }
    if (tx->entry)
      parts_.scheduled.failed(tx->entry, error);
    else
      outcome.error = std::move(error);
  }
  if (!tx->urgent) parts_.sources.ahead().keep({}, {});
  if (!tx->taken.empty()) parts_.takes.discard(std::exchange(tx->taken, {}));
  tx->finish();
  outcome.changed();
}

}  // namespace continuo::control
