#include "continuo/v1/meter.grpc.pb.h"
#include "server/rpc/services.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

class MeterService final : public v1::MeterService::CallbackService {
 public:
  MeterService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerWriteReactor<v1::MeterFrame>* WatchMeters(grpc::CallbackServerContext* context,
                                                        const v1::WatchMetersRequest* request) override {
    auto [stream, allowed, caller] =
        enter_stream<v1::MeterFrame>(door_, *context, "continuo.v1.MeterService.WatchMeters");
    if (allowed) engine_.watch_meters(*request, begin_with_feed(stream));
    return stream.get();
  }

 private:
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_meter_service(control::Engine& engine, Door& door) {
  return std::make_unique<MeterService>(engine, door);
}

}  // namespace continuo::rpc
