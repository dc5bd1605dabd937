#include <algorithm>

#include "continuo/v1/session.grpc.pb.h"
#include "server/control/describe.hpp"
#include "server/rpc/apply_shape.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/session_load.hpp"
#include "server/rpc/session_undo.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

constexpr std::size_t kChunkBytes = 512u << 10;

/// Cuts one shared text, so that ten clients that read the same session hold it once.
class TextSource final : public StreamSource<v1::GetSessionResponse> {
 public:
  explicit TextSource(control::SessionText text) : text_(std::move(text)) {}

  Next next(std::function<void()>) override {
    if (sent_ > 0 && sent_ >= text_.json->size()) return {nullptr, grpc::Status::OK};
    auto chunk = std::make_shared<v1::GetSessionResponse>();
    if (sent_ == 0) *chunk->mutable_revision() = text_.revision;
    chunk->set_json(text_.json->substr(sent_, kChunkBytes));
    sent_ += std::max<std::size_t>(chunk->json().size(), 1);  // an empty text is one empty chunk
    return {std::move(chunk), std::nullopt};
  }

 private:
  control::SessionText text_;
  std::size_t sent_ = 0;
};

v1::NodeType describe(const session::TypeSpec& type) {
  v1::NodeType described;
  described.set_name(std::string(type.name));
  described.set_description(std::string(type.description));
  described.set_has_children(type.has_children);
  described.set_creatable(type.creatable);
  for (const session::ParamSpec& spec : type.params) *described.add_params() = control::describe(spec);
  return described;
}

/// Of LoadSession it takes the bytes: see session_load.cpp.
using Methods = v1::SessionService::WithRawCallbackMethod_LoadSession<v1::SessionService::CallbackService>;

class SessionService final : public Methods {
 public:
  SessionService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerWriteReactor<v1::GetSessionResponse>* GetSession(grpc::CallbackServerContext* context,
                                                               const v1::GetSessionRequest*) override {
    auto [stream, allowed, caller] = enter_stream<v1::GetSessionResponse>(
        door_, *context, "continuo.v1.SessionService.GetSession", Gate::Lasts::until_it_is_told);
    if (allowed) {
      engine_.get_session([stream = stream](Result<control::SessionText> text) {
        if (!text) return stream->refuse(to_status(text.error()));
        stream->begin(std::make_unique<TextSource>(*std::move(text)));
      });
    }
    return stream.get();
  }

  grpc::ServerReadReactor<grpc::ByteBuffer>* LoadSession(grpc::CallbackServerContext* context,
                                                         grpc::ByteBuffer* response) override {
    return receive_session(context, response, engine_, door_);
  }

  grpc::ServerUnaryReactor* Apply(grpc::CallbackServerContext* context, const v1::ApplyRequest* request,
                                  v1::ApplyResponse* response) override {
    auto* reactor = context->DefaultReactor();
    const auto caller = enter(door_, *context, reactor, "continuo.v1.SessionService.Apply");
    if (!caller) return reactor;
    if (const Result<> good = check_apply(*request); !good) {
      if (request->dry_run()) report(good.error(), *response);
      reactor->Finish(request->dry_run() ? grpc::Status::OK : to_status(good.error()));
      return reactor;
    }
    if (const Result<> allowed = door_.check_edit(*caller, *request); !allowed) {
      reactor->Finish(to_status(allowed.error()));
      return reactor;
    }
    v1::ApplyRequest edit = *request;
    edit.set_max_wait_ms(wait_ms(*request, context->deadline(), std::chrono::system_clock::now()));
    engine_.apply(std::move(edit), reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListScheduled(grpc::CallbackServerContext* context, const v1::ListScheduledRequest* request,
                                          v1::ListScheduledResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (!enter(door_, *context, reactor, "continuo.v1.SessionService.ListScheduled")) return reactor;
    engine_.list_scheduled(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* CancelScheduled(grpc::CallbackServerContext* context,
                                            const v1::CancelScheduledRequest* request,
                                            v1::CancelScheduledResponse* response) override {
    auto* reactor = context->DefaultReactor();
    const auto caller = enter_strict(door_, *context, reactor, "continuo.v1.SessionService.CancelScheduled", *request);
    if (!caller) return reactor;
    // The operations are judged where they lie.
    const auto allowed = [caller = *caller](const v1::ApplyRequest& scheduled) {
      return check_operations(caller, scheduled);
    };
    engine_.cancel_scheduled(*request, allowed, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* Undo(grpc::CallbackServerContext* context, const v1::UndoRequest* request,
                                 v1::ApplyResponse* response) override {
    return answer_undo(context, request, response, engine_, door_);
  }

  grpc::ServerUnaryReactor* Redo(grpc::CallbackServerContext* context, const v1::RedoRequest* request,
                                 v1::ApplyResponse* response) override {
    return answer_redo(context, request, response, engine_, door_);
  }

  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override {
    auto [stream, allowed, caller] =
        enter_stream<v1::WatchResponse>(door_, *context, "continuo.v1.SessionService.Watch");
    if (allowed) engine_.watch(*request, begin_with_feed(stream));
    return stream.get();
  }

  grpc::ServerUnaryReactor* ListParams(grpc::CallbackServerContext* context, const v1::ListParamsRequest* request,
                                       v1::ListParamsResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (!enter(door_, *context, reactor, "continuo.v1.SessionService.ListParams")) return reactor;
    engine_.list_params(request->path(), reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* ListTypes(grpc::CallbackServerContext* context, const v1::ListTypesRequest*,
                                      v1::ListTypesResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (!enter(door_, *context, reactor, "continuo.v1.SessionService.ListTypes")) return reactor;
    for (const session::TypeSpec& type : session::node_types()) *response->add_types() = describe(type);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

 private:
  /// A dry run reports in its body.
  static void report(const Error& error, v1::ApplyResponse& response) {
    response.set_outcome(v1::ApplyResponse::OUTCOME_INVALID);
    auto* problem = response.add_problems();
    problem->set_field(error.field);
    problem->set_reason(error.reason);
    problem->set_message(error.message);
  }

  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_session_service(control::Engine& engine, Door& door) {
  return std::make_unique<SessionService>(engine, door);
}

}  // namespace continuo::rpc
