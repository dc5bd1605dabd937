// THREAD: rpc - receives a session, chunk by chunk
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "continuo/v1/session.pb.h"
#include "server/control/engine.hpp"
#include "server/rpc/door.hpp"

namespace continuo::rpc {

inline constexpr std::size_t kMaxSessionBytes = 64u << 20;

/// For gRPC to call, with messages as bytes; goes by itself when the call is over.
[[nodiscard]] grpc::ServerReadReactor<grpc::ByteBuffer>* receive_session(grpc::CallbackServerContext* context,
                                                                         grpc::ByteBuffer* response,
                                                                         control::Engine& engine, Door& door);

}  // namespace continuo::rpc
