// THREAD: rpc - who may call what: the roles that the proto files name, denied by default
#pragma once

#include <string_view>

#include "continuo/v1/edit.pb.h"
#include "continuo/v1/options.pb.h"
#include "server/base/result.hpp"

namespace continuo::rpc {

/// "viewer", "operator", "engineer", "admin"; anything else: ROLE_UNSPECIFIED, which may do nothing.
[[nodiscard]] v1::Role role_of(std::string_view name) noexcept;

/// The least role for a method ("continuo.v1.SessionService.Apply") or for an operation; ROLE_UNSPECIFIED where the
/// proto names none, and then nobody may.
[[nodiscard]] v1::Role method_role(std::string_view method);
[[nodiscard]] v1::Role operation_role(const v1::Operation& operation);

/// What the peers of this daemon may do. Everybody who reaches the socket or loopback has the one role that the
/// configuration names: whom the socket's mode lets in is decided by the file system.
class Authority {
 public:
  explicit Authority(v1::Role role) noexcept : role_(role) {}

  Result<> check_method(std::string_view method) const;
  /// All or none: names the first operation that is not the caller's to send.
  Result<> check_operations(const v1::ApplyRequest& request) const;

 private:
  v1::Role role_;
};

}  // namespace continuo::rpc
