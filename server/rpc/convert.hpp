// THREAD: rpc - our errors as gRPC sends them
#pragma once

#include <grpcpp/support/status.h>

#include <cstddef>

#include "server/base/result.hpp"

namespace continuo::rpc {

/// Details beyond about 7,000 bytes reach the client as a RESOURCE_EXHAUSTED without a reason, so ours stay well below.
inline constexpr std::size_t kMaxDetails = 4096;

[[nodiscard]] grpc::StatusCode status_code(ErrorKind kind) noexcept;

/// Message, and as details google.rpc.ErrorInfo (reason, domain "continuo") and, where a field is known,
/// google.rpc.BadRequest. What is too long is cut, never left out.
[[nodiscard]] grpc::Status to_status(const Error& error);

}  // namespace continuo::rpc
