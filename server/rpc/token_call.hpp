// THREAD: rpc - the token that a call carries: "authorization: Bearer SECRET"
#pragma once

#include <grpcpp/server_context.h>

#include <optional>
#include <string>

#include "server/base/result.hpp"

namespace continuo::rpc {

/// None where the call carries no such line. UNAUTHENTICATED where it is of another form, or there are two.
[[nodiscard]] inline std::optional<Result<std::string>> token_of(const grpc::ServerContextBase& context) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (first == last) return std::nullopt;
  const std::string_view text(first->second.data(), first->second.size());
  if (std::next(first) != last || !text.starts_with(kBearer) || text.size() == kBearer.size()) {
    return Result<std::string>(make_error(ErrorKind::unauthenticated, "TOKEN", "authorization",
                                          "the call's metadata \"authorization\" is one line: Bearer TOKEN"));
  }
  return Result<std::string>(std::string(text.substr(kBearer.size())));
}

}  // namespace continuo::rpc
