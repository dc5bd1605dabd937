#include "server/rpc/convert.hpp"

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace continuo::rpc {
namespace {

// Twice the message (status and violation), the field and the reason: below kMaxDetails together.
constexpr std::size_t kMaxMessage = 1200;
constexpr std::size_t kMaxField = 700;
constexpr std::size_t kMaxReason = 63;

/// At most `bytes`, cut before a UTF-8 character, never inside: a broken one would not parse on the other side.
std::string cut(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  constexpr std::string_view kMark = "...";
  std::size_t end = bytes - kMark.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
  return text.substr(0, end).append(kMark);
}

}  // namespace

grpc::StatusCode status_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_argument:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorKind::failed_precondition:
      return grpc::StatusCode::FAILED_PRECONDITION;
    case ErrorKind::not_found:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorKind::already_exists:
      return grpc::StatusCode::ALREADY_EXISTS;
    case ErrorKind::unauthenticated:
      return grpc::StatusCode::UNAUTHENTICATED;
    case ErrorKind::permission_denied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorKind::aborted:
      return grpc::StatusCode::ABORTED;
    case ErrorKind::resource_exhausted:
      return grpc::StatusCode::RESOURCE_EXHAUSTED;
    case ErrorKind::deadline_exceeded:
      return grpc::StatusCode::DEADLINE_EXCEEDED;
    case ErrorKind::data_loss:
      return grpc::StatusCode::DATA_LOSS;
    case ErrorKind::unavailable:
      return grpc::StatusCode::UNAVAILABLE;
    case ErrorKind::unimplemented:
      return grpc::StatusCode::UNIMPLEMENTED;
    case ErrorKind::internal:
      return grpc::StatusCode::INTERNAL;
    // gRPC has no name for it; the reason tells.
    case ErrorKind::configuration:
      return grpc::StatusCode::FAILED_PRECONDITION;
  }
  return grpc::StatusCode::INTERNAL;
}

grpc::Status to_status(const Error& error) {
  const grpc::StatusCode code = status_code(error.kind);
  const std::string message = cut(error.message, kMaxMessage);

  google::rpc::Status details;
  details.set_code(static_cast<int>(code));
  details.set_message(message);
  google::rpc::ErrorInfo info;
  info.set_reason(cut(error.reason, kMaxReason));
  info.set_domain("continuo");
  details.add_details()->PackFrom(info);
  if (!error.field.empty()) {
    google::rpc::BadRequest request;
    auto* violation = request.add_field_violations();
    violation->set_field(cut(error.field, kMaxField));
    violation->set_description(message);
    details.add_details()->PackFrom(request);
  }
  return {code, message, details.SerializeAsString()};
}

}  // namespace continuo::rpc
