// THREAD: rpc - a newer client's wish never passes as nothing
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <string>

#include "server/base/result.hpp"

namespace continuo::rpc {

/// Longest text in a request, in bytes. Session files travel as bytes and are not meant.
inline constexpr std::size_t kMaxText = 4096;

/// INVALID_ARGUMENT, naming the place ("operations[3].set_params.values.gain_db"), for what a request that edits must
/// not hold at any depth: a field that this version does not know, an unknown enum number or an UNSPECIFIED, an oneof
/// without a member (an operation from a newer client), NaN or Infinity, a text longer than kMaxText; in what a client
/// says of itself (`client`, `note`), a control character or one that turns the direction of writing.
Result<> check_strict(const google::protobuf::Message& message, const std::string& place = "");

}  // namespace continuo::rpc
