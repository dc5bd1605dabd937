// THREAD: test - one step of processors between a device's inputs and outputs, at every CPU level and buffer pattern
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <initializer_list>
#include <numbers>
#include <utility>
#include <vector>

#include "tests/support/rig.hpp"

namespace continuo::test {

/// Slots: 0 the device input, 1 the first processor, 2 the second ...; the last is the device output.
struct ProcessorRun {
  /// Puts processors behind channels and returns where the sound is then.
  std::function<std::vector<std::size_t>(Rig&, PlanBuilder&, std::vector<std::size_t>)> build;
  std::function<void(Rig&)> commands = [](Rig&) {};
  std::size_t outs = 1;
};

inline Channels run_once(const ProcessorRun& run, const Channels& in, const std::vector<std::uint32_t>& pattern,
                         const rt::dsp::Kernels& kernels = rt::dsp::chosen_kernels()) {
  Rig rig(run.outs, kernels);
  rig.in = in;
  PlanBuilder b;
  const auto channels = b.node(rig.node(rt::device_input_kind()), {}, in.size());
  b.node(rig.node(rt::device_output_kind()), run.build(rig, b, channels), 0);
  rig.send(b.build(), {});
  run.commands(rig);
  rig.run(static_cast<std::uint32_t>(in.front().size()), pattern);
  return rig.out;
}

/// What comes out, whose bits must be the same for every buffer pattern and CPU level.
inline Channels run_everywhere(const ProcessorRun& run, const Channels& in) {
  const Channels reference = run_once(run, in, {64});
  for (const auto& pattern : buffer_patterns()) REQUIRE(same_bits(run_once(run, in, pattern), reference));
  for (const rt::CpuLevel level : {rt::CpuLevel::baseline, rt::CpuLevel::v3, rt::CpuLevel::v4})
    for (const auto& pattern : {std::vector<std::uint32_t>{256}, buffer_patterns().back()})
      REQUIRE(same_bits(run_once(run, in, pattern, rt::dsp::kernels_of(level)), reference));
  return reference;
}

/// A node of a kind whose parameters are all of it, with `outs` channels; the rest of the inputs are its key.
inline ProcessorRun one_of(const rt::NodeKind& kind, std::vector<double> params, std::function<void(Rig&)> commands,
                           std::size_t outs) {
  return {.build = [&kind, params = std::move(params), outs](
                       Rig& rig, PlanBuilder& b,
                       std::vector<std::size_t> in) { return b.node(rig.node(kind, params), in, outs); },
          .commands = std::move(commands),
          .outs = outs};
}

/// How far a movement that is 63 % through has come.
inline constexpr double kWay = 0.6321205588285577;

inline double to_db(double gain) { return 20.0 * std::log10(std::max(gain, 1e-12)); }
inline double from_db(double db) { return std::pow(10.0, db / 20.0); }
inline std::vector<float> constant(std::size_t frames, double level) {
  return std::vector<float>(frames, static_cast<float>(level));
}
/// One level after another: frames and dB.
inline std::vector<float> levels(std::initializer_list<std::pair<std::size_t, double>> parts) {
  std::vector<float> result;
  for (const auto& [frames, db] : parts) result.resize(result.size() + frames, static_cast<float>(from_db(db)));
  return result;
}
/// Frames from `from` until `value`(frame) has crossed `db`.
template <class ValueAt>
double frames_until(std::size_t from, std::size_t end, double db, ValueAt&& value) {
  const bool rising = value(from) < db;
  std::size_t i = from;
  while (i < end && (value(i) < db) == rising) ++i;
  return static_cast<double>(i - from);
}
inline std::vector<float> sine(std::size_t frames, double turns_per_frame, double level, double phase = 0.0) {
  std::vector<float> result(frames);
  for (std::size_t i = 0; i < frames; ++i)
    result[i] = static_cast<float>(
        level * std::sin(2.0 * std::numbers::pi * (turns_per_frame * static_cast<double>(i) + phase)));
  return result;
}
inline std::vector<float> noise(std::size_t frames, double level, std::uint32_t seed = 0) {
  std::vector<float> result(frames);
  for (std::size_t i = 0; i < frames; ++i)
    result[i] = static_cast<float>(level * probe(static_cast<std::int64_t>(i), seed));
  return result;
}

/// Members of one step give the bits that they give alone: 1 to 16 of one lane, of two, and of several widths.
/// `make(rig, k, width)`: the k-th; `act(rig, slot, k)`: what is sent to it.
inline void check_batches(const std::function<rt::Node&(Rig&, std::size_t, std::size_t)>& make,
                          const std::function<void(Rig&, std::uint32_t, std::size_t)>& act, bool keyed = false) {
  constexpr std::size_t kFrames = 1200;
  std::vector<std::vector<std::size_t>> batches = {{3, 1, 2, 5}, {1, 15}, {2, 2, 1, 4, 1, 6}};
  for (std::size_t n = 1; n <= 16; ++n) batches.emplace_back(n, 1);
  for (std::size_t n = 2; n <= 8; n += 3) batches.emplace_back(n, 2);
  const auto input = [&](std::size_t k, std::size_t c) {
    std::vector<float> x =
        noise(kFrames, from_db(-3.0 * static_cast<double>((k + c) % 7)), static_cast<std::uint32_t>(20 * k + c));
    for (std::size_t i = 0; i < kFrames; ++i) x[i] *= (i / (100 + 10 * k)) % 2 == 0 ? 1.0f : 0.001f;
    return x;
  };
  // The k-th to the last of `widths`, the first of which is number `first` of its batch.
  const auto run = [&](const std::vector<std::size_t>& widths, std::size_t first) {
    Channels in;
    for (std::size_t k = 0; k < widths.size(); ++k)
      for (std::size_t c = 0; c < widths[k] * (keyed ? 2 : 1); ++c) in.push_back(input(first + k, c));
    std::size_t outs = 0;
    for (const std::size_t w : widths) outs += w;
    const ProcessorRun work{.build =
                                [&](Rig& rig, PlanBuilder& b, std::vector<std::size_t> channels) {
                                  std::vector<PlanBuilder::Place> places;
                                  std::vector<std::size_t> all;
                                  std::size_t at = 0;
                                  for (std::size_t k = 0; k < widths.size(); ++k) {
                                    const std::size_t end = at + widths[k] * (keyed ? 2 : 1);
                                    const std::vector<std::size_t> mine(channels.begin() + static_cast<long>(at),
                                                                        channels.begin() + static_cast<long>(end));
                                    const std::vector<std::size_t> out = b.channels(widths[k]);
                                    places.push_back({&make(rig, first + k, widths[k]), mine, out});
                                    all.insert(all.end(), out.begin(), out.end());
                                    at = end;
                                  }
                                  b.batch(places);
                                  return all;
                                },
                            .commands =
                                [&](Rig& rig) {
                                  for (std::size_t k = 0; k < widths.size(); ++k)
                                    act(rig, static_cast<std::uint32_t>(k + 1), first + k);
                                },
                            .outs = outs};
    return run_once(work, in, buffer_patterns().back());
  };
  for (const auto& widths : batches) {
    const Channels together = run(widths, 0);
    std::size_t at = 0;
    for (std::size_t k = 0; k < widths.size(); ++k) {
      const Channels alone = run({widths[k]}, k);
      CAPTURE(widths.size());
      CAPTURE(k);
      REQUIRE(same_bits(alone, Channels(together.begin() + static_cast<long>(at),
                                        together.begin() + static_cast<long>(at + widths[k]))));
      at += widths[k];
    }
  }
}

}  // namespace continuo::test
