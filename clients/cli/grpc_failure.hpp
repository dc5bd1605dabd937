// THREAD: any - the daemon's error -> a Failure: the one table from gRPC status to exit code
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "clients/cli/failure.hpp"

namespace continuo::cli {

/// `reason` decides where a status alone does not: a full disk is an I/O error, a queue that is full is not.
[[nodiscard]] ExitCode exit_code(grpc::StatusCode code, const std::string& reason);

/// Message, reason (ErrorInfo) and field (BadRequest) of an error; `address` is named where no daemon answered.
[[nodiscard]] Failure to_failure(const grpc::Status& status, const std::string& address);

}  // namespace continuo::cli
