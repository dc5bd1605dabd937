#include "continuo/v1/device.grpc.pb.h"
#include "server/rpc/agent.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

/// The bursts end with the call: a client that goes away must not leave a channel beeping.
class IdentifyCall final : public grpc::ServerUnaryReactor {
 public:
  IdentifyCall(control::Engine& engine, const v1::IdentifyRequest& request, v1::IdentifyResponse* response)
      : engine_(engine), token_(engine.identify(request, reply_to(this, response))) {}

  void OnCancel() override { engine_.stop_identify(token_); }
  void OnDone() override { delete this; }

 private:
  control::Engine& engine_;
  const std::uint64_t token_;
};

class DeviceService final : public v1::DeviceService::CallbackService {
 public:
  DeviceService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* ListDevices(grpc::CallbackServerContext* context, const v1::ListDevicesRequest*,
                                        v1::ListDevicesResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter(door_, *context, reactor, "continuo.v1.DeviceService.ListDevices"))
      engine_.list_devices(reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* UseDevice(grpc::CallbackServerContext* context, const v1::UseDeviceRequest* request,
                                      v1::UseDeviceResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.DeviceService.UseDevice", *request))
      engine_.use_device(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* Identify(grpc::CallbackServerContext* context, const v1::IdentifyRequest* request,
                                     v1::IdentifyResponse* response) override {
    grpc::Status status = door_.enter(*context, "continuo.v1.DeviceService.Identify").status;
    if (status.ok()) {
      if (const Result<> good = check_strict(*request); !good) status = to_status(good.error());
    }
    // Created by a plain new: gRPC calls OnDone once, whatever happens, and that deletes it.
    if (status.ok()) return new IdentifyCall(engine_, *request, response);
    auto* reactor = context->DefaultReactor();
    reactor->Finish(status);
    return reactor;
  }

  grpc::ServerUnaryReactor* Calibrate(grpc::CallbackServerContext* context, const v1::CalibrateRequest* request,
                                      v1::CalibrateResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = enter_strict(door_, *context, reactor, "continuo.v1.DeviceService.Calibrate", *request))
      engine_.calibrate(*request, reply_to(reactor, response), caller->name, agent_of(*context));
    return reactor;
  }

 private:
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_device_service(control::Engine& engine, Door& door) {
  return std::make_unique<DeviceService>(engine, door);
}

}  // namespace continuo::rpc
