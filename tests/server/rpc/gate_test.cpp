#include "server/rpc/gate.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

namespace continuo::rpc {
namespace {

using namespace std::chrono_literals;

constexpr auto kStays = Gate::Lasts::until_the_client_goes;
constexpr auto kEnds = Gate::Lasts::until_it_is_told;

TEST_CASE("places run out, and come back, also when the one who counted them is gone") {
  std::optional<Places::Place> last;
  {
    Places places(2);
    auto first = places.try_take();
    REQUIRE(first);
    auto second = places.try_take();
    REQUIRE(second);
    CHECK_FALSE(places.try_take());
    CHECK_FALSE(places.try_take());
    first.reset();
    CHECK(places.try_take());
    last.emplace(*std::move(second));
  }
  CHECK(last);
}

TEST_CASE("edits of a second may come at once, then as many as the rate gives") {
  EditRate rate(100.0, 200.0);
  const EditRate::Clock::time_point begin = EditRate::Clock::time_point{} + 1h;
  CHECK(rate.try_take(200, begin));
  CHECK_FALSE(rate.try_take(1, begin));
  CHECK_FALSE(rate.try_take(11, begin + 100ms));  // all or none: nothing was taken
  CHECK(rate.try_take(10, begin + 100ms));
  CHECK_FALSE(rate.try_take(1, begin + 100ms));
  CHECK_FALSE(rate.try_take(201, begin + 1h));
  CHECK(rate.try_take(200, begin + 1h));
}

TEST_CASE("one caller's streams and edits are not another's, and who looks keeps nobody from saving") {
  Gate gate(10);
  std::vector<StreamPlace> places;
  for (int i = 0; i < Gate::kMaxStreamsOfCaller - Gate::kKeptForShort; ++i) {
    auto place = gate.try_stream("user anna", kStays);
    REQUIRE(place);
    places.push_back(*std::move(place));
  }
  CHECK_FALSE(gate.try_stream("user anna", kStays));
  CHECK(gate.try_stream("user ben", kStays));
  for (int i = 0; i < Gate::kKeptForShort; ++i) {
    auto place = gate.try_stream("user anna", kEnds);
    REQUIRE(place);
    places.push_back(*std::move(place));
  }
  CHECK_FALSE(gate.try_stream("user anna", kEnds));
  places.pop_back();
  CHECK_FALSE(gate.try_stream("user anna", kStays));
  CHECK(gate.try_stream("user anna", kEnds));

  CHECK(gate.try_edit("user anna", Gate::kLargestEdit));
  CHECK_FALSE(gate.try_edit("user anna", Gate::kLargestEdit));
  CHECK(gate.try_edit("user ben", Gate::kLargestEdit));
}

TEST_CASE("all callers together have a bound, and those beyond the accounts share one") {
  Gate gate(1);
  std::vector<StreamPlace> places;
  for (int caller = 0; caller * Gate::kMaxStreamsOfCaller < Gate::kMaxStreams; ++caller) {
    for (int i = 0; i < Gate::kMaxStreamsOfCaller; ++i) {
      auto place = gate.try_stream("user " + std::to_string(caller), kEnds);
      REQUIRE(place);
      places.push_back(*std::move(place));
    }
  }
  CHECK_FALSE(gate.try_stream("user late", kEnds));

  Gate crowd(1);
  for (std::size_t i = 0; i < Gate::kMaxAccounts; ++i) REQUIRE(crowd.try_edit(std::to_string(i), 1));
  CHECK(crowd.try_edit("one more", Gate::kLargestEdit));
  CHECK_FALSE(crowd.try_edit("and another", Gate::kLargestEdit));
}

}  // namespace
}  // namespace continuo::rpc
