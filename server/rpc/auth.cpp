#include "server/rpc/auth.hpp"

#include <google/protobuf/descriptor.h>

#include <string>

namespace continuo::rpc {
namespace {

bool may(v1::Role has, v1::Role needs) noexcept {
  return needs != v1::ROLE_UNSPECIFIED && static_cast<int>(has) >= static_cast<int>(needs);
}

Error denied(const std::string& field, const std::string& what, v1::Role has, v1::Role needs) {
  const std::string who = needs == v1::ROLE_UNSPECIFIED ? "nobody" : v1::Role_Name(needs) + " or above";
  return make_error(ErrorKind::permission_denied, "ROLE", field,
                    what + " is for " + who + ", and this client is " + v1::Role_Name(has));
}

}  // namespace

v1::Role role_of(std::string_view name) noexcept {
  if (name == "viewer") return v1::ROLE_VIEWER;
  if (name == "operator") return v1::ROLE_OPERATOR;
  if (name == "engineer") return v1::ROLE_ENGINEER;
  if (name == "admin") return v1::ROLE_ADMIN;
  return v1::ROLE_UNSPECIFIED;
}

v1::Role method_role(std::string_view method) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(std::string(method));
  return found == nullptr ? v1::ROLE_UNSPECIFIED : found->options().GetExtension(v1::role);
}

v1::Role operation_role(const v1::Operation& operation) {
  const auto* kind =
      operation.GetReflection()->GetOneofFieldDescriptor(operation, v1::Operation::descriptor()->oneof_decl(0));
  return kind == nullptr ? v1::ROLE_UNSPECIFIED : kind->options().GetExtension(v1::operation_role);
}

Result<> Authority::check_method(std::string_view method) const {
  const v1::Role needs = method_role(method);
  if (may(role_, needs)) return {};
  return denied("", std::string(method), role_, needs);
}

Result<> Authority::check_operations(const v1::ApplyRequest& request) const {
  for (int i = 0; i < request.operations_size(); ++i) {
    const v1::Role needs = operation_role(request.operations(i));
    const std::string field = "operations[" + std::to_string(i) + "]";
    if (!may(role_, needs)) return denied(field, field, role_, needs);
  }
  return {};
}

}  // namespace continuo::rpc
