#include "rt/dsp/convolution.hpp"

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

constexpr CpuLevel kLevels[] = {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4};

/// Peak of the error below the peak of the truth, over every `step`th frame, in dB.
double null_db(const std::vector<float>& out, const std::vector<float>& x, const std::vector<float>& h,
               std::size_t latency, std::size_t step) {
  double peak = 0, error = 0;
  for (std::size_t n = 0; n < out.size(); n += step) {
    const double truth = n < latency ? 0.0 : direct(x, h, n - latency);
    peak = std::max(peak, std::abs(truth));
    error = std::max(error, std::abs(truth - out[n]));
  }
  return 20 * std::log10(error / peak);
}

}  // namespace

TEST_CASE("convolution nulls below -120 dB against direct convolution in double, in every layout and length") {
  const std::vector<float> x = noise(110000, 1);
  double worst = -1000;
  for (const std::uint32_t latency : kLatencies) {
    for (const std::size_t length : {1u, 63u, 64u, 65u, 127u, 128u, 1000u, 1024u, 1025u, 48000u}) {
      const std::size_t frames = length + latency + 2 * 16384 + 777;
      const auto plan = ConvolutionPlan::make(latency, static_cast<std::uint32_t>(length));
      REQUIRE(plan);
      CHECK(plan->latency_frames() == latency);
      const Channels h{noise(length, 9)};
      const auto impulse = impulse_of(plan, h);
      Convolver convolver(*impulse, 1, 1);
      const Channels out = run(convolver, {x}, frames, 64);
      const double level = null_db(out[0], x, h[0], latency, length > 2000 ? 211 : 7);
      CAPTURE(latency);
      CAPTURE(length);
      CAPTURE(level);
      CHECK(level < -120.0);
      worst = std::max(worst, level);
    }
  }
  MESSAGE("worst: " << worst << " dB");
}

TEST_CASE("convolution: a decaying impulse response, as rooms have it, nulls too") {
  std::vector<float> h = noise(48000, 3);
  for (std::size_t i = 0; i < h.size(); ++i) h[i] *= static_cast<float>(std::exp(-static_cast<double>(i) / 7000.0));
  const std::vector<float> x = noise(100000, 4);
  for (const std::uint32_t latency : {0u, 8192u}) {
    const auto plan = ConvolutionPlan::make(latency, 48000);
    const auto impulse = impulse_of(plan, {h});
    Convolver convolver(*impulse, 1, 1);
    const Channels out = run(convolver, {x}, x.size(), 64);
    const double level = null_db(out[0], x, h, latency, 97);
    MESSAGE("latency " << latency << ": " << level << " dB");
    CHECK(level < -120.0);
  }
}

TEST_CASE("convolution: the same bits however the frames are cut, at every CPU level") {
  const Channels x = noises(2, 41000, 10), h = noises(2, 30000, 20);
  for (const std::uint32_t latency : {0u, 64u, 128u, 2048u, 8192u}) {
    const auto plan = ConvolutionPlan::make(latency, 30000);
    const auto reference_impulse = impulse_of(plan, h, CpuLevel::baseline);
    Convolver reference(*reference_impulse, 2, 2, kernels_of(CpuLevel::baseline));
    const Channels expected = run(reference, x, x[0].size(), 64);
    for (const CpuLevel level : kLevels) {
      const auto impulse = impulse_of(plan, h, level);
      for (const std::uint32_t block : {1u, 17u, 63u, 64u, 65u, 256u, 512u, 1000u, 0u}) {
        if (level != CpuLevel::baseline && block % 64 != 0 && block != 17) continue;
        CAPTURE(latency);
        CAPTURE(block);
        Convolver convolver(*impulse, 2, 2, kernels_of(level));
        CHECK(run(convolver, x, x[0].size(), block) == expected);
        CHECK(convolver.work() == reference.work());
      }
    }
  }
}

TEST_CASE("convolution: the latency is exact, and an impulse in is the impulse response out") {
  std::vector<float> h(20000);
  for (const std::size_t at : {0u, 1u, 63u, 64u, 1023u, 1024u, 8191u, 8192u, 16383u, 16384u, 19999u}) h[at] = 1.0f;
  Channels x(1, std::vector<float>(60000));
  x[0][777] = 1.0f;
  for (const std::uint32_t latency : kLatencies) {
    const auto plan = ConvolutionPlan::make(latency, 20000);
    const auto impulse = impulse_of(plan, {h});
    Convolver convolver(*impulse, 1, 1);
    const Channels out = run(convolver, x, x[0].size(), 0);
    float worst = 0;
    for (std::size_t n = 0; n < x[0].size(); ++n) {
      const std::size_t before = 777 + latency;
      const float expected = n >= before && n - before < h.size() ? h[n - before] : 0.0f;
      worst = std::max(worst, std::abs(out[0][n] - expected));
    }
    CAPTURE(latency);
    CHECK(worst < 1e-6f);
  }
}

TEST_CASE("convolution: a shorter impulse response in a plan for longer ones, and the end of a tail") {
  const auto plan = ConvolutionPlan::make(0, 200000);
  std::vector<float> h = noise(5000, 60);
  const auto impulse = impulse_of(plan, {h});
  Convolver convolver(*impulse, 1, 1);
  std::vector<float> x = noise(60000, 61);
  std::fill(x.begin() + 10000, x.end(), 0.0f);
  const Channels out = run(convolver, {x}, x.size(), 64);
  CHECK(null_db(out[0], x, h, 0, 11) < -120.0);
  CHECK(std::all_of(out[0].begin() + 30000, out[0].end(), [](float y) { return y == 0.0f; }));
}

TEST_CASE("convolution: a NaN or an infinity that comes in is silence") {
  const auto plan = ConvolutionPlan::make(0, 3000);
  const auto impulse = impulse_of(plan, {noise(3000, 70)});
  Convolver convolver(*impulse, 1, 1);
  Channels x{noise(30000, 71)};
  Channels clean = x;
  x[0][1000] = std::numeric_limits<float>::quiet_NaN();
  x[0][1001] = -std::numeric_limits<float>::infinity();
  clean[0][1000] = clean[0][1001] = 0.0f;
  Convolver other(*impulse, 1, 1);
  CHECK(run(convolver, x, 30000, 64) == run(other, clean, 30000, 64));
}
