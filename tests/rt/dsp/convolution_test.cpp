#include "rt/dsp/convolution.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "rt/dsp/float_mode.hpp"

namespace {

using namespace continuo::rt;
using namespace continuo::rt::dsp;
using Channels = std::vector<std::vector<float>>;

constexpr CpuLevel kLevels[] = {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4};

std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> out(count);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-31f;
  }
  return out;
}
Channels noises(std::size_t channels, std::size_t count, std::uint32_t seed) {
  Channels out;
  for (std::size_t c = 0; c < channels; ++c) out.push_back(noise(count, seed + 100u * static_cast<std::uint32_t>(c)));
  return out;
}

std::unique_ptr<const Impulse> impulse_of(const std::shared_ptr<const ConvolutionPlan>& plan, const Channels& channels,
                                          CpuLevel level = CpuLevel::v4) {
  std::vector<const float*> pointers;
  for (const auto& channel : channels) pointers.push_back(channel.data());
  auto impulse = Impulse::make(plan, pointers, channels[0].size(), nullptr, kernels_of(level));
  REQUIRE(impulse);
  return impulse;
}

/// Frames a call. 0: ragged.
std::uint32_t cut(std::uint32_t block, std::uint32_t& state) {
  if (block != 0) return block;
  state = state * 1664525u + 1013904223u;
  return 1 + (state >> 20) % 97;
}

/// `frames` of every input, in calls of `block` frames.
Channels run(Convolver& convolver, const Channels& in, std::size_t frames, std::uint32_t block) {
  const FloatMode mode;
  Channels out(convolver.outputs(), std::vector<float>(frames, 1e9f));
  std::vector<const float*> from;
  std::vector<float*> to;
  for (const auto& channel : in) from.push_back(channel.data());
  for (auto& channel : out) to.push_back(channel.data());
  std::uint32_t ragged = 5;
  for (std::size_t done = 0; done < frames;) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(cut(block, ragged), frames - done));
    convolver.process({from.data(), convolver.inputs()}, {to.data(), convolver.outputs()},
                      static_cast<std::uint32_t>(done), n);
    done += n;
  }
  return out;
}

/// The truth, at one frame.
double direct(const std::vector<float>& x, const std::vector<float>& h, std::size_t n) {
  double sum = 0;
  const std::size_t taps = std::min(h.size(), n + 1);
  for (std::size_t k = 0; k < taps; ++k) sum += double{h[k]} * x[n - k];
  return sum;
}

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

constexpr std::uint32_t kLatencies[] = {0, 64, 128, 256, 1024, 8192, 16384};

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
      Convolver convolver(plan, 1, 1, impulse.get());
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
    Convolver convolver(plan, 1, 1, impulse.get());
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
    Convolver reference(plan, 2, 2, reference_impulse.get(), kernels_of(CpuLevel::baseline));
    const Channels expected = run(reference, x, x[0].size(), 64);
    for (const CpuLevel level : kLevels) {
      const auto impulse = impulse_of(plan, h, level);
      for (const std::uint32_t block : {1u, 17u, 63u, 64u, 65u, 256u, 512u, 1000u, 0u}) {
        if (level != CpuLevel::baseline && block % 64 != 0 && block != 17) continue;
        CAPTURE(latency);
        CAPTURE(block);
        Convolver convolver(plan, 2, 2, impulse.get(), kernels_of(level));
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
    Convolver convolver(plan, 1, 1, impulse.get());
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

TEST_CASE("convolution: which channels meet") {
  const Channels x = noises(2, 20000, 30), h = noises(4, 9000, 40);
  const auto plan = ConvolutionPlan::make(0, 9000);
  const auto one = impulse_of(plan, {h[0]}), two = impulse_of(plan, {h[0], h[1]}), four = impulse_of(plan, h);
  // By the sum of single convolutions, each with a convolver of its own.
  const auto alone = [&](const std::vector<float>& in, const std::vector<float>& response) {
    const auto impulse = impulse_of(plan, {response});
    Convolver convolver(plan, 1, 1, impulse.get());
    return run(convolver, {in}, in.size(), 64)[0];
  };
  const std::vector<float> x0h0 = alone(x[0], h[0]), x1h0 = alone(x[1], h[0]), x1h1 = alone(x[1], h[1]),
                           x0h1 = alone(x[0], h[1]);

  SUBCASE("one for all") {
    Convolver convolver(plan, 2, 2, one.get());
    CHECK(run(convolver, x, 20000, 64) == Channels{x0h0, x1h0});
  }
  SUBCASE("each with its own") {
    Convolver convolver(plan, 2, 2, two.get());
    CHECK(run(convolver, x, 20000, 64) == Channels{x0h0, x1h1});
  }
  SUBCASE("one input to all") {
    Convolver convolver(plan, 1, 2, two.get());
    CHECK(run(convolver, {x[0]}, 20000, 64) == Channels{x0h0, x0h1});
  }
  SUBCASE("true stereo: LL, LR, RL, RR") {
    Convolver convolver(plan, 2, 2, four.get());
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
    Convolver stereo(plan, 2, 2), mono(plan, 1, 1), wide(plan, 1, 4), eight(plan, 8, 8), odd(plan, 2, 3);
    CHECK(stereo.accepts(*one));
    CHECK(stereo.accepts(*four));
    CHECK(mono.accepts(*one));
    CHECK_FALSE(mono.accepts(*two));
    CHECK(wide.accepts(*four));
    CHECK_FALSE(wide.accepts(*one));
    CHECK(eight.accepts(*one));
    CHECK_FALSE(eight.accepts(*four));
    CHECK_FALSE(odd.accepts(*two));
    CHECK_FALSE(odd.accepts(*one));
    const auto twin = ConvolutionPlan::make(0, 9000);
    Convolver other(twin, 2, 2);
    CHECK_FALSE(other.accepts(*two));  // equal, but another plan
    CHECK_FALSE(other.try_swap(two.get()));
    CHECK(other.current() == nullptr);
  }
  SUBCASE("in place") {
    Convolver apart(plan, 2, 2, four.get()), together(plan, 2, 2, four.get());
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

TEST_CASE(
    "convolution: a swap is exact before and after its fade, without a click in between, wherever it is asked for") {
  constexpr std::size_t kFrames = 60000;
  for (const std::uint32_t latency : {0u, 128u, 8192u}) {
    const auto plan = ConvolutionPlan::make(latency, 24000);
    // A tone through two responses that differ in length: both steady states are tones, so a click would be a jump.
    std::vector<float> tone(kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) tone[i] = static_cast<float>(std::sin(0.01 * static_cast<double>(i)));
    std::vector<float> decay(24000), other(9000);
    for (std::size_t i = 0; i < decay.size(); ++i)
      decay[i] = static_cast<float>(std::exp(-static_cast<double>(i) / 3000.0)) * 0.01f;
    for (std::size_t i = 0; i < other.size(); ++i) other[i] = i % 2 ? -0.004f : 0.005f;
    const auto a = impulse_of(plan, {decay}), b = impulse_of(plan, {other});
    Convolver only_a(plan, 1, 1, a.get()), only_b(plan, 1, 1, b.get());
    const std::vector<float> out_a = run(only_a, {tone}, kFrames, 64)[0], out_b = run(only_b, {tone}, kFrames, 64)[0];

    for (const std::uint32_t at : {24576u, 24577u, 24639u, 30000u}) {
      std::vector<float> first;
      for (const std::uint32_t block : {64u, 17u, 0u}) {
        CAPTURE(latency);
        CAPTURE(at);
        CAPTURE(block);
        Convolver convolver(plan, 1, 1, a.get());
        std::vector<float> out = run(convolver, {tone}, at, block)[0];
        REQUIRE(convolver.try_swap(b.get()));
        CHECK(convolver.swapping());
        CHECK(convolver.next() == b.get());
        CHECK_FALSE(convolver.try_swap(a.get()));  // one at a time
        const std::vector<float> rest = run(convolver, {{tone.begin() + at, tone.end()}}, kFrames - at, block)[0];
        out.insert(out.end(), rest.begin(), rest.end());
        CHECK_FALSE(convolver.swapping());
        CHECK(convolver.current() == b.get());
        CHECK_FALSE(convolver.try_swap(a.get()));  // not before the old one was taken back
        CHECK(convolver.take_retired() == a.get());
        CHECK(convolver.take_retired() == nullptr);

        std::size_t begin = at, end = kFrames;
        while (begin < kFrames && out[begin] == out_a[begin]) ++begin;
        while (end > 0 && out[end - 1] == out_b[end - 1]) --end;
        CHECK(begin >= at);
        CHECK(begin - at <= plan->swap_frames() + 64);
        CHECK(end > begin);
        CHECK(end - begin <= Convolver::kFadeFrames);
        CHECK(end - begin > Convolver::kFadeFrames - 200);
        // Steeper than either alone by no more than the fade's own slope.
        float slope = 0, peak = 0, jump = 0;
        for (std::size_t n = at; n < kFrames; ++n) {
          slope = std::max({slope, std::abs(out_a[n] - out_a[n - 1]), std::abs(out_b[n] - out_b[n - 1])});
          peak = std::max({peak, std::abs(out_a[n]), std::abs(out_b[n])});
          jump = std::max(jump, std::abs(out[n] - out[n - 1]));
        }
        CHECK(jump <= slope + 2 * peak * 1.5f / Convolver::kFadeFrames);
        if (first.empty()) first = out;
        CHECK(out == first);
      }
    }
  }
}

TEST_CASE("convolution: swaps follow one another, to silence and back, while large blocks are on their way") {
  const auto plan = ConvolutionPlan::make(0, 40000);
  const Channels x{noise(200000, 50)};
  // Different lengths: a job that began for one of them must not go on with another's partitions.
  const auto a = impulse_of(plan, {noise(40000, 51)}), c = impulse_of(plan, {noise(17000, 53)});
  Convolver convolver(plan, 1, 1);
  CHECK(convolver.current() == nullptr);
  REQUIRE(convolver.try_swap(c.get()));  // before the first frame: at once
  REQUIRE(convolver.take_retired() == nullptr);
  REQUIRE(convolver.try_swap(a.get()));
  REQUIRE(convolver.take_retired() == c.get());
  CHECK(convolver.current() == a.get());
  std::size_t done = 0;
  std::vector<float> last;
  const auto go = [&](std::size_t frames) {
    last = run(convolver, {{x[0].begin() + static_cast<std::ptrdiff_t>(done), x[0].end()}}, frames, 64)[0];
    done += frames;
  };
  go(100);
  // What comes back is destroyed at once, with jobs that began for it still on their way: AddressSanitizer looks.
  std::vector<std::unique_ptr<const Impulse>> alive;
  const Impulse* before = a.get();
  for (const std::size_t length : {100u, 17000u, 40000u, 0u, 100u, 40000u, 17000u, 0u, 30000u}) {
    if (length != 0) alive.push_back(impulse_of(plan, {noise(length, static_cast<std::uint32_t>(length))}));
    const Impulse* const next = length != 0 ? alive.back().get() : nullptr;
    REQUIRE(convolver.try_swap(next));
    while (convolver.swapping()) {
      go(64);
      REQUIRE(done < 190000);
    }
    if (!next) CHECK(std::abs(last.back()) < 1e-3f);
    const Impulse* const retired = convolver.take_retired();
    CHECK(retired == before);
    std::erase_if(alive, [&](const auto& impulse) { return impulse.get() == retired; });
    before = next;
  }
  // The input's history was never lost: it sounds as if it had been there from the first frame on.
  Convolver always(plan, 1, 1, before);
  const Channels expected = run(always, x, done + 3000, 64);
  go(3000);
  CHECK(std::equal(last.begin(), last.end(), expected[0].end() - 3000));
}

TEST_CASE("convolution: a shorter impulse response in a plan for longer ones, and the end of a tail") {
  const auto plan = ConvolutionPlan::make(0, 200000);
  std::vector<float> h = noise(5000, 60);
  const auto impulse = impulse_of(plan, {h});
  Convolver convolver(plan, 1, 1, impulse.get());
  std::vector<float> x = noise(60000, 61);
  std::fill(x.begin() + 10000, x.end(), 0.0f);
  const Channels out = run(convolver, {x}, x.size(), 64);
  CHECK(null_db(out[0], x, h, 0, 11) < -120.0);
  CHECK(std::all_of(out[0].begin() + 30000, out[0].end(), [](float y) { return y == 0.0f; }));
}

TEST_CASE("convolution: a NaN or an infinity that comes in is silence") {
  const auto plan = ConvolutionPlan::make(0, 3000);
  const auto impulse = impulse_of(plan, {noise(3000, 70)});
  Convolver convolver(plan, 1, 1, impulse.get());
  Channels x{noise(30000, 71)};
  Channels clean = x;
  x[0][1000] = std::numeric_limits<float>::quiet_NaN();
  x[0][1001] = -std::numeric_limits<float>::infinity();
  clean[0][1000] = clean[0][1001] = 0.0f;
  Convolver other(plan, 1, 1, impulse.get());
  CHECK(run(convolver, x, 30000, 64) == run(other, clean, 30000, 64));
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
    Convolver convolver(plan, 2, 2, impulse.get());
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
    // And while two impulse responses are worked on: never above three times the mean.
    const auto other = impulse_of(plan, noises(4, 144000, 82));
    REQUIRE(convolver.try_swap(other.get()));
    most = 0;
    while (convolver.swapping()) {
      const std::uint64_t before = convolver.work();
      convolver.process({in, 2}, {out, 2}, 0, 64);
      most = std::max(most, convolver.work() - before);
    }
    CHECK(static_cast<double>(most) < 3.0 * mean);
  }
}

TEST_CASE("convolution: memory is what the header says") {
  const auto plan = ConvolutionPlan::make(0, 1920000);  // 10 s at 192 kHz
  const Channels h = noises(2, 1920000, 90);
  const auto impulse = impulse_of(plan, h);
  CHECK(impulse->bytes() >= 8u * 2 * (1920000 - 64));
  CHECK(impulse->bytes() < 8u * 2 * 1920000 * 102 / 100);
  const Convolver convolver(plan, 2, 2, impulse.get());
  CHECK(convolver.bytes() < 8u * 2 * 1920000 * 105 / 100);
}
