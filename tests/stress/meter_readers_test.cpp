// Levels that many threads read while one writes them. Ends come by progress, never by time.
#include <doctest/doctest.h>

#include <atomic>
#include <bit>
#include <memory>
#include <thread>
#include <vector>

#include "rt/nodes/generator.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "tests/support/audio_thread.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using rt::MeterWindow;
using test::Rig;

/// The window of that number: its values rise with it, and each tells the others.
MeterWindow window(std::uint64_t n, std::uint32_t track = 0) {
  const auto step = static_cast<std::uint32_t>(n);
  return {.end_frame = static_cast<rt::FrameCount>(n + 1) * rt::kMeterWindowFrames,
          .peak = std::bit_cast<float>((0x10000000u + (track << 20)) + step),
          .mean_square = std::bit_cast<float>((0x30000000u + (track << 20)) + (step ^ 0x5555u))};
}

bool same(const MeterWindow& a, const MeterWindow& b) {
  return a.end_frame == b.end_frame && std::bit_cast<std::uint32_t>(a.peak) == std::bit_cast<std::uint32_t>(b.peak) &&
         std::bit_cast<std::uint32_t>(a.mean_square) == std::bit_cast<std::uint32_t>(b.mean_square);
}

}  // namespace

TEST_CASE("meter scenarios 2 and 4 to 7: of a hundred readers none sees half a window, an older one, or has to retry") {
  constexpr int kReaders = 100;
  constexpr std::uint64_t kFolds = 40;
  rt::MeterSlot slot;
  std::atomic<std::uint64_t> torn{0}, backwards{0}, refused{0}, uncounted{0};
  std::atomic<int> running{kReaders};
  std::vector<std::thread> readers;
  for (int r = 0; r < kReaders; ++r)
    readers.emplace_back([&] {
      rt::MeterReader reader;
      rt::FrameCount last = 0;
      std::uint64_t missed = 0, folds = 0;
      while (folds < kFolds) {
        const std::uint64_t now = slot.published();
        for (const std::uint64_t back : {1u, 2u, 31u, 62u, 63u}) {
          if (back > now) continue;
          MeterWindow w;
          if (slot.try_read(now - back, w))
            torn += !same(w, window(now - back));
          else  // one answer, no second try: what is refused is gone, or going
            refused += slot.published() - (now - back) < rt::kMeterHistory;
        }
        const std::uint64_t from = reader.next, lost = missed;
        MeterWindow w;
        if (!reader.fold(slot, w, missed)) {
          std::this_thread::yield();
          continue;
        }
        ++folds;
        backwards += w.end_frame <= last;
        last = w.end_frame;
        const auto newest = static_cast<std::uint64_t>(w.end_frame / rt::kMeterWindowFrames) - 1;
        torn += w.peak != window(newest).peak;  // they rise: the greatest is the newest
        uncounted += newest >= reader.next || missed - lost >= reader.next - from;
      }
      running.fetch_sub(1);
    });
  std::uint64_t written = 0;
  while (running.load() != 0) {
    slot.publish(window(written++));
    if (written % 16 == 0) std::this_thread::yield();
  }
  for (std::thread& reader : readers) reader.join();
  CHECK(torn == 0);
  CHECK(backwards == 0);
  CHECK(refused == 0);
  CHECK(uncounted == 0);
  CHECK(slot.published() == written);  // a publish never waits: each is there
}

TEST_CASE("meter scenario 8: 32 tracks of four threads, a reader each: no reader misses a window of its own track") {
  constexpr std::uint32_t kTracks = 32, kWriters = 4;
  constexpr std::uint64_t kWindows = 2000;
  constexpr std::uint64_t kAhead = rt::kMeterHistory - 2;  // as far as a reader may be behind
  rt::MeterSlots slots(kTracks);                           // side by side in memory, as a wide node's are
  std::vector<std::atomic<std::uint64_t>> read(kTracks);
  std::atomic<std::uint64_t> wrong{0}, missed_all{0};
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < kTracks; ++t)
    threads.emplace_back([&, t] {
      rt::MeterReader reader;
      std::uint64_t missed = 0;
      while (reader.next < kWindows) {
        MeterWindow w;
        if (!reader.fold(slots[t], w, missed)) {
          std::this_thread::yield();
          continue;
        }
        wrong += w.peak != window(reader.next - 1, t).peak || w.end_frame != window(reader.next - 1).end_frame;
        read[t].store(reader.next, std::memory_order_release);
      }
      missed_all += missed;
    });
  for (std::uint32_t writer = 0; writer < kWriters; ++writer)
    threads.emplace_back([&, writer] {
      std::vector<std::uint64_t> next(kTracks, 0);
      for (bool busy = true; busy;) {
        busy = false;
        for (std::uint32_t t = writer; t < kTracks; t += kWriters) {
          busy |= next[t] < kWindows;
          while (next[t] < kWindows && next[t] - read[t].load(std::memory_order_acquire) < kAhead) {
            slots[t].publish(window(next[t], t));
            ++next[t];
          }
        }
        std::this_thread::yield();
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(missed_all == 0);
}

TEST_CASE("meter scenario 9: 48 tracks with one sound, over many blocks: whoever compares them finds the same levels") {
  constexpr std::uint32_t kTracks = 48;
  Rig rig(0);
  test::PlanBuilder b;
  const auto sound = b.node(rig.node(rt::noise_kind(), {-6.0}, 9), {}, 1);
  std::vector<std::shared_ptr<rt::MeterSlots>> slots;
  std::vector<rt::MeterLook> looks;
  for (std::uint32_t first = 0; first < kTracks; first += rt::kMaxLanes) {
    std::vector<test::PlanBuilder::Place> places;
    for (std::uint32_t t = 0; t < rt::kMaxLanes; ++t) {
      auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(first + t + 1, 1));
      slots.push_back(meter.slots);
      looks.emplace_back(meter.slots);
      places.push_back({&meter, sound, {}});
    }
    b.batch(places);
  }
  rig.send(b.build(), {});
  std::atomic<std::uint64_t> unlike{0};
  {
    const test::AudioThread audio(rig.renderer);
    std::vector<std::thread> readers;
    for (std::size_t r = 0; r < 3; ++r)
      readers.emplace_back([&, r] {
        std::uint64_t compared = 0, last = 0;
        for (std::size_t i = r; compared < 500; i += 7) {
          const rt::MeterSlot& one = (*slots[i % kTracks])[0];
          const rt::MeterSlot& other = (*slots[(i / 3 + 11) % kTracks])[0];
          const std::uint64_t now = std::min(one.published(), other.published());
          MeterWindow a, c;
          if (now == 0 || now == last || !one.try_read(now - 1, a) || !other.try_read(now - 1, c)) {
            std::this_thread::yield();
            continue;
          }
          last = now;
          ++compared;
          unlike += !same(a, c) || !(a.peak > 0.0f && a.peak <= 1.0f && a.mean_square < a.peak * a.peak) ||
                    a.end_frame != static_cast<rt::FrameCount>(now * rt::kMeterWindowFrames);
        }
      });
    for (std::thread& reader : readers) reader.join();
  }
  CHECK(unlike == 0);
  // At rest all of them tell the same.
  const std::uint64_t now = (*slots[0])[0].published();
  for (const auto& track : slots) {
    REQUIRE((*track)[0].published() == now);
    for (std::uint64_t n = now - rt::kMeterHistory + 1; n < now; ++n) {
      MeterWindow a, c;
      REQUIRE((*slots[0])[0].try_read(n, a));
      REQUIRE((*track)[0].try_read(n, c));
      REQUIRE(same(a, c));
    }
  }
}
