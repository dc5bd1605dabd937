// THREAD: rpc - what each role may call: as the proto files name it, denied by default
#pragma once

#include <string_view>

#include "continuo/v1/edit.pb.h"
#include "continuo/v1/options.pb.h"
#include "server/base/result.hpp"
#include "server/rpc/caller.hpp"

namespace continuo::rpc {

/// The least role for a method ("continuo.v1.SessionService.Apply") or for an operation; ROLE_UNSPECIFIED where the
/// proto names none, and then nobody may.
[[nodiscard]] v1::Role method_role(std::string_view method);
[[nodiscard]] v1::Role operation_role(const v1::Operation& operation);

Result<> check_method(const Caller& caller, std::string_view method);
/// All or none: names the first operation that is not the caller's to send.
Result<> check_operations(const Caller& caller, const v1::ApplyRequest& request);

}  // namespace continuo::rpc
