#include "clients/cli/grpc_failure.hpp"

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace continuo::cli {

ExitCode exit_code(grpc::StatusCode code, const std::string& reason) {
  switch (code) {
    case grpc::StatusCode::OK:
      return kOk;
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
      return kBadData;
    case grpc::StatusCode::NOT_FOUND:
      return kNoInput;
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::UNIMPLEMENTED:
      return kNoServer;
    case grpc::StatusCode::ALREADY_EXISTS:
      return kCannotCreate;
    case grpc::StatusCode::DATA_LOSS:
      return kIoError;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return reason.find("DISK") != std::string::npos ? kIoError : kTryAgain;
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return kTryAgain;
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
      return kRefused;
    default:
      return kFault;
  }
}

namespace {

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

/// Nobody answers; or somebody does, and hangs up on who is not known. gRPC tells the two apart in words alone.
Failure no_answer(const std::string& said, const std::string& address) {
  if (contains(said, "handshake failed")) {
    return {kRefused, "TLS", "",
            "the daemon at " + address + " and this client do not trust each other's certificates: look at --tls (" +
                said.substr(said.rfind("handshake failed")) + ")"};
  }
  if (contains(said, "failed to connect") && contains(said, "Socket closed")) {
    return {kRefused, "HUNG_UP", "",
            address.starts_with("unix:")
                ? "the daemon at " + address + " hangs up: its rules ([access]) have no place for this user"
                : "what listens at " + address +
                      " hangs up: it asks for TLS and a certificate that it knows (--tls), or it is no daemon"};
  }
  if (contains(said, "Permission denied")) {
    return {kRefused, "SOCKET", "",
            "this user may not open " + address +
                ": besides a rule ([access]) it takes to be in the socket's group (server.group)"};
  }
  return {kNoServer, "NO_SERVER", "",
          "no daemon answers at " + address + "; start continuod, or say where it is with --server"};
}

}  // namespace

Failure to_failure(const grpc::Status& status, const std::string& address) {
  std::string reason;
  std::string field;
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) {
      google::rpc::ErrorInfo info;
      google::rpc::BadRequest bad;
      if (detail.UnpackTo(&info)) reason = info.reason();
      if (detail.UnpackTo(&bad) && bad.field_violations_size() > 0) field = bad.field_violations(0).field();
    }
  }
  std::string message = status.error_message();
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && reason.empty()) {
    return no_answer(message, address);
  } else if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED && reason.empty()) {
    reason = "DEADLINE_EXCEEDED";
    message =
        "the daemon at " + address + " did not answer in time; look at 'continuo status', or give more with --timeout";
  } else if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED && reason.empty()) {
    reason = "UNIMPLEMENTED";
    message = "the daemon at " + address + " does not know this call; is it older than this program?";
  }
  return {exit_code(status.error_code(), reason), reason, field, message};
}

}  // namespace continuo::cli
