#include "rt/nodes/delay.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/nodes/delay_line.hpp"
#include "rt/nodes/gain.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;
using P = rt::DelayParam;

/// What the device gives, through one node, to the device.
struct ThroughRig : Rig {
  ThroughRig(rt::Node* made, std::vector<double> params, std::uint32_t channels, std::uint32_t frames,
             double rate = 48000.0, bool in_place = false)
      : Rig(channels, rate), processor(adopt(std::unique_ptr<rt::Node>(made), params)) {
    in.resize(channels);
    for (std::uint32_t c = 0; c < channels; ++c)
      for (std::uint32_t i = 0; i < frames; ++i) in[c].push_back(test::probe(i, c));
    test::PlanBuilder b(rate);
    const auto source = b.node(node(rt::device_input_kind()), {}, channels);
    const auto made_of = in_place ? b.in_place(processor, source) : b.node(processor, source, channels);
    b.node(node(rt::device_output_kind()), b.in_place(node(rt::gain_kind(), {0.0}), made_of), 0);
    send(b.build(), {});
  }
  rt::Node& processor;
};

float before(const Rig& rig, std::uint32_t c, std::size_t i, std::size_t delay) {
  return i < delay ? 0.0f : rig.in[c][i - delay];
}

}  // namespace

TEST_CASE("a delay line gives every bit back, exactly its frames later: any length, width and buffers") {
  for (const std::uint32_t frames : {1u, 2u, 63u, 64u, 65u, 1000u, 96000u})
    for (const bool in_place : {false, true})
      for (const auto& pattern : test::buffer_patterns()) {
        const std::uint32_t channels = frames == 65 ? 19 : 2, length = frames + 1500;
        if (frames == 96000 && pattern.front() != 1000) continue;
        ThroughRig rig(rt::make_delay_line(1, channels, frames), {}, channels, length, 48000.0, in_place);
        rig.run(length, pattern);
        for (std::uint32_t c = 0; c < channels; ++c)
          for (std::size_t i = 0; i < length; ++i) REQUIRE(rig.out[c][i] == before(rig, c, i, frames));
      }
}

TEST_CASE("a delay that stands still is exact to the sample: round(time * rate), at every rate, from 0 to its memory") {
  for (const double rate : {44100.0, 48000.0, 96000.0, 192000.0})
    for (const double ms : {0.0, 0.01, 1.0, 1.333, 20.0, 50.0})
      for (const auto& pattern : {std::vector<std::uint32_t>{64}, {17}, {1000}, {3, 64, 1, 200, 63, 7}}) {
        const auto frames = static_cast<std::size_t>(std::lround(ms * rate / 1000.0));
        const auto most = static_cast<std::uint32_t>(std::lround(0.05 * rate));
        ThroughRig rig(rt::make_delay(1, 2, most), {ms, 0.0, -150.0, 0.0, 0.0}, 2, most + 2000, rate);
        rig.run(most + 2000, pattern);
        for (std::uint32_t c = 0; c < 2; ++c)
          for (std::size_t i = 0; i < rig.out[c].size(); ++i) REQUIRE(rig.out[c][i] == before(rig, c, i, frames));
      }
}

TEST_CASE("a delay longer than its memory is held to the memory") {
  ThroughRig rig(rt::make_delay(1, 1, 480), {500.0, 0.0, -150.0, 0.0, 0.0}, 1, 2000);
  rig.run(2000, {256});
  for (std::size_t i = 0; i < 2000; ++i) REQUIRE(rig.out[0][i] == before(rig, 0, i, 480));
}

TEST_CASE("feedback: each echo is the one before times the factor, also where the delay is shorter than a block") {
  for (const std::size_t delay : {1u, 5u, 64u, 100u})
    for (const double feedback : {0.5, -0.95}) {
      ThroughRig rig(rt::make_delay(1, 1, 4800), {static_cast<double>(delay) / 48.0, feedback, 0.0, -6.0, 0.0}, 1,
                     3000);
      rig.run(3000, {3, 64, 1, 200, 63});
      std::vector<double> line(3000);
      const double wet = std::pow(10.0, -6.0 / 20.0);
      for (std::size_t i = 0; i < 3000; ++i) {
        const double echo = i < delay ? 0.0 : line[i - delay];
        line[i] = static_cast<double>(rig.in[0][i]) + feedback * echo;
        REQUIRE(static_cast<double>(rig.out[0][i]) ==
                doctest::Approx(rig.in[0][i] + wet * echo).epsilon(1e-5).scale(10));
      }
    }
}

TEST_CASE("a new time cross-fades between two heads on the grid: no click, and then it is exact again") {
  ThroughRig rig(rt::make_delay(1, 1, 9600), {10.0, 0.0, -150.0, 0.0, 0.0}, 1, 12000);
  // A sine, whose steps are bounded: 300 Hz.
  for (std::size_t i = 0; i < 12000; ++i)
    rig.in[0][i] = static_cast<float>(std::sin(6.283185307 * 300.0 / 48000.0 * static_cast<double>(i)));
  rig.set(1, P::time_ms, 20.83, 4010);
  rig.run(12000, {256});
  double largest = 0.0;
  for (std::size_t i = 482; i < 12000; ++i)
    largest = std::max(largest, std::abs(static_cast<double>(rig.out[0][i]) - static_cast<double>(rig.out[0][i - 1])));
  CHECK(largest < 6.283185307 * 300.0 / 48000.0 + 2.0 / rt::kDelayFadeFrames);
  for (std::size_t i = 0; i < 4032; ++i) REQUIRE(rig.out[0][i] == before(rig, 0, i, 480));
  CHECK(rig.out[0][4200] != before(rig, 0, 4200, 480));
  for (std::size_t i = 4032 + rt::kDelayFadeFrames; i < 12000; ++i) REQUIRE(rig.out[0][i] == before(rig, 0, i, 1000));
}

TEST_CASE("a time that changes during a fade waits for its end, and the last one wins") {
  ThroughRig rig(rt::make_delay(1, 1, 9600), {10.0, 0.0, -150.0, 0.0, 0.0}, 1, 12000);
  for (int k = 0; k < 5; ++k) rig.set(1, P::time_ms, 20.0 + k, 4000 + 100 * k);
  rig.run(12000, {256});
  for (std::size_t i = 4032 + 2 * rt::kDelayFadeFrames; i < 12000; ++i)
    REQUIRE(rig.out[0][i] == before(rig, 0, i, 24 * 48));
}

TEST_CASE("delay: the same bits for any buffers, in place or not, and with commands to another node") {
  test::Channels reference;
  for (const auto& pattern : test::buffer_patterns())
    for (const bool in_place : {false, true}) {
      ThroughRig rig(rt::make_delay(1, 2, 4800), {0.7, 0.6, -3.0, -1.0, 0.0}, 2, 6000, 48000.0, in_place);
      rig.set(1, P::time_ms, 50.0, 1000);
      rig.set(1, P::time_ms, 0.0, 2500, 300);
      rig.set(1, P::feedback, -0.9, 1200, 500);
      rig.set(1, P::wet_db, -20.0, 1700, 77);
      rig.set(1, P::bypass, 1.0, 5000, 480);
      if (pattern.front() == 17)
        for (int k = 0; k < 40; ++k) rig.set(2, 0, 0.0, 900 + 29 * k);  // begins blocks, and that is all
      rig.run(6000, pattern);
      if (reference.empty()) reference = rig.out;
      REQUIRE(test::same_bits(reference, rig.out));
    }
  for (std::size_t i = 5481; i < 6000; ++i) REQUIRE(reference[1][i] == test::probe(static_cast<std::int64_t>(i), 1));
}
