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

namespace continuo::rpc {

/// A unary call: false when it is already answered, because this client may not.
[[nodiscard]] inline bool enter(const Door& door, grpc::ServerUnaryReactor* reactor, std::string_view method) {
  const grpc::Status status = door.enter(method);
  if (!status.ok()) reactor->Finish(status);
  return status.ok();
}

/// A stream: never null. False beside it when it is already refused.
template <class Message>
struct Entered {
  std::shared_ptr<Stream<Message>> stream;
  bool allowed = false;
};
template <class Message>
[[nodiscard]] Entered<Message> enter_stream(Door& door, std::string_view method) {
  grpc::Status status = door.enter(method);
  std::optional<Places::Place> place = status.ok() ? door.try_stream() : std::nullopt;
  if (status.ok() && !place) status = no_room_status("streams", Door::kMaxStreams);
  auto stream = Stream<Message>::make(std::move(place));
  if (!status.ok()) stream->refuse(status);
  return {std::move(stream), status.ok()};
}

}  // namespace continuo::rpc
