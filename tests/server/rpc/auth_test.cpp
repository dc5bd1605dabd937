#include "server/rpc/auth.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>

#include <optional>

#include "continuo/v1/device.pb.h"
#include "continuo/v1/media.pb.h"
#include "continuo/v1/meter.pb.h"
#include "continuo/v1/session.pb.h"
#include "continuo/v1/system.pb.h"
#include "server/rpc/door.hpp"

namespace continuo::rpc {
namespace {

const google::protobuf::FileDescriptor* kFiles[] = {
    v1::GetSessionRequest::descriptor()->file(), v1::WatchMetersRequest::descriptor()->file(),
    v1::GetInfoRequest::descriptor()->file(), v1::ListDevicesRequest::descriptor()->file(),
    v1::ListMediaRequest::descriptor()->file()};

TEST_CASE("every method of every service names a role") {
  int methods = 0;
  for (const auto* file : kFiles) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m, ++methods) {
        const std::string name = file->service(s)->method(m)->full_name();
        CAPTURE(name);
        CHECK(method_role(name) != v1::ROLE_UNSPECIFIED);
        CHECK(v1::Role_IsValid(method_role(name)));
      }
    }
  }
  CHECK(methods >= 19);
}

TEST_CASE("every operation names a role, and an empty one is nobody's") {
  const auto* kind = v1::Operation::descriptor()->oneof_decl(0);
  for (int i = 0; i < kind->field_count(); ++i) {
    v1::Operation operation;
    operation.GetReflection()->MutableMessage(&operation, kind->field(i));
    CAPTURE(kind->field(i)->name());
    CHECK(operation_role(operation) >= v1::ROLE_OPERATOR);
  }
  CHECK(operation_role(v1::Operation()) == v1::ROLE_UNSPECIFIED);
}

Caller with(v1::Role role) { return {"user anna", role, "", false}; }

TEST_CASE("each role may what the ones above it may, and no more") {
  CHECK(check_method(with(v1::ROLE_VIEWER), "continuo.v1.SystemService.GetStatus"));
  CHECK_FALSE(check_method(with(v1::ROLE_VIEWER), "continuo.v1.SessionService.Apply"));
  CHECK(check_method(with(v1::ROLE_OPERATOR), "continuo.v1.SessionService.Apply"));
  CHECK_FALSE(check_method(with(v1::ROLE_OPERATOR), "continuo.v1.SessionService.LoadSession"));
  CHECK(check_method(with(v1::ROLE_ENGINEER), "continuo.v1.SessionService.LoadSession"));
  CHECK_FALSE(check_method(with(v1::ROLE_ENGINEER), "continuo.v1.DeviceService.UseDevice"));
  CHECK(check_method(with(v1::ROLE_ADMIN), "continuo.v1.DeviceService.UseDevice"));
  CHECK(check_method(with(v1::ROLE_ADMIN), "continuo.v1.SystemService.GetStatus"));
}

TEST_CASE("what has no role is denied to all, and so is everything to who has none, with what to do") {
  CHECK_FALSE(check_method(with(v1::ROLE_ADMIN), "continuo.v1.SessionService.Erase"));
  const Result<> none =
      check_method({"user eve", v1::ROLE_UNSPECIFIED, "ask anna", false}, "continuo.v1.SystemService.GetStatus");
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "user eve has no role here: ask anna");
}

TEST_CASE("one operation that is not the caller's refuses the transaction, and is named") {
  v1::ApplyRequest request;
  request.add_operations()->mutable_set_params();
  CHECK(check_operations(with(v1::ROLE_OPERATOR), request));
  request.add_operations()->mutable_remove_node();
  const Result<> result = check_operations(with(v1::ROLE_OPERATOR), request);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::permission_denied);
  CHECK(result.error().field == "operations[1]");
  CHECK(check_operations(with(v1::ROLE_ENGINEER), request));
}

TEST_CASE("a closed gate lets nobody in") {
  Gate gate(1);
  const Door door(gate, [](const grpc::ServerContextBase&) { return with(v1::ROLE_ADMIN); });
  grpc::CallbackServerContext context;
  const Door::Pass pass = door.enter(context, "continuo.v1.SystemService.GetStatus");
  CHECK(pass.status.ok());
  CHECK(pass.caller.name == "user anna");
  gate.close();
  CHECK(door.enter(context, "continuo.v1.SystemService.GetStatus").status.error_code() ==
        grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace continuo::rpc
