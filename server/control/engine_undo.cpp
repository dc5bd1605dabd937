// The engine's calls for undo and redo: on the strand, and what was refused in the journal.
#include <utility>

#include "server/control/engine.hpp"
#include "server/control/engine_impl.hpp"
#include "server/control/journal_lines.hpp"

namespace continuo::control {
namespace {

template <class Request>
v1::ApplyRequest plain(const Request& request) {
  v1::ApplyRequest plain;
  plain.set_request_id(request.request_id());
  plain.set_dry_run(request.dry_run());
  if (request.has_wait()) plain.set_wait(request.wait());
  if (request.has_max_wait_ms()) plain.set_max_wait_ms(request.max_wait_ms());
  plain.set_client(request.client());
  *plain.mutable_leases() = request.leases();
  return plain;
}

template <class Request>
Transactions::TakeBack what(const Request& request, bool redo,
                            std::function<Result<>(const v1::ApplyRequest&)> allowed) {
  Transactions::TakeBack back;
  if (request.has_transaction_id()) back.id = request.transaction_id();
  back.redo = redo;
  back.allowed = std::move(allowed);
  return back;
}

Done<v1::ApplyResponse> with_refusal(journal::Journal& journal, const Transactions::TakeBack& back,
                                     const v1::ApplyRequest& request, const std::string& identity,
                                     Done<v1::ApplyResponse> done) {
  if (request.dry_run()) return done;
  std::string text =
      std::string(back.redo ? "redo" : "undo") + (back.id ? " of transaction " + std::to_string(*back.id) : "");
  return [&journal, text = std::move(text), origin = origin_of(request.client(), identity),
          done = std::move(done)](Result<v1::ApplyResponse> result) {
    if (!result) journal.add(refusal_of(result.error(), text, origin));
    done(std::move(result));
  };
}

}  // namespace

void Engine::undo(v1::UndoRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
                  Done<v1::ApplyResponse> done, std::string identity) {
  auto back = what(request, false, std::move(allowed));
  v1::ApplyRequest edit = plain(request);
  done = with_refusal(impl_->journal, back, edit, identity, std::move(done));
  impl_->on_strand(std::move(done), [impl = impl_.get(), back = std::move(back), edit = std::move(edit),
                                     identity = std::move(identity)](Done<v1::ApplyResponse> answer) mutable {
    impl->transactions.take_back(std::move(back), std::move(edit), std::move(answer), identity);
  });
}

void Engine::redo(v1::RedoRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
                  Done<v1::ApplyResponse> done, std::string identity) {
  auto back = what(request, true, std::move(allowed));
  v1::ApplyRequest edit = plain(request);
  done = with_refusal(impl_->journal, back, edit, identity, std::move(done));
  impl_->on_strand(std::move(done), [impl = impl_.get(), back = std::move(back), edit = std::move(edit),
                                     identity = std::move(identity)](Done<v1::ApplyResponse> answer) mutable {
    impl->transactions.take_back(std::move(back), std::move(edit), std::move(answer), identity);
  });
}

}  // namespace continuo::control
