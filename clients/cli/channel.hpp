// THREAD: any - the way to a daemon, not yet gone
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace continuo::cli {

/// `address` as gRPC names it. Connects at the first call.
[[nodiscard]] std::shared_ptr<grpc::Channel> make_channel(const std::string& address);

}  // namespace continuo::cli
