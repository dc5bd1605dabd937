#include "server/rpc/session_undo.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "server/rpc/apply_shape.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

/// Counts, lengths and patience are Apply's.
template <class Request>
v1::ApplyRequest like_apply(const Request& request) {
  v1::ApplyRequest like;
  like.add_operations()->mutable_stop();
  like.set_request_id(request.request_id());
  like.set_client(request.client());
  if (request.has_max_wait_ms()) like.set_max_wait_ms(request.max_wait_ms());
  *like.mutable_leases() = request.leases();
  return like;
}

template <class Request, class Call>
grpc::ServerUnaryReactor* answer(grpc::CallbackServerContext* context, const Request* request,
                                 v1::ApplyResponse* response, Door& door, const char* method, const Call& call) {
  auto* reactor = context->DefaultReactor();
  const v1::ApplyRequest like = like_apply(*request);
  const auto caller = enter(door, *context, reactor, method, *request, [&like](const Request& sent) {
    const Result<> strict = check_strict(sent);
    return strict ? check_apply(like) : strict;
  });
  if (!caller) return reactor;
  Request taken = *request;
  taken.set_max_wait_ms(wait_ms(like, context->deadline(), std::chrono::system_clock::now()));
  const auto allowed = [caller = *caller](const v1::ApplyRequest& inverse) {
    return check_operations(caller, inverse);
  };
  call(std::move(taken), allowed, reply_to(reactor, response), caller->name);
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* answer_undo(grpc::CallbackServerContext* context, const v1::UndoRequest* request,
                                      v1::ApplyResponse* response, control::Engine& engine, Door& door) {
  return answer(context, request, response, door, "continuo.v1.SessionService.Undo",
                [&](v1::UndoRequest taken, auto allowed, auto done, std::string identity) {
                  engine.undo(std::move(taken), std::move(allowed), std::move(done), std::move(identity));
                });
}

grpc::ServerUnaryReactor* answer_redo(grpc::CallbackServerContext* context, const v1::RedoRequest* request,
                                      v1::ApplyResponse* response, control::Engine& engine, Door& door) {
  return answer(context, request, response, door, "continuo.v1.SessionService.Redo",
                [&](v1::RedoRequest taken, auto allowed, auto done, std::string identity) {
                  engine.redo(std::move(taken), std::move(allowed), std::move(done), std::move(identity));
                });
}

}  // namespace continuo::rpc
