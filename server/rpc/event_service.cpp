#include "continuo/v1/event.grpc.pb.h"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

class EventService final : public v1::EventService::CallbackService {
 public:
  EventService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context, const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (enter_strict(door_, *context, reactor, "continuo.v1.EventService.ListEvents", *request))
      engine_.journal().list(*request, reply_to(reactor, response));
    return reactor;
  }

 private:
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_event_service(control::Engine& engine, Door& door) {
  return std::make_unique<EventService>(engine, door);
}

}  // namespace continuo::rpc
