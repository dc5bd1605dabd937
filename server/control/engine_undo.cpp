// The engine's calls for undo and redo: on the strand, and what was refused in the journal.
#include <utility>

#include "server/control/engine.hpp"
#include "server/control/engine_impl.hpp"
#include "server/control/with_refusal.hpp"

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

template <class Impl, class Request>
void take_back(Impl* impl, const Request& request, bool redo, std::function<Result<>(const v1::ApplyRequest&)> allowed,
               Done<v1::ApplyResponse> done, std::string identity) {
  auto back = what(request, redo, std::move(allowed));
  v1::ApplyRequest edit = plain(request);
  if (!edit.dry_run()) {
    std::string text = redo ? "redo" : "undo";
    if (back.id) text += " of transaction " + std::to_string(*back.id);
    done = with_refusal(impl->journal, std::move(text), origin_of(edit.client(), identity), std::move(done));
  }
  impl->on_strand(std::move(done), [impl, back = std::move(back), edit = std::move(edit),
                                    identity = std::move(identity)](Done<v1::ApplyResponse> answer) mutable {
    impl->transactions.take_back(std::move(back), std::move(edit), std::move(answer), identity);
  });
}

}  // namespace

void Engine::undo(v1::UndoRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
                  Done<v1::ApplyResponse> done, std::string identity) {
  take_back(impl_.get(), request, false, std::move(allowed), std::move(done), std::move(identity));
}

void Engine::redo(v1::RedoRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
                  Done<v1::ApplyResponse> done, std::string identity) {
  take_back(impl_.get(), request, true, std::move(allowed), std::move(done), std::move(identity));
}

}  // namespace continuo::control
