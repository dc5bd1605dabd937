// Measures of sound: ns a sample and channel of each, and of a whole file, with libebur128 doing the same as the floor.
// Times are the least of several rounds in one run; ratios are what to look at.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rt/cpu_level.hpp"
#include "server/analysis/ballistics.hpp"
#include "server/analysis/clips.hpp"
#include "server/analysis/layout.hpp"
#include "server/analysis/loudness.hpp"
#include "server/analysis/peak.hpp"
#include "server/analysis/rms.hpp"
#include "server/analysis/silence.hpp"
#include "server/analysis/spectrum.hpp"
#include "server/analysis/stereo.hpp"
#include "server/analysis/true_peak.hpp"
#if __has_include(<ebur128.h>) && defined(CONTINUO_BENCH_EBUR128)
#include <ebur128.h>
#define HAS_EBUR128 1
#endif

namespace {

using namespace continuo::analysis;

constexpr std::size_t kSeconds = 20, kRate = 48000, kBlock = 4096;

/// Noise under a slow swell, as loud at the end as at the start: not what a peak meter can let go.
std::vector<float> sound_of(std::uint32_t channels) {
  std::vector<float> out(kSeconds * kRate * channels);
  std::uint32_t seed = 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    const double swell = 0.55 + 0.45 * std::sin(static_cast<double>(i / channels) * 2e-5);
    out[i] = static_cast<float>(static_cast<double>(static_cast<std::int32_t>(seed)) * 0x1p-31 * swell);
  }
  return out;
}

/// ns a sample and channel.
double time_of(const std::vector<float>& sound, std::uint32_t channels,
               const std::function<std::function<void(const float*, std::size_t)>()>& make) {
  double best = 1e30;
  for (int round = 0; round < 7; ++round) {
    const auto feed = make();
    const auto began = std::chrono::steady_clock::now();
    const std::size_t frames = sound.size() / channels;
    for (std::size_t at = 0; at < frames; at += kBlock)
      feed(sound.data() + at * channels, std::min(kBlock, frames - at));
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - began;
    best = std::min(best, took.count() / static_cast<double>(sound.size()));
  }
  return best;
}

void line(const char* what, std::uint32_t channels, double ns, double floor = 0.0) {
  std::printf("%-34s %2u channels  %7.2f ns a sample and channel  %8.0f times real time", what, channels, ns,
              1e9 / (ns * static_cast<double>(channels) * kRate));
  if (floor > 0.0) std::printf("  %5.2f of libebur128", ns / floor);
  std::printf("\n");
}

#ifdef HAS_EBUR128
std::function<void(const float*, std::size_t)> other(std::uint32_t channels, int mode) {
  const std::shared_ptr<ebur128_state> held(ebur128_init(channels, kRate, mode),
                                            [](ebur128_state* state) { ebur128_destroy(&state); });
  return
      [held](const float* samples, std::size_t frames) { (void)ebur128_add_frames_float(held.get(), samples, frames); };
}
#endif

}  // namespace

int main() {
  std::printf("CPU level %s, %zu s at %zu Hz\n",
              std::string(continuo::rt::name_of(continuo::rt::chosen_cpu_level())).c_str(), kSeconds, kRate);
  for (const std::uint32_t channels : {1u, 2u, 6u}) {
    const std::vector<float> sound = sound_of(channels);
    const auto weights = *channel_weights(usual_layout(channels), channels);
    double loud_floor = 0.0, both_floor = 0.0;
#ifdef HAS_EBUR128
    loud_floor = time_of(sound, channels, [&] { return other(channels, EBUR128_MODE_I | EBUR128_MODE_LRA); });
    both_floor = time_of(sound, channels,
                         [&] { return other(channels, EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK); });
    line("libebur128: loudness", channels, loud_floor);
    line("libebur128: with true peak", channels, both_floor);
#endif
    const auto feed_to = [&](auto... meters) {
      return [=](const float* samples, std::size_t frames) {
        (meters->feed(Frames::interleaved(samples, channels, frames)), ...);
      };
    };
    line("loudness", channels,
         time_of(sound, channels, [&] { return feed_to(std::make_shared<Loudness>(kRate, weights)); }), loud_floor);
    line("true peak", channels,
         time_of(sound, channels, [&] { return feed_to(std::make_shared<TruePeakMeter>(kRate, channels)); }));
    line("both", channels,
         time_of(sound, channels,
                 [&] {
                   return feed_to(std::make_shared<Loudness>(kRate, weights),
                                  std::make_shared<TruePeakMeter>(kRate, channels));
                 }),
         both_floor);
    const auto of = [&](const char* what, auto&& make) {
      line(what, channels, time_of(sound, channels, [&] { return feed_to(make()); }));
    };
    of("sample peak", [&] { return std::make_shared<PeakMeter>(kRate, channels); });
    of("RMS", [&] { return std::make_shared<RmsMeter>(kRate, channels); });
    of("VU", [&] { return std::make_shared<VuMeter>(kRate, channels); });
    of("PPM", [&] { return std::make_shared<PpmMeter>(kRate, channels, PpmType::type_2); });
    of("clips", [&] { return std::make_shared<ClipCounter>(channels); });
    of("silence", [&] { return std::make_shared<SilenceDetector>(kRate, channels); });
    if (channels > 1) of("correlation", [&] { return std::make_shared<StereoMeter>(kRate); });
    of("spectrum, 4096, half overlapped",
       [&] { return std::make_shared<Spectrum>(kRate, channels, SpectrumSettings{}); });
  }
}
