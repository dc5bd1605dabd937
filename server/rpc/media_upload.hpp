// THREAD: rpc - receives a media file, piece by piece
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "continuo/v1/media.pb.h"
#include "server/control/engine.hpp"
#include "server/rpc/door.hpp"

namespace continuo::rpc {

/// For gRPC to call; goes by itself when the call is over.
[[nodiscard]] grpc::ServerReadReactor<v1::UploadMediaRequest>* receive_media(grpc::CallbackServerContext* context,
                                                                             v1::UploadMediaResponse* response,
                                                                             control::Engine& engine, Door& door);

}  // namespace continuo::rpc
