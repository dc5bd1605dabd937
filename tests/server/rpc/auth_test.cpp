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

TEST_CASE("each role may what the ones above it may, and no more") {
  const Authority viewer(v1::ROLE_VIEWER);
  const Authority an_operator(v1::ROLE_OPERATOR);
  const Authority engineer(v1::ROLE_ENGINEER);
  const Authority admin(v1::ROLE_ADMIN);
  CHECK(viewer.check_method("continuo.v1.SystemService.GetStatus"));
  CHECK_FALSE(viewer.check_method("continuo.v1.SessionService.Apply"));
  CHECK(an_operator.check_method("continuo.v1.SessionService.Apply"));
  CHECK_FALSE(an_operator.check_method("continuo.v1.SessionService.LoadSession"));
  CHECK(engineer.check_method("continuo.v1.SessionService.LoadSession"));
  CHECK_FALSE(engineer.check_method("continuo.v1.DeviceService.UseDevice"));
  CHECK(admin.check_method("continuo.v1.DeviceService.UseDevice"));
  CHECK(admin.check_method("continuo.v1.SystemService.GetStatus"));
}

TEST_CASE("what has no role is denied to all, and so is everything to who has none") {
  CHECK_FALSE(Authority(v1::ROLE_ADMIN).check_method("continuo.v1.SessionService.Erase"));
  CHECK_FALSE(Authority(role_of("king")).check_method("continuo.v1.SystemService.GetStatus"));
  CHECK(role_of("") == v1::ROLE_UNSPECIFIED);
}

TEST_CASE("one operation that is not the caller's refuses the transaction, and is named") {
  v1::ApplyRequest request;
  request.add_operations()->mutable_set_params();
  CHECK(Authority(v1::ROLE_OPERATOR).check_operations(request));
  request.add_operations()->mutable_remove_node();
  const Result<> result = Authority(v1::ROLE_OPERATOR).check_operations(request);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::permission_denied);
  CHECK(result.error().field == "operations[1]");
  CHECK(Authority(v1::ROLE_ENGINEER).check_operations(request));
}

TEST_CASE("a closed door lets nobody in") {
  Door door{Authority(v1::ROLE_ADMIN)};
  CHECK(door.enter("continuo.v1.SystemService.GetStatus").ok());
  door.close();
  CHECK(door.enter("continuo.v1.SystemService.GetStatus").error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("places run out, and come back, also when the one who counted them is gone") {
  std::optional<Places::Place> last;
  {
    Places places(2);
    auto first = places.try_take();
    REQUIRE(first);
    auto second = places.try_take();
    REQUIRE(second);
    CHECK_FALSE(places.try_take());
    CHECK_FALSE(places.try_take());
    first.reset();
    CHECK(places.try_take());
    last.emplace(*std::move(second));
  }
  CHECK(last);
}

}  // namespace
}  // namespace continuo::rpc
