#include "continuo/v1/lease.grpc.pb.h"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

class LeaseService final : public v1::LeaseService::CallbackService {
 public:
  LeaseService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* AcquireLease(grpc::CallbackServerContext* context, const v1::AcquireLeaseRequest* request,
                                         v1::Lease* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = enter_strict(door_, *context, reactor, "continuo.v1.LeaseService.AcquireLease", *request))
      engine_.acquire_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* RenewLease(grpc::CallbackServerContext* context, const v1::RenewLeaseRequest* request,
                                       v1::Lease* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = enter_strict(door_, *context, reactor, "continuo.v1.LeaseService.RenewLease", *request))
      engine_.renew_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ReleaseLease(grpc::CallbackServerContext* context, const v1::ReleaseLeaseRequest* request,
                                         v1::ReleaseLeaseResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = enter_strict(door_, *context, reactor, "continuo.v1.LeaseService.ReleaseLease", *request))
      engine_.release_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* BreakLease(grpc::CallbackServerContext* context, const v1::BreakLeaseRequest* request,
                                       v1::BreakLeaseResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = enter_strict(door_, *context, reactor, "continuo.v1.LeaseService.BreakLease", *request))
      engine_.break_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListLeases(grpc::CallbackServerContext* context, const v1::ListLeasesRequest* request,
                                       v1::ListLeasesResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.LeaseService.ListLeases", *request))
      engine_.list_leases(reply_to(reactor, response));
    return reactor;
  }

 private:
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_lease_service(control::Engine& engine, Door& door) {
  return std::make_unique<LeaseService>(engine, door);
}

}  // namespace continuo::rpc
