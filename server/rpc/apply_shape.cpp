#include "server/rpc/apply_shape.hpp"

#include <algorithm>
#include <string>

#include "server/control/text_check.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {
namespace {

Error out_of_range(const std::string& field, const std::string& why) {
  return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field, field + " " + why);
}

}  // namespace

Result<> check_apply(const v1::ApplyRequest& request) {
  if (request.operations_size() < 1 || request.operations_size() > kMaxOperations) {
    return out_of_range("operations", "has " + std::to_string(request.operations_size()) + " entries: 1 to " +
                                          std::to_string(kMaxOperations) + " are allowed");
  }
  if (Result<> strict = check_strict(request); !strict) return strict;
  if (request.request_id().size() > kMaxRequestId) {
    return out_of_range("request_id", "is longer than " + std::to_string(kMaxRequestId) + " bytes");
  }
  if (Result<> client = control::check_text(request.client(), "client"); !client) return client;
  if (request.max_wait_ms() > kMaxWaitMs) {
    return out_of_range("max_wait_ms", "is over " + std::to_string(kMaxWaitMs));
  }
  return {};
}

std::uint32_t wait_ms(const v1::ApplyRequest& request, std::chrono::system_clock::time_point deadline,
                      std::chrono::system_clock::time_point now) {
  const std::uint32_t asked = request.has_max_wait_ms() ? request.max_wait_ms() : kDefaultWaitMs;
  if (deadline <= now + kAnswerBefore) return 0;
  // A call without a deadline has the clock's last moment, which must not be calculated with.
  if (deadline - now > std::chrono::milliseconds(asked) + kAnswerBefore) return asked;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now - kAnswerBefore);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(left.count(), 0, asked));
}

}  // namespace continuo::rpc
