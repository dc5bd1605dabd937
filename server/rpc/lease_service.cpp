#include "continuo/v1/lease.grpc.pb.h"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

class LeaseService final : public v1::LeaseService::CallbackService {
 public:
  LeaseService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* AcquireLease(grpc::CallbackServerContext* context, const v1::AcquireLeaseRequest* request,
                                         v1::Lease* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.LeaseService.AcquireLease"))
      engine_.acquire_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* RenewLease(grpc::CallbackServerContext* context, const v1::RenewLeaseRequest* request,
                                       v1::Lease* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.LeaseService.RenewLease"))
      engine_.renew_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ReleaseLease(grpc::CallbackServerContext* context, const v1::ReleaseLeaseRequest* request,
                                         v1::ReleaseLeaseResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.LeaseService.ReleaseLease"))
      engine_.release_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* BreakLease(grpc::CallbackServerContext* context, const v1::BreakLeaseRequest* request,
                                       v1::BreakLeaseResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.LeaseService.BreakLease"))
      engine_.break_lease(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListLeases(grpc::CallbackServerContext* context, const v1::ListLeasesRequest* request,
                                       v1::ListLeasesResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (let_in(*context, reactor, *request, "continuo.v1.LeaseService.ListLeases"))
      engine_.list_leases(reply_to(reactor, response));
    return reactor;
  }

 private:
  [[nodiscard]] std::optional<Caller> let_in(const grpc::ServerContextBase& context, grpc::ServerUnaryReactor* reactor,
                                             const google::protobuf::Message& request, std::string_view method) const {
    auto caller = enter(door_, context, reactor, method);
    if (!caller) return std::nullopt;
    if (const Result<> good = check_strict(request); !good) {
      reactor->Finish(to_status(good.error()));
      return std::nullopt;
    }
    return caller;
  }

  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_lease_service(control::Engine& engine, Door& door) {
  return std::make_unique<LeaseService>(engine, door);
}

}  // namespace continuo::rpc
