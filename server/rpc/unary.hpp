// THREAD: rpc - the first lines of every handler
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "server/rpc/door.hpp"
#include "server/rpc/stream.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {

/// A unary call: none when it is already answered, because this client may not.
[[nodiscard]] inline std::optional<Caller> enter(const Door& door, const grpc::ServerContextBase& context,
                                                 grpc::ServerUnaryReactor* reactor, std::string_view method) {
  Door::Pass pass = door.enter(context, method);
  if (pass.status.ok()) return std::move(pass.caller);
  reactor->Finish(pass.status);
  return std::nullopt;
}

/// And what it sent makes sense, which `check` says: else it is answered already, too.
template <class Request, class Check>
[[nodiscard]] std::optional<Caller> enter(const Door& door, const grpc::ServerContextBase& context,
                                          grpc::ServerUnaryReactor* reactor, std::string_view method,
                                          const Request& request, const Check& check) {
  std::optional<Caller> caller = enter(door, context, reactor, method);
  if (!caller) return caller;
  const Result<> good = check(request);
  if (good) return caller;
  reactor->Finish(to_status(good.error()));
  return std::nullopt;
}
[[nodiscard]] inline std::optional<Caller> enter_strict(const Door& door, const grpc::ServerContextBase& context,
                                                        grpc::ServerUnaryReactor* reactor, std::string_view method,
                                                        const google::protobuf::Message& request) {
  return enter(door, context, reactor, method, request, [](const auto& sent) { return check_strict(sent); });
}

/// A stream: never null. False beside it when it is already refused.
template <class Message>
struct Entered {
  std::shared_ptr<Stream<Message>> stream;
  bool allowed = false;
  Caller caller;
};
template <class Message>
[[nodiscard]] Entered<Message> enter_stream(const Door& door, const grpc::ServerContextBase& context,
                                            std::string_view method,
                                            Gate::Lasts lasts = Gate::Lasts::until_the_client_goes) {
  Door::Pass pass = door.enter(context, method);
  std::optional<StreamPlace> place = pass.status.ok() ? door.gate().try_stream(pass.caller.name, lasts) : std::nullopt;
  if (pass.status.ok() && !place) pass.status = no_stream_status(lasts);
  // The context lives as long as the stream's reactor.
  auto stream =
      Stream<Message>::make(std::move(place), [&door, &context, method] { return door.enter(context, method).status; });
  if (!pass.status.ok()) stream->refuse(pass.status);
  return {std::move(stream), pass.status.ok(), std::move(pass.caller)};
}

}  // namespace continuo::rpc
