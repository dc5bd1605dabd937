#include "continuo/v1/system.grpc.pb.h"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

class SystemService final : public v1::SystemService::CallbackService {
 public:
  SystemService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* GetInfo(grpc::CallbackServerContext* context, const v1::GetInfoRequest*,
                                    v1::GetInfoResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (!enter(door_, *context, reactor, "continuo.v1.SystemService.GetInfo")) return reactor;
    engine_.info([this, reply = reply_to(reactor, response)](Result<v1::GetInfoResponse> info) {
      if (info) {  // what the door bounds, the engine does not know
        info->set_max_streams(Gate::kMaxStreamsOfCaller);
        info->set_max_operations_per_second(door_.gate().operations_per_second());
      }
      reply(std::move(info));
    });
    return reactor;
  }

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const v1::GetStatusRequest*,
                                      v1::GetStatusResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter(door_, *context, reactor, "continuo.v1.SystemService.GetStatus"))
      engine_.status(reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* Why(grpc::CallbackServerContext* context, const v1::WhyRequest* request,
                                v1::WhyResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter(door_, *context, reactor, "continuo.v1.SystemService.Why"))
      engine_.why(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* GetClock(grpc::CallbackServerContext* context, const v1::GetClockRequest*,
                                     v1::Clock* response) override {
    auto* reactor = context->DefaultReactor();
    if (!enter(door_, *context, reactor, "continuo.v1.SystemService.GetClock")) return reactor;
    *response = engine_.clock();  // wait-free, so answered on the spot: a clock that waited in a line would be late
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_system_service(control::Engine& engine, Door& door) {
  return std::make_unique<SystemService>(engine, door);
}

}  // namespace continuo::rpc
