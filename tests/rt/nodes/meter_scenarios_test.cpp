// What one thread can show of the meters: silence before sound, every bit, every kind of number, no memory kept. The
// other scenarios need several: tests/stress/meter_*_test.cpp.
#include <doctest/doctest.h>
#include <malloc.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "rt/nodes/meter_tap.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using rt::MeterWindow;
using test::Rig;
using Limits = std::numeric_limits<float>;

/// Of every class of number a few: both signs, quiet and signalling NaNs with a payload.
std::vector<std::uint32_t> patterns() {
  std::vector<std::uint32_t> all;
  for (const std::uint32_t magnitude : {0x00000000u, 0x00000001u, 0x00400000u, 0x007fffffu, 0x00800000u, 0x00800001u,
                                        0x3f7fffffu, 0x3f800000u, 0x3f800001u, 0x4b800001u, 0x7f7ffffeu, 0x7f7fffffu,
                                        0x7f800000u, 0x7f800001u, 0x7fbfffffu, 0x7fc00000u, 0x7fc12345u, 0x7fffffffu}) {
    all.push_back(magnitude);
    all.push_back(magnitude | 0x80000000u);
  }
  for (std::uint32_t i = 0; i < 4096; ++i) all.push_back(i * 0x9e3779b9u);
  return all;
}

std::uint32_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }

/// A meter of one channel on a channel that nobody writes: what it holds is what the meter sees, unlike what comes from
/// the device, which is cleaned.
struct BareMeter {
  Rig rig{0};
  rt::MeterTapNode& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 1));
  rt::MeterLook look{meter.slots};
  float* sound = nullptr;

  BareMeter() {
    test::PlanBuilder b;
    b.node(meter, b.channels(1), 0);
    auto plan = b.build();
    sound = plan->slab.get();
    rig.send(std::move(plan), {});
  }
  /// The window over as much of `x`, after one of silence.
  MeterWindow of(float x, std::size_t samples = rt::kSpanFrames) {
    std::fill_n(sound, rt::kSpanFrames, 0.0f);
    rig.run(rt::kMeterWindowFrames, {256});
    std::fill_n(sound, samples, x);
    rig.run(rt::kMeterWindowFrames, {256});
    MeterWindow w;
    rt::MeterSlot& slot = (*meter.slots)[0];
    REQUIRE(slot.try_read(slot.published() - 1, w));
    return w;
  }
};

std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

TEST_CASE("meter scenario 1: levels can be asked for at once, and there is none before the first window") {
  Rig rig(0);
  auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 4));
  const rt::MeterLook look(meter.slots);
  const rt::MeterListen listen(meter.slots, 4096);
  const auto nothing_yet = [&] {
    for (const rt::MeterSlot& slot : *meter.slots) {
      MeterWindow w{.end_frame = 77, .peak = 0.25f, .mean_square = 0.5f};
      CHECK(slot.published() == 0);
      CHECK_FALSE(slot.try_read(0, w));
      CHECK_FALSE(slot.try_read(~std::uint64_t{0}, w));
      CHECK(w.end_frame == 77);  // what was not read is not written
      CHECK(w.peak == 0.25f);
      rt::MeterReader reader;
      std::uint64_t missed = 0;
      CHECK_FALSE(reader.fold(slot, w, missed));
      CHECK(missed == 0);
      CHECK(w.peak == 0.0f);  // no level: silence, for who does not ask whether there is one
      CHECK(w.mean_square == 0.0f);
      CHECK(reader.next == 0);
    }
  };
  nothing_yet();  // no plan has it yet
  test::PlanBuilder b;
  const auto c = b.channels(1);
  b.node(meter, {c[0], c[0], c[0], c[0]}, 0);
  rig.send(b.build(), {});
  nothing_yet();
  rig.run(rt::kMeterWindowFrames - 1, {100});
  nothing_yet();  // a window that is under way is none
  rig.run(1);
  for (const rt::MeterSlot& slot : *meter.slots) CHECK(slot.published() == 1);
}

TEST_CASE("meter scenario 3: every class of number goes through a slot and a feed bit by bit") {
  const std::vector<std::uint32_t> all = patterns();
  rt::MeterSlot slot;
  rt::MeterFeed feed(2, 256);
  std::array<float, 2> samples{};
  std::array<float, 2 * rt::kBlockFrames> got{};
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::uint32_t a = all[i], b = all[all.size() - 1 - i];
    const rt::FrameCount frame =
        i % 3 == 0 ? std::numeric_limits<rt::FrameCount>::max() - static_cast<int>(i) : static_cast<rt::FrameCount>(i);
    slot.publish({.end_frame = frame, .peak = std::bit_cast<float>(a), .mean_square = std::bit_cast<float>(b)});
    MeterWindow w;
    REQUIRE(slot.try_read(i, w));
    wrong += bits(w.peak) != a || bits(w.mean_square) != b || w.end_frame != frame;
    samples = {std::bit_cast<float>(a), std::bit_cast<float>(b)};
    feed.push(frame, 1, [&](std::uint32_t channel) noexcept { return &samples[channel]; });
    rt::MeterFeed::Piece piece;
    REQUIRE(feed.try_pop(piece, got));
    wrong += bits(got[0]) != a || bits(got[1]) != b || piece.first_frame != frame || piece.lost != 0;
  }
  CHECK(wrong == 0);
}

TEST_CASE("meter scenario 4 and 5: no read changes a bit of what the next reader sees") {
  rt::MeterSlot slot;
  for (int n = 0; n < 100; ++n) slot.publish({n, static_cast<float>(n), 1.0f});
  std::array<unsigned char, sizeof slot> before{}, after{};
  std::memcpy(before.data(), &slot, sizeof slot);
  std::uint64_t missed = 0;
  MeterWindow w;
  for (int i = 0; i < 50; ++i) {
    rt::MeterReader reader{static_cast<std::uint64_t>(i * 3)};
    static_cast<void>(reader.fold(slot, w, missed));
    static_cast<void>(slot.try_read(static_cast<std::uint64_t>(i * 3), w));
  }
  std::memcpy(after.data(), &slot, sizeof slot);
  CHECK(before == after);
}

TEST_CASE("meter scenario 11: silence, full scale, subnormal, infinity and NaN through the node") {
  BareMeter bare;
  const float subnormal = std::bit_cast<float>(0x007fffffu);
  for (const std::size_t samples : {std::size_t{1}, std::size_t{7}, std::size_t{rt::kSpanFrames}}) {
    CAPTURE(samples);
    const float part = static_cast<float>(samples) / static_cast<float>(rt::kSpanFrames);  // two spans a window
    for (const float sign : {1.0f, -1.0f}) {
      CHECK(bare.of(sign * 0.0f, samples).peak == 0.0f);
      CHECK(bare.of(sign * 0.0f, samples).mean_square == 0.0f);
      CHECK(bare.of(sign * 1.0f, samples).peak == 1.0f);
      CHECK(bare.of(sign * 1.0f, samples).mean_square == part);
      CHECK(bare.of(sign * subnormal, samples).peak <= subnormal);  // the audio thread flushes them
      CHECK(bare.of(sign * subnormal, samples).mean_square == 0.0f);
      CHECK(bare.of(sign * Limits::min(), samples).peak == Limits::min());
      CHECK(bare.of(sign * Limits::min(), samples).mean_square == 0.0f);
      CHECK(bare.of(sign * Limits::max(), samples).peak == Limits::max());
      CHECK(bare.of(sign * Limits::infinity(), samples).peak == Limits::max());
      for (const float huge : {Limits::max(), Limits::infinity(), Limits::quiet_NaN(), Limits::signaling_NaN()}) {
        const MeterWindow w = bare.of(sign * huge, samples);
        CHECK(w.peak <= Limits::max());
        CHECK(w.mean_square <= Limits::max());
        CHECK(w.mean_square >= 1e30f);  // nobody takes it for silence
      }
    }
  }
  CHECK(bare.of(0.5f).peak == 0.5f);  // and the next window is as if nothing had been
  CHECK(bare.of(0.5f).mean_square == 0.25f);
}

// Sanitizers have an allocator of their own, of which mallinfo2() knows nothing; they look for leaks at the end.
TEST_CASE("meter scenario 12: meters, looks, listeners and readers come and go, and no memory is kept") {
  std::array<float, rt::kBlockFrames> sound{};
  std::vector<float> samples(4 * rt::kBlockFrames);
  const auto go = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      std::weak_ptr<rt::MeterSlots> slots;
      std::optional<rt::MeterLook> look;
      {
        auto node = std::make_unique<rt::MeterTapNode>(1, 4);
        slots = node->slots;
        look.emplace(node->slots);
        for (int turn = 0; turn < 3; ++turn) {
          const rt::MeterListen listen(node->slots, 4096);
          listen.feed().push(0, rt::kBlockFrames, [&](std::uint32_t) noexcept { return sound.data(); });
          rt::MeterFeed::Piece piece;
          REQUIRE(listen.feed().try_pop(piece, samples));
        }
      }
      REQUIRE_FALSE(slots.expired());  // who looks keeps them
      look.reset();
      REQUIRE(slots.expired());
    }
  };
  go(100);
  const std::size_t before = bytes_in_use();
  go(5000);
  CHECK(bytes_in_use() <= before + 1024);
  // A look alone, and what it reads, keeps nothing at all.
  const auto slots = std::make_shared<rt::MeterSlots>(2);
  (*slots)[0].publish({512, 1.0f, 1.0f});
  const std::size_t alone = bytes_in_use();
  std::uint64_t missed = 0;
  for (int i = 0; i < 10000; ++i) {
    const rt::MeterLook look(slots);
    rt::MeterReader reader;
    MeterWindow w;
    REQUIRE(reader.fold((*slots)[0], w, missed));
  }
  CHECK(bytes_in_use() == alone);
  CHECK(slots.use_count() == 1);
  CHECK_FALSE(slots->looked_at());
}
