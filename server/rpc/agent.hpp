// THREAD: rpc - what a client's library says of itself, where a request has no place for a name
#pragma once

#include <grpcpp/server_context.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace continuo::rpc {

inline constexpr std::size_t kMaxAgent = 200;  // bytes

[[nodiscard]] inline std::string agent_of(const grpc::ServerContextBase& context) {
  const auto agent = context.client_metadata().find("user-agent");
  if (agent == context.client_metadata().end()) return context.peer();
  return std::string(agent->second.data(), std::min<std::size_t>(agent->second.size(), kMaxAgent));
}

}  // namespace continuo::rpc
