// The engine's calls about leases: on the strand, and what was refused in the journal.
#include <utility>

#include "server/control/engine.hpp"
#include "server/control/engine_impl.hpp"
#include "server/control/with_refusal.hpp"

namespace continuo::control {

void Engine::acquire_lease(v1::AcquireLeaseRequest request, Done<v1::Lease> done, std::string identity) {
  done = with_refusal(impl_->journal, "lease of " + (request.path().empty() ? "the whole session" : request.path()),
                      origin_of(request.client(), identity), std::move(done));
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request),
                                     identity = std::move(identity)](Done<v1::Lease> answer) mutable {
    impl->leases.acquire(std::move(request), identity, std::move(answer));
  });
}

void Engine::renew_lease(v1::RenewLeaseRequest request, Done<v1::Lease> done, std::string identity) {
  done = with_refusal(impl_->journal, "a lease's renewal", origin_of("", identity), std::move(done));
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request)](const Done<v1::Lease>& answer) {
    answer(impl->leases.renew(request));
  });
}

void Engine::release_lease(v1::ReleaseLeaseRequest request, Done<v1::ReleaseLeaseResponse> done, std::string identity) {
  done = with_refusal(impl_->journal, "a lease's release", origin_of("", identity), std::move(done));
  impl_->on_strand(std::move(done),
                   [impl = impl_.get(), request = std::move(request)](const Done<v1::ReleaseLeaseResponse>& answer) {
                     const Result<> released = impl->leases.release(request);
                     if (!released) return answer(released.error());
                     answer(v1::ReleaseLeaseResponse());
                   });
}

void Engine::break_lease(v1::BreakLeaseRequest request, Done<v1::BreakLeaseResponse> done, std::string identity) {
  done = with_refusal(impl_->journal, "break of lease " + std::to_string(request.lease_id()),
                      origin_of(request.client(), identity), std::move(done));
  impl_->on_strand(std::move(done), [impl = impl_.get(), request = std::move(request),
                                     identity = std::move(identity)](const Done<v1::BreakLeaseResponse>& answer) {
    const Result<> broken = impl->leases.break_one(request, identity);
    if (!broken) return answer(broken.error());
    answer(v1::BreakLeaseResponse());
  });
}

void Engine::list_leases(Done<v1::ListLeasesResponse> done) {
  impl_->on_strand(std::move(done),
                   [impl = impl_.get()](const Done<v1::ListLeasesResponse>& answer) { answer(impl->leases.list()); });
}

}  // namespace continuo::control
