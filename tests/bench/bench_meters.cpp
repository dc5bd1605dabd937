// What meters cost the audio thread. Every figure is the median of paired rounds in one process: what is compared takes
// turns, so that the machine's noise hits both. What those pay who read them: bench_meter_readers; what the analysis
// thread pays for the heavier measures: bench_meter_kinds. --quick: fewer rounds; --only node|mixer.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <optional>

#include "rt/nodes/meter_tap.hpp"
#include "tests/bench/live_documents.hpp"
#include "tests/bench/live_rig.hpp"
#include "tests/bench/meter_bench.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using namespace continuo::bench;

constexpr std::array<std::uint32_t, 4> kTracks{1, 32, 64, 256};

/// Nothing but `tracks` meters of a channel each, every one of a sound of its own.
class MeterRig {
 public:
  MeterRig(std::uint32_t tracks, Use use) {
    test::PlanBuilder b;
    const auto sound = b.channels(std::max(tracks, 1u));
    std::vector<std::shared_ptr<rt::MeterSlots>> meters;
    for (std::uint32_t first = 0; first < tracks; first += rt::kMaxLanes) {
      std::vector<test::PlanBuilder::Place> places;
      for (std::uint32_t t = first; t < std::min(tracks, first + rt::kMaxLanes); ++t) {
        auto node = std::make_unique<rt::MeterTapNode>(t + 1, 1, t % kWindowBlocks * rt::kBlockFrames);
        meters.push_back(node->slots);
        places.push_back({&rig_.adopt(std::move(node)), {sound[t]}, {}});
      }
      b.batch(places);
    }
    auto plan = b.build();
    for (std::size_t i = 0; i < sound.size() * rt::kSpanFrames; ++i)
      plan->slab[i] = 0.5f * test::probe(static_cast<std::int64_t>(i));
    rig_.send(std::move(plan), {});
    audience_.emplace(use, meters);
    static_cast<void>(window_ns());
  }
  /// One callback, the mean over a window of them.
  double window_ns() {
    const double begin = now_ns();
    for (std::uint32_t i = 0; i < kWindowBlocks; ++i) rig_.renderer.process({}, {out_, 2}, rt::kBlockFrames);
    const double took = now_ns() - begin;
    audience_->drain();
    static_cast<void>(rig_.events());
    return took / kWindowBlocks;
  }

 private:
  test::Rig rig_{0};
  std::optional<Audience> audience_;
  float buffers_[2][rt::kBlockFrames] = {};
  float* out_[2] = {buffers_[0], buffers_[1]};
};

/// The loop by hand: peak and squares of each channel of 64 frames, the sums kept, nothing around it.
class Floor {
 public:
  explicit Floor(std::uint32_t tracks) : sound_(std::size_t{tracks} * 64), sums_(tracks) {
    for (std::size_t i = 0; i < sound_.size(); ++i) sound_[i] = 0.5f * test::probe(static_cast<std::int64_t>(i));
  }
  double window_ns() {
    const double begin = now_ns();
    for (std::uint32_t block = 0; block < kWindowBlocks; ++block) {
      for (std::size_t t = 0; t < sums_.size(); ++t) loop(sound_.data() + t * 64, sums_[t]);
      benchmark::DoNotOptimize(sums_.data());
      benchmark::ClobberMemory();
    }
    return (now_ns() - begin) / kWindowBlocks;
  }

 private:
  using Four = float __attribute__((vector_size(16)));
  struct Sums {
    Four peak[2] = {}, power[2] = {};
  };
  static void loop(const float* x, Sums& sums) {
    Sums s = sums;
    for (std::size_t i = 0; i < 64; i += 8) {
      for (std::size_t half = 0; half < 2; ++half) {
        Four v;
        std::memcpy(&v, x + i + 4 * half, sizeof v);
        const Four a = v > -v ? v : -v;
        s.peak[half] = a > s.peak[half] ? a : s.peak[half];
        s.power[half] += v * v;
      }
    }
    sums = s;
  }
  std::vector<float> sound_;
  std::vector<Sums> sums_;
};

void node(const Options& options) {
  std::printf(
      "node     tracks   floor     off  looked at  listened   ns a track and block of 64 frames, the empty callback "
      "taken off; goal: looked at <= 15\n");
  for (const std::uint32_t tracks : kTracks) {
    MeterRig empty(0, Use::off), off(tracks, Use::off), looked_at(tracks, Use::looked_at);
    MeterRig listened(tracks, Use::listened);
    Floor floor(tracks);
    std::vector<double> costs[4];
    for (int round = 0; round < (options.quick ? 300 : 3000); ++round) {
      const double none = empty.window_ns();
      costs[0].push_back(floor.window_ns() / tracks);
      costs[1].push_back((off.window_ns() - none) / tracks);
      costs[2].push_back((looked_at.window_ns() - none) / tracks);
      costs[3].push_back((listened.window_ns() - none) / tracks);
    }
    std::printf("         %6u %7.1f %7.1f %10.1f %9.1f\n", tracks, at(costs[0]), at(costs[1]), at(costs[2]),
                at(costs[3]));
  }
  std::fflush(stdout);
}

/// Mono tracks with a player, a gain, an equaliser, a fader and a meter each, as the daemon compiles them: the same
/// callback with nobody, with somebody who looks, with somebody who listens at all meters.
void mixer_cost(const Options& options) {
  std::printf(
      "mixer    tracks  channels   callback  looked at  listened   us; more a metered channel and block, ns: looked at "
      "(goal <= 15), listened\n");
  for (const std::uint32_t tracks : kTracks) {
    const session::Document document = mixer({"mix", {"gain", "eq"}}, tracks);
    LiveRig off(document), looked_at(document), listened(document);
    Audience look(Use::looked_at, meters_of(looked_at)), listen(Use::listened, meters_of(listened));
    double channels = 0.0;
    for (const session::CompiledMeter& meter : off.meters()) channels += meter.channels;
    std::vector<double> base, more[2];
    for (int round = 0; round < (options.quick ? 40 : 400); ++round) {
      const double a = off.mean_ns(16), b = looked_at.mean_ns(16), c = listened.mean_ns(16);
      listen.drain();
      if (round == 0) continue;
      base.push_back(a);
      more[0].push_back(b - a);
      more[1].push_back(c - a);
    }
    std::printf("         %6u %9.0f %10.2f %10.2f %9.2f   %6.1f %6.1f\n", tracks, channels, at(base) / 1e3,
                (at(base) + at(more[0])) / 1e3, (at(base) + at(more[1])) / 1e3, at(more[0]) / channels,
                at(more[1]) / channels);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = options_of(argc, argv, "node|mixer");
  if (options.runs("node")) node(options);
  if (options.runs("mixer")) mixer_cost(options);
  return 0;
}
