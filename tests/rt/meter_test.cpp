#include "rt/meter.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/dsp/level.hpp"

using namespace continuo::rt;

namespace {
void publish(MeterSlot& slot, int n) {
  slot.publish({.end_frame = (n + 1) * 512, .peak = static_cast<float>(n % 100), .mean_square = static_cast<float>(n)});
}
}  // namespace

TEST_CASE("a slot remembers its last windows, and says so when one is gone") {
  MeterSlot slot;
  MeterWindow w;
  CHECK_FALSE(slot.try_read(0, w));
  for (int i = 0; i < 200; ++i) publish(slot, i);
  CHECK(slot.published() == 200);
  CHECK_FALSE(slot.try_read(200, w));
  CHECK_FALSE(slot.try_read(200 - kMeterHistory, w));
  for (std::uint64_t n = 200 - kMeterHistory + 1; n < 200; ++n) {
    REQUIRE(slot.try_read(n, w));
    CHECK(w.mean_square == static_cast<float>(n));
    CHECK(w.end_frame == static_cast<FrameCount>(n + 1) * 512);
  }
}

TEST_CASE("every reader folds the maxima since its own last read, and no read changes anything") {
  MeterSlot slot;
  MeterReader fast, slow;
  std::uint64_t missed = 0;
  MeterWindow w;
  CHECK_FALSE(fast.fold(slot, w, missed));
  for (int i = 0; i < 10; ++i) {
    publish(slot, i);
    REQUIRE(fast.fold(slot, w, missed));
    CHECK(w.peak == static_cast<float>(i));
  }
  CHECK_FALSE(fast.fold(slot, w, missed));
  REQUIRE(slow.fold(slot, w, missed));
  CHECK(w.peak == 9.0f);
  CHECK(w.mean_square == doctest::Approx(4.5));
  CHECK(w.end_frame == 10 * 512);
  CHECK(missed == 0);
}

TEST_CASE("a reader that comes too late is told how many windows it missed, and sees the rest") {
  MeterSlot slot;
  MeterReader reader;
  std::uint64_t missed = 0;
  MeterWindow w;
  for (int i = 0; i < 150; ++i) publish(slot, i);
  REQUIRE(reader.fold(slot, w, missed));
  CHECK(missed == 150 - (kMeterHistory - 1));
  CHECK(w.peak == 99.0f);
  CHECK(w.end_frame == 150 * 512);
}

TEST_CASE("levels are those of the samples, and the same however the run is cut") {
  std::vector<float> x(512);
  double power = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    power += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  }
  std::vector<float> totals;
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4}) {
    const dsp::Kernels& k = dsp::kernels_of(level);
    dsp::LevelSum whole;
    whole.add(k, x.data(), 1024, 512);
    CHECK(static_cast<double>(whole.total()) == doctest::Approx(power).epsilon(1e-6));
    totals.push_back(whole.total());
    for (const std::uint32_t cut : {1u, 7u, 8u, 63u, 64u, 65u}) {
      dsp::LevelSum parts;
      for (std::uint32_t i = 0; i < 512; i += cut) parts.add(k, x.data() + i, 1024 + i, std::min(cut, 512 - i));
      CHECK(parts.total() == whole.total());
      CHECK(parts.largest() == whole.largest());
    }
    dsp::LevelSum odd;
    odd.add(k, x.data(), -1021, 512);
    CHECK(static_cast<double>(odd.total()) == doctest::Approx(power).epsilon(1e-6));
    totals.push_back(odd.total());
  }
  for (std::size_t i = 2; i < totals.size(); ++i) CHECK(totals[i] == totals[i % 2]);
}

TEST_CASE("a sound that is no number reads as the greatest level, never as NaN or infinity") {
  for (const float bad : {NAN, INFINITY, -INFINITY, 1e30f}) {
    dsp::LevelSum sum;
    const float x[3] = {0.5f, bad, 0.25f};
    sum.add(dsp::chosen_kernels(), x, 0, 3);
    CHECK(std::isfinite(sum.largest()));
    CHECK(sum.total() == std::numeric_limits<float>::max());
    CHECK(sum.largest() >= 0.5f);
    for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4}) {
      std::vector<float> many(64, -0.5f);
      many[17] = bad;
      dsp::LevelSum of_many;
      of_many.add(dsp::kernels_of(level), many.data(), 0, 64);
      CHECK(of_many.largest() == sum.largest());
      CHECK(of_many.total() == sum.total());
    }
  }
}
