// A meter's channels, folded together: the same windows of each, however far the audio thread has come in between.
#include "rt/meter_channels.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace continuo::rt;

namespace {

void publish(MeterSlots& slots, std::size_t channel, int n) {
  slots[channel].publish({.end_frame = (n + 1) * 512, .peak = static_cast<float>(n), .mean_square = 2.0f});
}

}  // namespace

TEST_CASE("a meter's channels cover the same windows: what one of them does not have yet waits for the next read") {
  MeterSlots slots(3);
  MeterChannelsReader reader;
  std::array<MeterWindow, 3> w;
  std::uint64_t missed = 0;
  CHECK_FALSE(reader.fold(slots, w, missed));
  for (std::size_t c = 0; c < 3; ++c)
    for (int n = 0; n < 5; ++n) publish(slots, c, n);
  publish(slots, 0, 5);  // the audio thread is in the middle of publishing a window
  publish(slots, 1, 5);
  REQUIRE(reader.fold(slots, w, missed));
  for (const MeterWindow& each : w) {
    CHECK(each.end_frame == 5 * 512);
    CHECK(each.peak == 4.0f);
    CHECK(each.mean_square == 2.0f);
  }
  CHECK_FALSE(reader.fold(slots, w, missed));
  publish(slots, 2, 5);
  REQUIRE(reader.fold(slots, w, missed));
  for (const MeterWindow& each : w) CHECK(each.end_frame == 6 * 512);
  CHECK(missed == 0);
}

TEST_CASE("a reader from now on sees nothing of what was; a meter without channels has nothing to see") {
  MeterSlots slots(2);
  for (int n = 0; n < 7; ++n) publish(slots, 0, n);
  for (int n = 0; n < 6; ++n) publish(slots, 1, n);
  auto reader = MeterChannelsReader::from_now(slots);
  std::array<MeterWindow, 2> w;
  std::uint64_t missed = 0;
  CHECK_FALSE(reader.fold(slots, w, missed));
  publish(slots, 1, 6);
  REQUIRE(reader.fold(slots, w, missed));
  CHECK(w[0].end_frame == w[1].end_frame);
  CHECK(w[0].peak == 6.0f);
  CHECK(missed == 0);

  MeterSlots none(0);
  MeterChannelsReader of_none;
  CHECK_FALSE(of_none.fold(none, {}, missed));
}

TEST_CASE("a window that one channel has lost is missed in all of them, and counted once") {
  constexpr int kKept = static_cast<int>(kMeterHistory) - 1;
  MeterSlots slots(2);
  MeterChannelsReader reader;
  std::array<MeterWindow, 2> w;
  std::uint64_t missed = 0;
  for (int n = 0; n < 100; ++n) publish(slots, 1, n);
  for (int n = 0; n < 110; ++n) publish(slots, 0, n);  // ten ahead: its oldest are the oldest that both have
  REQUIRE(reader.fold(slots, w, missed));
  CHECK(missed == 110 - kKept);
  CHECK(w[0].end_frame == 100 * 512);
  CHECK(w[1].end_frame == 100 * 512);
  // So far ahead that none of them is left: nothing is told, all are counted.
  for (int n = 110; n < 100 + 2 * kKept; ++n) publish(slots, 0, n);
  for (int n = 100; n < 120; ++n) publish(slots, 1, n);
  missed = 0;
  CHECK_FALSE(reader.fold(slots, w, missed));
  CHECK(missed == 20);
  for (int n = 120; n < 100 + 2 * kKept; ++n) publish(slots, 1, n);
  REQUIRE(reader.fold(slots, w, missed));
  CHECK(w[0].end_frame == w[1].end_frame);
  CHECK(missed == 20 + 2 * kKept - 20 - kKept);
}

TEST_CASE("more or fewer places than channels: what there is is filled, and no more") {
  MeterSlots slots(2);
  for (std::size_t c = 0; c < 2; ++c) publish(slots, c, 3);
  MeterChannelsReader reader;
  std::array<MeterWindow, 3> w;
  w[2].peak = 9.0f;
  std::uint64_t missed = 0;
  REQUIRE(reader.fold(slots, w, missed));
  CHECK(w[0].peak == 3.0f);
  CHECK(w[2].peak == 9.0f);
  MeterChannelsReader other;
  REQUIRE(other.fold(slots, std::span(w).first(1), missed));
}
