// A meter's channels that are read together while they are written one after the other. Ends come by progress.
#include "rt/meter_channels.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

using namespace continuo;

namespace {

constexpr std::size_t kChannels = 6;
constexpr std::uint64_t kFolds = 300;

/// Every channel's window of that number is the same: whoever reads the same windows reads the same levels.
rt::MeterWindow window(std::uint64_t n) {
  const auto value = static_cast<float>(1 + n * 7919 % 1000);
  return {.end_frame = static_cast<rt::FrameCount>(n + 1) * rt::kMeterWindowFrames,
          .peak = value,
          .mean_square = value / 1024.0f};
}

bool same(const rt::MeterWindow& a, const rt::MeterWindow& b) {
  return a.end_frame == b.end_frame && a.peak == b.peak && a.mean_square == b.mean_square;
}

}  // namespace

TEST_CASE("meter scenario 5 for a meter's channels: read while they are written, they always cover the same windows") {
  rt::MeterSlots slots(kChannels);
  std::atomic<std::uint64_t> unlike{0}, backwards{0}, uncounted{0};
  std::atomic<int> running{0};
  std::vector<std::thread> readers;
  for (int r = 0; r < 4; ++r) {
    running.fetch_add(1);
    readers.emplace_back([&, r] {
      rt::MeterChannelsReader reader;
      std::array<rt::MeterWindow, kChannels> w;
      rt::FrameCount last = 0;
      std::uint64_t missed = 0, seen = 0;
      for (std::uint64_t folds = 0; folds < kFolds;) {
        const std::uint64_t from = reader.next, lost = missed;
        if (!reader.fold(slots, w, missed)) {
          uncounted += missed - lost != reader.next - from;
          std::this_thread::yield();
          continue;
        }
        ++folds;
        for (const rt::MeterWindow& each : w) unlike += !same(each, w[0]);
        backwards += w[0].end_frame <= last;
        last = w[0].end_frame;
        uncounted += missed - lost >= reader.next - from;
        seen += reader.next - from - (missed - lost);
        // Some come often, and some so late that windows are overwritten under their read.
        for (int i = 0; i < 40 * r; ++i) std::this_thread::yield();
      }
      uncounted += seen + missed != reader.next;
      running.fetch_sub(1);
    });
  }
  for (std::uint64_t n = 0; running.load() != 0; ++n) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      slots[c].publish(window(n));
      if (n % 3 == 0) std::this_thread::yield();  // in the middle of a window
    }
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(unlike == 0);
  CHECK(backwards == 0);
  CHECK(uncounted == 0);
}
