// THREAD: rpc - undo and redo: shape here, roles where the operations are found
#pragma once

#include <grpcpp/grpcpp.h>

#include "continuo/v1/session.pb.h"
#include "server/control/engine.hpp"
#include "server/rpc/door.hpp"

namespace continuo::rpc {

[[nodiscard]] grpc::ServerUnaryReactor* answer_undo(grpc::CallbackServerContext* context,
                                                    const v1::UndoRequest* request, v1::ApplyResponse* response,
                                                    control::Engine& engine, Door& door);
[[nodiscard]] grpc::ServerUnaryReactor* answer_redo(grpc::CallbackServerContext* context,
                                                    const v1::RedoRequest* request, v1::ApplyResponse* response,
                                                    control::Engine& engine, Door& door);

}  // namespace continuo::rpc
