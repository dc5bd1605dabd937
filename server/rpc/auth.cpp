#include "server/rpc/auth.hpp"

#include <google/protobuf/descriptor.h>

#include <string>

namespace continuo::rpc {
namespace {

bool may(v1::Role has, v1::Role needs) noexcept {
  return needs != v1::ROLE_UNSPECIFIED && static_cast<int>(has) >= static_cast<int>(needs);
}

Error denied(const std::string& field, const std::string& what, const Caller& caller, v1::Role needs) {
  if (caller.role == v1::ROLE_UNSPECIFIED) {
    return make_error(ErrorKind::permission_denied, "ROLE", field,
                      caller.name + " has no role here" + (caller.remedy.empty() ? "" : ": " + caller.remedy));
  }
  const std::string who = needs == v1::ROLE_UNSPECIFIED ? "nobody" : v1::Role_Name(needs) + " or above";
  return make_error(ErrorKind::permission_denied, "ROLE", field,
                    what + " is for " + who + ", and " + caller.name + " is " + v1::Role_Name(caller.role));
}

}  // namespace

v1::Role method_role(std::string_view method) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(std::string(method));
  return found == nullptr ? v1::ROLE_UNSPECIFIED : found->options().GetExtension(v1::role);
}

v1::Role operation_role(const v1::Operation& operation) {
  const auto* kind =
      operation.GetReflection()->GetOneofFieldDescriptor(operation, v1::Operation::descriptor()->oneof_decl(0));
  return kind == nullptr ? v1::ROLE_UNSPECIFIED : kind->options().GetExtension(v1::operation_role);
}

Result<> check_method(const Caller& caller, std::string_view method) {
  const v1::Role needs = method_role(method);
  if (may(caller.role, needs)) return {};
  return denied("", std::string(method), caller, needs);
}

Result<> check_operations(const Caller& caller, const v1::ApplyRequest& request) {
  for (int i = 0; i < request.operations_size(); ++i) {
    const v1::Role needs = operation_role(request.operations(i));
    const std::string field = "operations[" + std::to_string(i) + "]";
    if (!may(caller.role, needs)) return denied(field, field, caller, needs);
  }
  return {};
}

}  // namespace continuo::rpc
