// THREAD: rpc - what of a transaction can be judged without the document
#pragma once

#include <chrono>
#include <cstdint>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"

namespace continuo::rpc {

inline constexpr int kMaxOperations = 10000;
inline constexpr std::size_t kMaxRequestId = 64;
inline constexpr std::uint32_t kDefaultWaitMs = 2000;
inline constexpr std::uint32_t kMaxWaitMs = 600000;
/// An answer that is sent just before a deadline never arrives; this much before, it does.
inline constexpr std::chrono::milliseconds kAnswerBefore{50};

/// Everything that edits is strict (strict.hpp); here also the counts and lengths that the proto promises.
Result<> check_apply(const v1::ApplyRequest& request);

/// How long to wait for APPLIED: as asked, but the answer leaves kAnswerBefore the call's deadline.
[[nodiscard]] std::uint32_t wait_ms(const v1::ApplyRequest& request, std::chrono::system_clock::time_point deadline,
                                    std::chrono::system_clock::time_point now);

}  // namespace continuo::rpc
