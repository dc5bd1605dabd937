#include "server/rpc/apply_shape.hpp"

#include <doctest/doctest.h>

#include "server/control/text_check.hpp"

namespace continuo::rpc {
namespace {

using namespace std::chrono_literals;

v1::ApplyRequest with_operations(int count) {
  v1::ApplyRequest request;
  for (int i = 0; i < count; ++i) request.add_operations()->mutable_play();
  return request;
}

TEST_CASE("a transaction has 1 to 10000 operations") {
  CHECK_FALSE(check_apply(with_operations(0)));
  CHECK(check_apply(with_operations(1)));
  CHECK(check_apply(with_operations(kMaxOperations)));
  const Result<> many = check_apply(with_operations(kMaxOperations + 1));
  REQUIRE_FALSE(many);
  CHECK(many.error().field == "operations");
  CHECK(many.error().reason == "OUT_OF_RANGE");
}

TEST_CASE("texts and times of a transaction have their bounds") {
  v1::ApplyRequest request = with_operations(1);
  request.set_request_id(std::string(kMaxRequestId, 'r'));
  for (std::size_t i = 0; i < control::kMaxCharacters; ++i)
    request.mutable_client()->append("\xC3\xA4");  // an "a umlaut"
  request.set_max_wait_ms(kMaxWaitMs);
  CHECK(check_apply(request));
  request.set_max_wait_ms(kMaxWaitMs + 1);
  CHECK(check_apply(request).error().field == "max_wait_ms");
  request.clear_max_wait_ms();
  request.mutable_client()->push_back('c');
  CHECK(check_apply(request).error().field == "client");
  request.clear_client();
  request.mutable_request_id()->push_back('r');
  CHECK(check_apply(request).error().field == "request_id");
}

TEST_CASE("the wait ends 50 ms before the deadline") {
  const auto now = std::chrono::system_clock::now();
  v1::ApplyRequest request = with_operations(1);
  const auto never = std::chrono::system_clock::time_point::max();
  CHECK(wait_ms(request, never, now) == kDefaultWaitMs);
  CHECK(wait_ms(request, now + 1h, now) == kDefaultWaitMs);
  CHECK(wait_ms(request, now + 1s, now) == 950);
  CHECK(wait_ms(request, now + 51ms, now) == 1);
  CHECK(wait_ms(request, now + 50ms, now) == 0);
  CHECK(wait_ms(request, now, now) == 0);
  CHECK(wait_ms(request, now - 1h, now) == 0);
  request.set_max_wait_ms(10);
  CHECK(wait_ms(request, now + 1s, now) == 10);
  CHECK(wait_ms(request, now + 55ms, now) == 5);
  request.set_max_wait_ms(0);
  CHECK(wait_ms(request, now + 1s, now) == 0);
}

}  // namespace
}  // namespace continuo::rpc
