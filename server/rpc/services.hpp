// THREAD: rpc - the services, one file each; made here so that few files pay for the generated headers
#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <memory>

#include "server/control/engine.hpp"
#include "server/rpc/door.hpp"

namespace continuo::rpc {

/// Each checks the shape of a request, converts, hands it to the engine and answers; none has a state of its own.
/// Engine and door must outlive the server that serves them.
[[nodiscard]] std::unique_ptr<grpc::Service> make_session_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_meter_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_system_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_device_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_event_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_lease_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_job_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_media_service(control::Engine& engine, Door& door);
[[nodiscard]] std::unique_ptr<grpc::Service> make_param_service(control::Engine& engine, Door& door);

}  // namespace continuo::rpc
