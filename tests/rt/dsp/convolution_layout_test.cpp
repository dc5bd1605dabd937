// How a convolution is laid out: its channels, its partitions, its load and its memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/rt/dsp/convolution_rig.hpp"

namespace {

using namespace continuo::rt;
using namespace continuo::rt::dsp;
using namespace continuo::test::convolution;

}  // namespace

TEST_CASE("convolution: which channels meet") {
  const Channels x = noises(2, 20000, 30), h = noises(4, 9000, 40);
  const auto plan = ConvolutionPlan::make(0, 9000);
  const auto one = impulse_of(plan, {h[0]}), two = impulse_of(plan, {h[0], h[1]}), four = impulse_of(plan, h);
  // By the sum of single convolutions, each with a convolver of its own.
  const auto alone = [&](const std::vector<float>& in, const std::vector<float>& response) {
    const auto impulse = impulse_of(plan, {response});
    Convolver convolver(*impulse, 1, 1);
    return run(convolver, {in}, in.size(), 64)[0];
  };
  const std::vector<float> x0h0 = alone(x[0], h[0]), x1h0 = alone(x[1], h[0]), x1h1 = alone(x[1], h[1]),
                           x0h1 = alone(x[0], h[1]);

  SUBCASE("one for all") {
    Convolver convolver(*one, 2, 2);
    CHECK(run(convolver, x, 20000, 64) == Channels{x0h0, x1h0});
  }
  SUBCASE("each with its own") {
    Convolver convolver(*two, 2, 2);
    CHECK(run(convolver, x, 20000, 64) == Channels{x0h0, x1h1});
  }
  SUBCASE("one input to all") {
    Convolver convolver(*two, 1, 2);
    CHECK(run(convolver, {x[0]}, 20000, 64) == Channels{x0h0, x0h1});
  }
  SUBCASE("true stereo: LL, LR, RL, RR") {
    Convolver convolver(*four, 2, 2);
    const Channels out = run(convolver, x, 20000, 64);
    for (std::size_t c = 0; c < 2; ++c) {
      double peak = 0, error = 0;
      for (std::size_t n = 0; n < 20000; n += 37) {
        const double truth = direct(x[0], h[c], n) + direct(x[1], h[2 + c], n);
        peak = std::max(peak, std::abs(truth));
        error = std::max(error, std::abs(truth - out[c][n]));
      }
      CHECK(20 * std::log10(error / peak) < -120.0);
    }
  }
  SUBCASE("what means nothing is refused") {
    CHECK(Convolver::accepts(1, 2, 2));
    CHECK(Convolver::accepts(4, 2, 2));
    CHECK(Convolver::accepts(1, 1, 1));
    CHECK_FALSE(Convolver::accepts(2, 1, 1));
    CHECK(Convolver::accepts(4, 1, 4));
    CHECK_FALSE(Convolver::accepts(1, 1, 4));
    CHECK(Convolver::accepts(1, 8, 8));
    CHECK_FALSE(Convolver::accepts(4, 8, 8));
    CHECK_FALSE(Convolver::accepts(2, 2, 3));
    CHECK_FALSE(Convolver::accepts(1, 2, 3));
    CHECK_FALSE(Convolver::accepts(1, 0, 0));
    CHECK_FALSE(Convolver::accepts(1, 9, 9));
  }
  SUBCASE("in place") {
    Convolver apart(*four, 2, 2), together(*four, 2, 2);
    const Channels expected = run(apart, x, 5000, 64);
    Channels both{std::vector<float>(x[0].begin(), x[0].begin() + 5000),
                  std::vector<float>(x[1].begin(), x[1].begin() + 5000)};
    const FloatMode mode;
    const float* in[2] = {both[0].data(), both[1].data()};
    float* out[2] = {both[0].data(), both[1].data()};
    for (std::uint32_t at = 0; at < 5000; at += 100) together.process({in, 2}, {out, 2}, at, 100);
    CHECK(both == expected);
  }
}

TEST_CASE("convolution: settings and data out of range") {
  for (const std::uint32_t latency : {1u, 32u, 63u, 65u, 96u, 32768u})
    CHECK_FALSE(ConvolutionPlan::make(latency, 1000));
  CHECK_FALSE(ConvolutionPlan::make(0, 0));
  CHECK_FALSE(ConvolutionPlan::make(0, ConvolutionPlan::kMostFrames + 1));
  for (const std::uint32_t latency : kLatencies) {
    const auto longest = ConvolutionPlan::make(latency, ConvolutionPlan::kMostFrames);
    REQUIRE(longest);
    CHECK(longest->levels().size() <= ConvolutionPlan::kMostLevels);
    // No gap, no overlap, and in time.
    std::uint32_t end = latency == 0 ? ConvolutionPlan::kHeadTaps : latency;
    for (const ConvolutionLevel& level : longest->levels()) {
      CHECK(level.first == end);
      CHECK((level.first == 2 * level.size || (level.immediate() && level.size == kBlockFrames)));
      end += level.size * level.partitions;
    }
    CHECK(end >= latency + ConvolutionPlan::kMostFrames);
  }
  const auto plan = ConvolutionPlan::make(0, 100);
  std::vector<float> h(101, 0.5f);
  const float* channels[9];
  std::fill(std::begin(channels), std::end(channels), h.data());
  ImpulseFault fault{};
  const auto refused = [&](std::size_t count, std::size_t frames) {
    return Impulse::make(plan, {channels, count}, frames, &fault) == nullptr;
  };
  CHECK(refused(0, 100));
  CHECK(fault == ImpulseFault::no_channels);
  CHECK(refused(9, 100));
  CHECK(fault == ImpulseFault::too_many_channels);
  CHECK(refused(1, 0));
  CHECK(fault == ImpulseFault::empty);
  CHECK(refused(1, 101));
  CHECK(fault == ImpulseFault::too_long);
  CHECK_FALSE(refused(8, 100));
  CHECK(fault == ImpulseFault::none);
  h[99] = std::numeric_limits<float>::infinity();
  CHECK(refused(1, 100));
  CHECK(fault == ImpulseFault::not_finite);
  CHECK_FALSE(refused(1, 99));
}

TEST_CASE("convolution: each 64 frames do nearly the same work, in every layout") {
  for (const std::uint32_t latency : kLatencies) {
    const auto plan = ConvolutionPlan::make(latency, 144000);
    const auto impulse = impulse_of(plan, noises(2, 144000, 80));
    Convolver convolver(*impulse, 2, 2);
    const Channels x = noises(2, 64, 81);
    const FloatMode mode;
    float sound[2][64];
    const float* in[2] = {x[0].data(), x[1].data()};
    float* out[2] = {sound[0], sound[1]};
    std::uint64_t most = 0;
    constexpr std::uint32_t kCalls = 4096, kFirst = 1024;
    std::uint64_t start = 0;
    for (std::uint32_t n = 0; n < kFirst + kCalls; ++n) {
      const std::uint64_t before = convolver.work();
      if (n == kFirst) start = before;
      convolver.process({in, 2}, {out, 2}, 0, 64);
      if (n >= kFirst) most = std::max(most, convolver.work() - before);
    }
    const double mean = static_cast<double>(convolver.work() - start) / kCalls;
    CAPTURE(latency);
    CAPTURE(mean);
    CHECK(static_cast<double>(most) < 1.3 * mean);
  }
}

TEST_CASE("convolution: memory is what the header says") {
  const auto plan = ConvolutionPlan::make(0, 1920000);  // 10 s at 192 kHz
  const Channels h = noises(2, 1920000, 90);
  const auto impulse = impulse_of(plan, h);
  CHECK(impulse->bytes() >= 8u * 2 * (1920000 - 64));
  CHECK(impulse->bytes() < 8u * 2 * 1920000 * 102 / 100);
  const Convolver convolver(*impulse, 2, 2);
  CHECK(convolver.bytes() < 8u * 2 * 1920000 * 105 / 100);
}

TEST_CASE("convolution: from silence, what begins at a frame of the clock is the same whatever came before") {
  for (const std::uint32_t latency : {0u, 256u, 16384u}) {
    CAPTURE(latency);
    const std::uint32_t length = 21'000;
    const auto impulse = impulse_of(ConvolutionPlan::make(latency, length), {noise(length, 3)});
    const std::vector<float> burst = noise(60'000, 4);
    for (const FrameCount clock : {FrameCount{0}, FrameCount{1}, FrameCount{12'345}, FrameCount{-777}}) {
      CAPTURE(clock);
      Convolver fresh(*impulse, 1, 1);
      fresh.anchor(clock);
      const Channels expected = run(fresh, {burst}, burst.size(), 64);

      Convolver used(*impulse, 1, 1);  // other sound, ended at any place, then silence
      std::vector<float> before = noise(30'011, 5);
      run(used, {before}, before.size(), 0);
      used.anchor(clock);  // too early: the sound is remembered, and goes on as it would have
      Convolver left_alone(*impulse, 1, 1);
      run(left_alone, {before}, before.size(), 0);
      const std::vector<float> silence(7 * 16384 + 2 * length, 0.0f);
      CHECK(run(used, {silence}, silence.size(), 0) == run(left_alone, {silence}, silence.size(), 64));
      used.anchor(clock);
      CHECK(run(used, {burst}, burst.size(), 0) == expected);
    }
  }
}

TEST_CASE("convolution: no sound is forgotten by an anchor, however late it comes") {
  const std::uint32_t length = 9'000;
  for (const std::uint32_t latency : {0u, 1024u}) {
    CAPTURE(latency);
    const auto impulse = impulse_of(ConvolutionPlan::make(latency, length), {noise(length, 6)});
    std::vector<float> click(length + latency + 20'000, 0.0f);
    click[5] = 1.0f;
    Convolver alone(*impulse, 1, 1), anchored(*impulse, 1, 1);
    const Channels expected = run(alone, {click}, click.size(), 64);
    std::vector<float> out;
    for (std::size_t done = 0; done < click.size(); done += 100) {  // the clock jumps about all the time
      anchored.anchor(static_cast<FrameCount>(done * 7919));
      const std::vector<float> part(click.begin() + static_cast<std::ptrdiff_t>(done),
                                    click.begin() + static_cast<std::ptrdiff_t>(std::min(done + 100, click.size())));
      const Channels got = run(anchored, {part}, part.size(), 0);
      out.insert(out.end(), got[0].begin(), got[0].end());
    }
    double worst = 0.0;  // the very first anchor moved the grid
    for (std::size_t i = 0; i < out.size(); ++i) worst = std::max<double>(worst, std::abs(out[i] - expected[0][i]));
    CHECK(worst < 1e-5);
  }
}
