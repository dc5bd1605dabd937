// The convolver: CPU seconds of a minute of stereo through an impulse response of 3 s, how even its callbacks are, and
// its transform beside kissfft's.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <vector>

#include "rt/dsp/convolution.hpp"
#include "rt/dsp/float_mode.hpp"
#if __has_include(<kissfft/kiss_fftr.h>) && defined(CONTINUO_BENCH_KISSFFT)
#include <kissfft/kiss_fftr.h>
#define HAS_KISSFFT 1
#endif

namespace {

using namespace continuo::rt;
using namespace continuo::rt::dsp;

constexpr std::uint32_t kRate = 48000;
constexpr std::uint32_t kFrames = 64;
constexpr std::uint32_t kMinute = 60 * kRate / kFrames;  // calls

std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> out(count);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-32f;
  }
  return out;
}

/// Stereo noise through a stereo impulse response.
struct Scene {
  Scene(std::uint32_t latency, std::uint32_t seconds)
      : plan(ConvolutionPlan::make(latency, seconds * kRate)), in{noise(kLoop, 1), noise(kLoop, 2)} {
    const auto left = noise(plan->max_frames(), 3), right = noise(plan->max_frames(), 4);
    const std::array<const float*, 2> channels{left.data(), right.data()};
    impulse = Impulse::make(plan, channels, plan->max_frames());
  }
  void call(Convolver& convolver, std::uint32_t n) {
    const auto at = n * kFrames % kLoop;
    const float* from[2] = {in[0].data() + at, in[1].data() + at};
    float* to[2] = {out[0].data(), out[1].data()};
    convolver.process({from, 2}, {to, 2}, 0, kFrames);
    benchmark::DoNotOptimize(out);
  }

  static constexpr std::uint32_t kLoop = 1 << 16;
  std::shared_ptr<const ConvolutionPlan> plan;
  std::unique_ptr<const Impulse> impulse;
  std::array<std::vector<float>, 2> in;
  std::array<std::array<float, kFrames>, 2> out{};
};

/// Arguments: latency in frames, seconds of the impulse response. Time: of the whole minute.
void a_minute(benchmark::State& state) {
  const FloatMode mode;
  Scene scene(static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1)));
  Convolver convolver(*scene.impulse, 2, 2);
  for (auto _ : state)
    for (std::uint32_t n = 0; n < kMinute; ++n) scene.call(convolver, n);
  state.counters["x_real_time"] = benchmark::Counter(60, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["MiB"] = static_cast<double>(scene.impulse->bytes() + convolver.bytes()) / (1 << 20);
}
BENCHMARK(a_minute)
    ->ArgNames({"latency", "seconds"})
    ->Args({8192, 3})
    ->Args({0, 3})
    ->Args({64, 3})
    ->Args({1024, 3})
    ->Args({0, 10})
    ->Args({8192, 10})
    ->Unit(benchmark::kSecond)
    ->Iterations(1)
    ->Repetitions(3)
    ->ReportAggregatesOnly();

/// How long each call of 64 frames takes: microseconds. The same calls are made several times and the shortest of each
/// counts, so that what remains is the convolver's own unevenness and not the machine's; `raw_` is without that.
/// `cold`: something else has used the caches in between.
void callbacks(benchmark::State& state) {
  const FloatMode mode;
  constexpr std::uint32_t kRuns = 9, kCalls = 4096, kFirst = 2560;
  Scene scene(static_cast<std::uint32_t>(state.range(0)), 3);
  const bool cold = state.range(1) != 0;
  std::vector<float> others(cold ? 1u << 19 : 0);
  std::vector<double> best(kCalls, 1e9), raw;
  std::uint64_t most = 0, sum = 0;
  for (auto _ : state) {
    for (std::uint32_t run = 0; run < kRuns; ++run) {
      Convolver convolver(*scene.impulse, 2, 2);
      for (std::uint32_t n = 0; n < kFirst; ++n) scene.call(convolver, n);
      for (std::uint32_t n = 0; n < kCalls; ++n) {
        for (float& x : others) x += 1.0f;  // what else a callback does: 2 MiB, so that the caches are somebody else's
        benchmark::DoNotOptimize(others.data());
        const std::uint64_t before = convolver.work();
        const auto start = std::chrono::steady_clock::now();
        scene.call(convolver, kFirst + n);
        const double us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
        best[n] = std::min(best[n], us);
        raw.push_back(us);
        most = std::max(most, convolver.work() - before);
        sum += convolver.work() - before;
      }
    }
  }
  const auto mean = [](const std::vector<double>& v) {
    double total = 0;
    for (const double x : v) total += x;
    return total / static_cast<double>(v.size());
  };
  std::sort(best.begin(), best.end());
  std::sort(raw.begin(), raw.end());
  const double average = mean(best), raw_average = mean(raw);
  state.counters["mean"] = average;
  state.counters["p50"] = best[kCalls / 2];
  state.counters["p99"] = best[kCalls * 99 / 100];
  state.counters["max"] = best.back();
  state.counters["max_over_mean"] = best.back() / average;
  state.counters["work_max_over_mean"] = static_cast<double>(most) * kRuns * kCalls / static_cast<double>(sum);
  state.counters["raw_mean"] = raw_average;
  state.counters["raw_p99.9"] = raw[raw.size() * 999 / 1000];
  state.counters["raw_max"] = raw.back();
  state.counters["core_percent"] = raw_average / (kFrames * 1e6 / kRate) * 100;
}
BENCHMARK(callbacks)
    ->ArgNames({"latency", "cold"})
    ->Args({0, 0})
    ->Args({0, 1})
    ->Args({64, 0})
    ->Args({256, 0})
    ->Args({8192, 0})
    ->Args({8192, 1})
    ->Args({16384, 0})
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

/// There and back: `size` complex values, 2 * size samples.
void transform(benchmark::State& state) {
  const auto size = static_cast<std::uint32_t>(state.range(0));
  const Fft fft(size);
  const FftKernels& kernels = chosen_kernels().fft;
  FloatArena cells(2 * size);
  std::copy_n(noise(2 * size, 1).data(), 2 * size, cells.data());
  const float scale = 1.0f / static_cast<float>(size);
  for (auto _ : state) {
    fft.forward(kernels, cells.data());
    fft.inverse(kernels, cells.data());
    for (std::size_t i = 0; i < cells.size(); ++i) cells.data()[i] *= scale;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(transform)->RangeMultiplier(4)->Range(64, 65536)->Unit(benchmark::kMicrosecond);

#if HAS_KISSFFT
void transform_kissfft(benchmark::State& state) {
  const auto size = static_cast<int>(state.range(0));
  struct Free {
    void operator()(kiss_fftr_cfg p) const { kiss_fftr_free(p); }
  };
  using Plan = std::unique_ptr<kiss_fftr_state, Free>;
  const Plan forward(kiss_fftr_alloc(2 * size, 0, nullptr, nullptr)),
      inverse(kiss_fftr_alloc(2 * size, 1, nullptr, nullptr));
  std::vector<float> samples = noise(static_cast<std::size_t>(2 * size), 1);
  std::vector<kiss_fft_cpx> bins(static_cast<std::size_t>(size + 1));
  const float scale = 0.5f / static_cast<float>(size);
  for (auto _ : state) {
    kiss_fftr(forward.get(), samples.data(), bins.data());
    kiss_fftri(inverse.get(), bins.data(), samples.data());
    for (float& x : samples) x *= scale;
    benchmark::ClobberMemory();
  }
}
BENCHMARK(transform_kissfft)->RangeMultiplier(4)->Range(64, 65536)->Unit(benchmark::kMicrosecond);
#endif

}  // namespace

BENCHMARK_MAIN();
