#include "continuo/v1/meter.grpc.pb.h"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"
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

  grpc::ServerWriteReactor<v1::SpectrumFrame>* WatchSpectrum(grpc::CallbackServerContext* context,
                                                             const v1::WatchSpectrumRequest* request) override {
    auto [stream, allowed, caller] =
        enter_stream<v1::SpectrumFrame>(door_, *context, "continuo.v1.MeterService.WatchSpectrum");
    if (allowed) engine_.watch_spectrum(*request, begin_with_feed(stream));
    return stream.get();
  }

  grpc::ServerUnaryReactor* StartMeasurement(grpc::CallbackServerContext* context,
                                             const v1::StartMeasurementRequest* request,
                                             v1::Measurement* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.MeterService.StartMeasurement"))
      engine_.start_measurement(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ResetMeasurement(grpc::CallbackServerContext* context,
                                             const v1::ResetMeasurementRequest* request,
                                             v1::Measurement* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.MeterService.ResetMeasurement"))
      engine_.reset_measurement(request->name(), reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* StopMeasurement(grpc::CallbackServerContext* context,
                                            const v1::StopMeasurementRequest* request,
                                            v1::Measurement* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = let_in(*context, reactor, *request, "continuo.v1.MeterService.StopMeasurement"))
      engine_.stop_measurement(request->name(), reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListMeasurements(grpc::CallbackServerContext* context,
                                             const v1::ListMeasurementsRequest* request,
                                             v1::ListMeasurementsResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (let_in(*context, reactor, *request, "continuo.v1.MeterService.ListMeasurements"))
      engine_.list_measurements(reply_to(reactor, response));
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

std::unique_ptr<grpc::Service> make_meter_service(control::Engine& engine, Door& door) {
  return std::make_unique<MeterService>(engine, door);
}

}  // namespace continuo::rpc
