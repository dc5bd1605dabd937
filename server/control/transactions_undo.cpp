// Undo and redo: a transaction whose operations are found when its turn comes, in the document of then. The way of all
// others from there on; and what each commit leaves behind so that it can be taken back.
#include <utility>

#include "server/control/transaction.hpp"
#include "server/session/take_back.hpp"

namespace continuo::control {
namespace {

// Beside the fields of an ApplyRequest, for the request log alone: that an undo is no redo, nor that of another one.
constexpr int kUndoField = 1001;
constexpr int kRedoField = 1002;

}  // namespace

void Transactions::take_back(TakeBack what, v1::ApplyRequest request, Done done, std::string identity) {
  v1::ApplyRequest shape = request;
  shape.add_operations();
  if (const Result<> checked = check_request(shape); !checked) return done(checked.error());
  request.GetReflection()->MutableUnknownFields(&request)->AddVarint(what.redo ? kRedoField : kUndoField,
                                                                     what.id.value_or(0));
  enter(std::move(request), std::move(done), std::move(identity), false, std::make_shared<TakeBack>(std::move(what)));
}

Result<> Transactions::find_inverse(Transaction& tx) {
  forget_other_sessions();
  TakeBack& back = *tx.back;
  const std::string& identity = tx.outcome->identity;
  const auto entry = back.redo ? undo_.to_redo(back.id, identity) : undo_.to_undo(back.id, identity);
  if (!entry) return entry.error();
  back.of = (*entry)->id;
  back.of_undo = (*entry)->kind == UndoLog::Kind::undo;
  auto operations = session::inverse_of(*tx.before, (*entry)->change);
  if (!operations) return operations.error();
  *tx.request.mutable_operations() = *std::move(operations);
  return back.allowed ? back.allowed(tx.request) : Result<>();
}

void Transactions::forget_other_sessions() {
  const std::uint64_t epoch = parts_.history.revision().epoch();
  if (std::exchange(undo_epoch_, epoch) != epoch) undo_.clear();
}

Error Transactions::not_any_more(const Error& error) {
  const bool of_the_document = error.kind == ErrorKind::invalid_argument || error.kind == ErrorKind::not_found ||
                               error.kind == ErrorKind::already_exists || error.kind == ErrorKind::failed_precondition;
  if (!of_the_document) return error;
  return make_error(ErrorKind::aborted, "CHANGED_SINCE", error.field,
                    "what later transactions changed does not allow it: " + error.message);
}

void Transactions::record(const Transaction& tx, const session::Document& before, const v1::Revision& now) {
  forget_other_sessions();
  UndoLog::Entry entry;
  entry.id = tx.id;
  entry.identity = tx.outcome->identity;
  if (tx.back) entry.kind = tx.back->of_undo ? UndoLog::Kind::redo : UndoLog::Kind::undo;
  entry.change = session::changes_between(before, *tx.document);
  entry.gesture = tx.gesture;
  node_revisions_.changed(entry.change, now, tx.streamed);
  undo_.add(std::move(entry), tx.back ? tx.back->of : 0);
}

}  // namespace continuo::control
