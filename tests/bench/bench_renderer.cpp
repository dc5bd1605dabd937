// What a callback costs: 64 frames of 32 tracks (player from memory, gain, pan, mix to stereo) through the renderer,
// beside a loop by hand that does the same work with nothing around it; and what a node costs that does almost nothing.
#include <benchmark/benchmark.h>

#include <array>
#include <memory>
#include <vector>

#include "rt/dsp/float_mode.hpp"
#include "rt/dsp/pan.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "rt/nodes/mix.hpp"
#include "rt/nodes/player.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::Rig;
constexpr std::uint32_t kTracks = 32;

/// Writes straight into the device's buffers; the rig's own run() allocates.
void process(Rig& rig, std::uint32_t frames) {
  static std::array<std::array<float, 4096>, 2> buffers;
  float* out[2] = {buffers[0].data(), buffers[1].data()};
  rig.renderer.process({}, {out, 2}, frames);
  benchmark::DoNotOptimize(buffers);
}

/// Batches of 16 lanes, as the plan compiler makes them.
struct MixerRig : Rig {
  MixerRig() : Rig(0) {
    test::PlanBuilder b;
    std::vector<std::size_t> mono, left, right;
    for (std::uint32_t first = 0; first < kTracks; first += 16) {
      std::vector<test::PlanBuilder::Place> players, gains;
      for (std::uint32_t t = 0; t < 16; ++t) {
        readers.push_back(std::make_unique<test::FakeReader>(1, 1 << 13));
        auto& player = adopt(std::make_unique<rt::PlayerNode>(t + 1, false, 0), {0.0});
        mono.push_back(b.channel());
        players.push_back({&player, {}, {mono.back()}});
        gains.push_back({&node(rt::gain_kind(), {-6.0}), {mono.back()}, {mono.back()}});
      }
      b.batch(players);
      b.batch(gains);
    }
    for (std::uint32_t first = 0; first < kTracks; first += 8) {
      std::vector<test::PlanBuilder::Place> pans;
      for (std::uint32_t t = first; t < first + 8; ++t) {
        left.push_back(b.channel());
        right.push_back(b.channel());
        pans.push_back({&node(rt::pan_kind(), {t * 0.05 - 0.8}), {mono[t]}, {left.back(), right.back()}});
      }
      b.batch(pans);
    }
    auto l = b.node(node(rt::mix_kind()), left, 1), r = b.node(node(rt::mix_kind()), right, 1);
    b.node(node(rt::device_output_kind()), {l[0], r[0]}, 0);
    std::vector<rt::Action> actions{act(rt::Action::Kind::transport_start)};
    for (std::uint32_t t = 0; t < kTracks; ++t) actions.push_back(give(t / 16 * 32 + t % 16, &readers[t]->source));
    send(b.build(), actions);
  }
  void fill() {
    for (auto& r : readers) r->fill();
  }
  std::vector<std::unique_ptr<test::FakeReader>> readers;
};

void callback_of_32_tracks(benchmark::State& state) {
  MixerRig rig;
  const auto frames = static_cast<std::uint32_t>(state.range(0));
  rig.fill();
  process(rig, frames);
  std::uint32_t left = 8192 - frames;
  for (auto _ : state) {
    if (left < frames) {
      state.PauseTiming();
      rig.fill();
      left = 8192;
      state.ResumeTiming();
    }
    process(rig, frames);
    left -= frames;
  }
  if (rig.counters().starved_frames != 0) state.SkipWithError("the disk was late: no figure");
}
BENCHMARK(callback_of_32_tracks)->Arg(64)->Arg(256);

/// The floor: the same samples through the same arithmetic, by hand.
void loop_by_hand(benchmark::State& state) {
  const rt::dsp::FloatMode mode;
  const auto frames = static_cast<std::uint32_t>(state.range(0));
  std::vector<std::vector<float>> source(kTracks, std::vector<float>(8192));
  for (std::uint32_t t = 0; t < kTracks; ++t)
    for (std::uint32_t i = 0; i < 8192; ++i) source[t][i] = test::probe(i, t);
  std::array<float, kTracks> left_factor{}, right_factor{};
  for (std::uint32_t t = 0; t < kTracks; ++t) {
    const rt::dsp::PanFactors pan = rt::dsp::constant_power_pan(t * 0.05 - 0.8);
    left_factor[t] = static_cast<float>(pan.left);
    right_factor[t] = static_cast<float>(pan.right);
  }
  std::vector<float> left(frames), right(frames);
  std::uint32_t at = 0;
  for (auto _ : state) {
    std::fill(left.begin(), left.end(), 0.0f);
    std::fill(right.begin(), right.end(), 0.0f);
    for (std::uint32_t t = 0; t < kTracks; ++t) {
      const float* in = source[t].data() + at;
      for (std::uint32_t i = 0; i < frames; ++i) {
        const float x = in[i] * 0.5011872f;
        left[i] += x * left_factor[t];
        right[i] += x * right_factor[t];
      }
    }
    benchmark::DoNotOptimize(left.data());
    benchmark::DoNotOptimize(right.data());
    at = (at + frames) % (8192 - frames);
  }
}
BENCHMARK(loop_by_hand)->Arg(64)->Arg(256);

/// The same mixer while every gain moves: what a ramp costs.
void callback_while_all_gains_move(benchmark::State& state) {
  MixerRig rig;
  rig.fill();
  process(rig, 64);
  std::uint32_t left = 0, toggle = 0;
  for (auto _ : state) {
    if (left < 64) {
      state.PauseTiming();
      rig.fill();
      (void)rig.events();
      for (std::uint32_t t = 0; t < kTracks; ++t)
        rig.set(t / 16 * 32 + 16 + t % 16, 0, toggle % 2 ? -6.0 : -12.0, rt::kNow, 100000);
      ++toggle;
      process(rig, 64);
      left = 8192 - 64;
      state.ResumeTiming();
    }
    process(rig, 64);
    left -= 64;
  }
}
BENCHMARK(callback_while_all_gains_move);

/// 256 nodes of one kind in steps of 16: the cost of one, in 64 frames.
template <class Build>
void nodes(benchmark::State& state, Build build) {
  Rig rig(0);
  test::PlanBuilder b;
  build(rig, b);
  rig.send(b.build(), {});
  process(rig, 64);
  for (auto _ : state) process(rig, 64);
  state.counters["ns_per_node"] = benchmark::Counter(256e-9 * static_cast<double>(state.iterations()),
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
void empty_plan(benchmark::State& state) {
  nodes(state, [](Rig&, test::PlanBuilder&) {});
}
BENCHMARK(empty_plan);

void unity_gains(benchmark::State& state) {
  nodes(state, [](Rig& rig, test::PlanBuilder& b) {
    for (int s = 0; s < 16; ++s) {
      std::vector<test::PlanBuilder::Place> places;
      for (int n = 0; n < 16; ++n) {
        const auto c = b.channels(1);
        places.push_back({&rig.node(rt::gain_kind(), {0.0}), c, c});
      }
      b.batch(places);
    }
  });
}
BENCHMARK(unity_gains);

template <bool kLookedAt>
void meters(benchmark::State& state) {
  std::vector<rt::MeterLook> looks;
  nodes(state, [&looks](Rig& rig, test::PlanBuilder& b) {
    const auto c = b.channels(1);
    for (int n = 0; n < 256; ++n) {
      auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 1));
      if (kLookedAt) looks.emplace_back(meter.slots);
      b.node(meter, c, 0);
    }
  });
}
BENCHMARK(meters<true>);
BENCHMARK(meters<false>);

}  // namespace

BENCHMARK_MAIN();
