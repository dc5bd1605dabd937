#include "server/rpc/convert.hpp"

#include <doctest/doctest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace continuo::rpc {
namespace {

google::rpc::Status details_of(const grpc::Status& status) {
  google::rpc::Status details;
  REQUIRE(details.ParseFromString(status.error_details()));
  return details;
}

TEST_CASE("an error carries its reason and its field") {
  const grpc::Status status = to_status(
      make_error(ErrorKind::not_found, "UNKNOWN_NODE", "operations[3].set_params.path", "there is no node 'vox'"));
  CHECK(status.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(status.error_message() == "there is no node 'vox'");
  const google::rpc::Status details = details_of(status);
  CHECK(details.code() == static_cast<int>(grpc::StatusCode::NOT_FOUND));
  REQUIRE(details.details_size() == 2);
  CHECK(details.details(0).type_url() == "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  REQUIRE(details.details(0).UnpackTo(&info));
  CHECK(info.reason() == "UNKNOWN_NODE");
  CHECK(info.domain() == "continuo");
  google::rpc::BadRequest request;
  REQUIRE(details.details(1).UnpackTo(&request));
  REQUIRE(request.field_violations_size() == 1);
  CHECK(request.field_violations(0).field() == "operations[3].set_params.path");
}

TEST_CASE("without a field there is no BadRequest") {
  CHECK(details_of(to_status(make_error(ErrorKind::aborted, "STALE", "", "read again"))).details_size() == 1);
}

TEST_CASE("details stay below what arrives, whatever the error holds, and UTF-8 is cut between characters") {
  for (const std::string piece : {"a", "\xC3\xBC", "\xF0\x9F\x8E\xB5"}) {
    std::string text;
    while (text.size() < 100000) text += piece;
    const grpc::Status status = to_status(make_error(ErrorKind::internal, text, text, text));
    CHECK(status.error_details().size() <= kMaxDetails);
    CHECK(status.error_details().size() > 2000);
    const google::rpc::Status details = details_of(status);  // broken UTF-8 would not parse
    CHECK(details.message().ends_with("..."));
    google::rpc::ErrorInfo info;
    CHECK(details.details(0).UnpackTo(&info));
    CHECK(info.reason().size() <= 63);
  }
}

TEST_CASE("each kind of error has a status of its own kind") {
  CHECK(status_code(ErrorKind::invalid_argument) == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(status_code(ErrorKind::failed_precondition) == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(status_code(ErrorKind::already_exists) == grpc::StatusCode::ALREADY_EXISTS);
  CHECK(status_code(ErrorKind::permission_denied) == grpc::StatusCode::PERMISSION_DENIED);
  CHECK(status_code(ErrorKind::resource_exhausted) == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(status_code(ErrorKind::deadline_exceeded) == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(status_code(ErrorKind::data_loss) == grpc::StatusCode::DATA_LOSS);
  CHECK(status_code(ErrorKind::unavailable) == grpc::StatusCode::UNAVAILABLE);
  CHECK(status_code(ErrorKind::unimplemented) == grpc::StatusCode::UNIMPLEMENTED);
  CHECK(status_code(ErrorKind::internal) == grpc::StatusCode::INTERNAL);
}

}  // namespace
}  // namespace continuo::rpc
