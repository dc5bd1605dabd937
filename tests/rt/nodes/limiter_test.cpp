#include "rt/nodes/limiter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "rt/dsp/lookahead_gain.hpp"
#include "tests/support/poison.hpp"
#include "tests/support/processor_rig.hpp"

namespace {

using namespace continuo;
using test::Channels;
using test::Rig;

constexpr std::uint32_t kLookahead = 240;

test::ProcessorRun limiter(
    std::vector<double> params, std::uint32_t lookahead = kLookahead, std::function<void(Rig&)> commands = [](Rig&) {},
    std::size_t channels = 1) {
  return {.build =
              [=](Rig& rig, test::PlanBuilder& b, std::vector<std::size_t> in) {
                auto& node = rig.adopt(
                    std::unique_ptr<rt::Node>(rt::make_limiter(1, static_cast<std::uint32_t>(channels), lookahead)),
                    params);
                return b.node(node, in, channels);
              },
          .commands = std::move(commands),
          .outs = channels};
}

/// The largest sample of 16 times as many, by a sinc of 128 samples under Blackman's window, in double.
double true_peak(const std::vector<float>& x) {
  constexpr int kFactor = 16, kHalf = 64;
  static const std::vector<double> taps = [] {
    std::vector<double> h;
    for (int p = 0; p < kFactor; ++p)
      for (int m = -kHalf + 1; m <= kHalf; ++m) {
        const double t = m - static_cast<double>(p) / kFactor, u = std::numbers::pi * t;
        const double window = 0.42 + 0.5 * std::cos(u / kHalf) + 0.08 * std::cos(2.0 * u / kHalf);
        h.push_back((t == 0.0 ? 1.0 : std::sin(u) / u) * std::max(window, 0.0));
      }
    return h;
  }();
  std::vector<double> padded(x.size() + 2 * kHalf, 0.0);
  std::copy(x.begin(), x.end(), padded.begin() + kHalf);
  double most = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i)
    for (int p = 0; p < kFactor; ++p) {
      double sum = 0.0;
      for (int k = 0; k < 2 * kHalf; ++k)
        sum += taps[static_cast<std::size_t>(p * 2 * kHalf + k)] * padded[i + static_cast<std::size_t>(k) + 1];
      most = std::max(most, std::abs(sum));
    }
  return most;
}

std::vector<float> clicks(std::size_t frames, double level) {
  std::vector<float> result(frames, 0.0f);
  for (std::size_t i = 40; i < frames; i += 37 + i % 211) {
    result[i] = static_cast<float>(level * test::probe(static_cast<std::int64_t>(i)));
    if (i % 3 == 0 && i + 1 < frames) result[i + 1] = result[i];  // its peak lies between
  }
  return result;
}
std::vector<float> square(std::size_t frames, double turns_per_frame, double level) {
  std::vector<float> result = test::sine(frames, turns_per_frame, 1.0, 0.01);
  for (float& x : result) x = static_cast<float>(x < 0.0f ? -level : level);
  return result;
}
/// Noise that comes and goes in bursts: the gain moves all the time.
std::vector<float> bursts(std::size_t frames, double level) {
  std::vector<float> result = test::noise(frames, level);
  for (std::size_t i = 0; i < frames; ++i) result[i] *= i / 700 % 3 == 0 ? 1.0f : 0.05f;
  return result;
}

std::vector<float> late(const std::vector<float>& x, std::uint32_t lookahead) {
  std::vector<float> result(rt::limiter_latency_frames(lookahead), 0.0f);
  result.insert(result.end(), x.begin(), x.end());
  result.resize(x.size());
  return result;
}

}  // namespace

TEST_CASE("limiter: the gain against the smallest requirement, frame by frame") {
  // The mean of what is held, by its definition; without release.
  for (const std::uint32_t smooth : {1u, 2u, 7u, 64u})
    for (const std::uint32_t more : {0u, 1u, 17u}) {
      const std::uint32_t hold = smooth + more;
      rt::dsp::LookaheadGain gain(smooth, hold);
      std::vector<double> required, held;
      for (std::int64_t i = 0; i < 3000; ++i) {
        const float x = std::abs(test::probe(i / 3));
        required.push_back(i / 100 % 3 == 2 ? 1.0 : double{x});
        const double now = gain.next(static_cast<float>(required.back()), 1.0);
        const auto size = static_cast<std::int64_t>(required.size());
        held.push_back(*std::min_element(required.begin() + std::max<std::int64_t>(size - hold, 0), required.end()));
        double sum = 0.0;
        for (std::int64_t k = size - smooth; k < size; ++k) sum += k < 0 ? 1.0 : held[static_cast<std::size_t>(k)];
        REQUIRE(std::abs(now - sum / smooth) < 1e-6);
        // Whatever was required from hold - smooth frames ago on, and at least smooth - 1 frames ago.
        for (std::int64_t k = std::max<std::int64_t>(size - 1 - more, 0) - (smooth - 1); k <= size - smooth; ++k)
          if (k >= 0) REQUIRE(now <= required[static_cast<std::size_t>(k)] + 1e-6);
      }
    }
}

TEST_CASE("limiter: the gain does not drift, and is exactly 1 when nothing is required any more") {
  rt::dsp::LookaheadGain gain(241, 300);
  for (std::int64_t i = 0; i < 3'000'000; ++i) (void)gain.next(std::abs(test::probe(i)), 0.01);
  float last = 0.0f;
  for (int i = 0; i < 5000; ++i) last = gain.next(1.0f, 0.01);
  CHECK(last == 1.0f);
}

TEST_CASE("limiter: the true peak is never more than 0.1 dB above the ceiling") {
  constexpr std::size_t kFrames = 12000;
  struct Signal {
    std::string name;
    std::vector<float> samples;
  };
  std::vector<Signal> signals = {{"noise", test::noise(kFrames, 1.0)},
                                 {"loud noise", test::noise(kFrames, 8.0, 3)},
                                 {"bursts", bursts(kFrames, 2.0)},
                                 {"clicks", clicks(kFrames, 6.0)},
                                 {"square", square(kFrames, 997.0 / 48000.0, 1.0)},
                                 {"fast square", square(kFrames, 0.173, 1.0)},
                                 {"quarter, between the samples", test::sine(kFrames, 0.25, 1.4, 0.125)},
                                 {"near a quarter", test::sine(kFrames, 0.2503, 1.0, 0.125)},
                                 {"near a third", test::sine(kFrames, 0.3331, 1.0)},
                                 {"high", test::sine(kFrames, 0.41, 1.0)},
                                 {"low", test::sine(kFrames, 50.0 / 48000.0, 2.0)}};
  for (const Signal& signal : signals)
    for (const std::uint32_t lookahead : {4u, 24u, 240u, 960u})
      for (const double release_ms : {1.0, 100.0})
        for (const double ceiling_db : {-1.0, -12.0}) {
          CAPTURE(signal.name);
          CAPTURE(lookahead);
          CAPTURE(release_ms);
          CAPTURE(ceiling_db);
          std::vector<float> in = signal.samples;
          in.resize(kFrames + 2000, 0.0f);  // all of it comes out
          const Channels out = test::run_once(limiter({ceiling_db, release_ms, 0.0}, lookahead), {in}, {512});
          const double over = test::to_db(true_peak(out[0])) - ceiling_db;
          CHECK(over <= 0.1);
        }
}

TEST_CASE("limiter: the static curve: as it came below the ceiling, at the ceiling above") {
  for (const double ceiling_db : {-30.0, -9.0, -1.0, 0.0})
    for (double level = -40.0; level <= 12.0; level += 2.3) {
      const auto in = test::sine(9600, 997.0 / 48000.0, test::from_db(level));
      const Channels out = test::run_once(limiter({ceiling_db, 50.0, 0.0}), {in}, {512});
      double most = 0.0;
      for (std::size_t i = 4800; i < 9600; ++i) most = std::max(most, std::abs(double{out[0][i]}));
      CAPTURE(ceiling_db);
      CAPTURE(level);
      CHECK(std::abs(test::to_db(most) - std::min(level, ceiling_db)) < 0.1);
    }
}

TEST_CASE("limiter: what lies below the ceiling comes out late by exactly its latency, bit for bit") {
  for (const std::uint32_t lookahead : {1u, 2u, 24u, 240u, 960u}) {
    const auto in = test::noise(4000, 0.2);
    const Channels out = test::run_everywhere(limiter({-1.0, 50.0, 0.0}, lookahead), {in});
    CHECK(test::same_bits(out, {late(in, lookahead)}));
  }
}

TEST_CASE("limiter: after a loud stretch the very bits come back") {
  auto in = test::noise(20000, 0.2);
  for (std::size_t i = 500; i < 1500; ++i) in[i] *= 20.0f;
  const Channels out = test::run_once(limiter({-1.0, 5.0, 0.0}), {in}, {512});
  const auto expected = late(in, kLookahead);
  for (std::size_t i = 10000; i < in.size(); ++i) REQUIRE(out[0][i] == expected[i]);
}

TEST_CASE("limiter: bypass lets every bit pass, as late as before, and ramps") {
  const auto in = test::noise(4000, 3.0);
  CHECK(test::same_bits(test::run_everywhere(limiter({-12.0, 50.0, 1.0}), {in}), {late(in, kLookahead)}));
  const auto flat = test::constant(5000, 1.0);
  const auto commands = [](Rig& rig) { rig.set(1, rt::LimiterParam::bypass, 1.0, 3001, 500); };
  const Channels out = test::run_everywhere(limiter({-12.0, 50.0, 0.0}, kLookahead, commands), {flat});
  const double low = out[0][3000];
  for (std::size_t i = 3000; i < 5000; ++i) {
    const double bypass = std::clamp((static_cast<double>(i) - 3001.0) / 500.0, 0.0, 1.0);
    REQUIRE(std::abs(out[0][i] - (low + bypass * (1.0 - low))) < 1e-3);
  }
}

TEST_CASE("limiter: the gain falls in a line over the lookahead and comes back in the release time") {
  for (const std::uint32_t lookahead : {96u, 240u}) {
    std::vector<float> in = test::constant(30000, 1e-3);
    for (std::size_t i = 4000; i < 4400; ++i) in[i] = 1.0f;
    const Channels out = test::run_once(limiter({-12.0, 100.0, 0.0}, lookahead), {in}, {64});
    const auto expected = late(in, lookahead);
    const std::size_t loud = 4000 + rt::limiter_latency_frames(lookahead);
    const auto gain = [&](std::size_t i) { return double{out[0][i]} / double{expected[i]}; };
    const double low = gain(loud + 200);
    CHECK(std::abs(test::to_db(low) + 12.0) < 1.5);  // the edges reach higher than the samples
    std::size_t begin = loud;
    while (gain(begin - 1) < 0.9999) --begin;
    std::size_t most = begin;
    while (gain(most) > 1.0 - 0.6321 * (1.0 - low)) ++most;
    CHECK(std::abs(static_cast<double>(most - begin) / (0.6321 * lookahead) - 1.0) < 0.05 + 2.0 / lookahead);
    std::size_t end = loud + 400;
    while (gain(end) <= low * 1.0001) ++end;
    std::size_t back = end;
    while (gain(back) < low + 0.6321 * (1.0 - low)) ++back;
    CHECK(std::abs(static_cast<double>(back - end) / 4800.0 - 1.0) < 0.05);
  }
}

TEST_CASE("limiter: channels share one gain") {
  const auto loud = test::noise(4000, 2.0);
  auto soft = loud;
  for (float& x : soft) x *= -0x1p-7f;
  const Channels out = test::run_everywhere(limiter({-6.0, 5.0, 0.0}, 96, [](Rig&) {}, 3), {soft, loud, soft});
  for (std::size_t i = 0; i < loud.size(); ++i) {
    REQUIRE(out[0][i] == out[1][i] * -0x1p-7f);
    REQUIRE(out[2][i] == out[0][i]);
  }
}

TEST_CASE("limiter: the same bits for every buffer pattern and CPU level, while everything ramps") {
  const auto in = test::noise(5000, 2.0);
  const auto commands = [](Rig& rig) {
    rig.set(1, rt::LimiterParam::ceiling_db, -20.0, 133, 2000);
    rig.set(1, rt::LimiterParam::release_ms, 5.0, 700, 1000);
    rig.set(1, rt::LimiterParam::bypass, 0.5, 1500, 900);
    rig.set(1, rt::LimiterParam::ceiling_db, -3.0, 3333);
  };
  const Channels out = test::run_everywhere(limiter({-1.0, 100.0, 0.0}, 96, commands), {in});
  CHECK_FALSE(test::same_bits(out, {late(in, 96)}));
}

TEST_CASE("limiter: members of a step give the bits they give alone") {
  test::check_batches(
      [](Rig& rig, std::size_t k, std::size_t width) -> rt::Node& {
        const auto lookahead = 24 + 10 * static_cast<std::uint32_t>(k);
        return rig.adopt(
            std::unique_ptr<rt::Node>(rt::make_limiter(k + 1, static_cast<std::uint32_t>(width), lookahead)),
            {-6.0 - static_cast<double>(k), 5.0, 0.0});
      },
      [](Rig& rig, std::uint32_t slot, std::size_t k) {
        rig.set(slot, rt::LimiterParam::ceiling_db, -30.0, 200 + 7 * static_cast<rt::FrameCount>(k), 300);
      });
}

TEST_CASE("limiter: what is not a number is silence, and the ceiling holds behind it") {
  auto in = test::noise(12000, 2.0);
  std::fill(in.begin() + 1101, in.begin() + 1300, 0.0f);
  std::fill(in.begin() + 11000, in.end(), 0.0f);
  const Channels out = test::run_everywhere(
      test::poisoned(limiter({-6.0, 5.0, 0.0}, 96), {{1000, 1001, test::kNan}, {1100, 1101, -test::kInfinity}}), {in});
  REQUIRE(out[0][1000 + rt::limiter_latency_frames(96)] == 0.0f);
  const std::size_t behind = 1101 + rt::limiter_latency_frames(96);
  for (std::size_t i = behind; i < in.size(); ++i) REQUIRE(std::isfinite(out[0][i]));
  const std::vector<float> rest(out[0].begin() + static_cast<long>(behind), out[0].end());
  CHECK(test::to_db(true_peak(rest)) - -6.0 <= 0.1);
  CHECK(*std::max_element(rest.begin() + 4000, rest.end()) > 0.3f);
}
