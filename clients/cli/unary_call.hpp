// THREAD: any - one request, one answer; and what this program calls itself
#pragma once

#include <grpcpp/client_context.h>
#include <unistd.h>

#include <chrono>
#include <string>

#include "clients/cli/grpc_failure.hpp"

namespace continuo::cli {

/// In the watch and in the daemon's log.
[[nodiscard]] inline std::string client_name() { return "continuo cli " + std::to_string(::getpid()); }

/// The daemon at the other end, and how long an answer may take.
struct Way {
  std::string address;
  std::chrono::milliseconds timeout;

  /// Throws a Failure unless it is OK.
  void check(const grpc::Status& status) const {
    if (!status.ok()) throw to_failure(status, address);
  }
  void limit(grpc::ClientContext& context) const { context.set_deadline(std::chrono::system_clock::now() + timeout); }

  template <class Stub, class Request, class Response>
  Response call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                const Request& request) const {
    grpc::ClientContext context;
    limit(context);
    Response response;
    check((stub.*method)(&context, request, &response));
    return response;
  }
};

}  // namespace continuo::cli
