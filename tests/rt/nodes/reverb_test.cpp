#include "rt/nodes/reverb.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/dsp/biquad.hpp"
#include "rt/nodes/gain.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;
using P = rt::ReverbParam;

struct ReverbRig : Rig {
  ReverbRig(std::uint32_t ins, std::uint32_t outs, std::vector<double> params, std::uint32_t frames,
            double rate = 48000.0, rt::ReverbRoom room = {})
      : Rig(outs, rate), reverb(adopt(std::unique_ptr<rt::Node>(rt::make_reverb(1, ins, room, rate)), params)) {
    in.assign(ins, std::vector<float>(frames, 0.0f));
    test::PlanBuilder b(rate);
    const auto wet = b.node(reverb, b.node(node(rt::device_input_kind()), {}, ins), outs);
    b.node(node(rt::device_output_kind()), b.in_place(node(rt::gain_kind(), {0.0}), wet), 0);
    send(b.build(), {});
  }
  rt::Node& reverb;
};

/// Seconds to -60 dB: M. R. Schroeder, "New method of measuring reverberation time" (1965), the slope from -5 to -35
/// dB.
double decay_of(const std::vector<double>& x, double rate) {
  std::vector<double> left(x.size() + 1);
  for (std::size_t i = x.size(); i-- > 0;) left[i] = left[i + 1] + x[i] * x[i];
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double db = 10.0 * std::log10(left[i] / left[0]);
    if (db > -5.0) continue;
    if (db < -35.0) break;
    const double t = static_cast<double>(i) / rate;
    n += 1, sx += t, sy += db, sxx += t * t, sxy += t * db;
  }
  return -60.0 / ((n * sxy - sx * sy) / (n * sxx - sx * sx));
}

std::vector<double> low_passed(const std::vector<float>& x, double hz, double rate) {
  const rt::dsp::Section s = rt::dsp::design_section(rt::dsp::BandType::low_pass, hz, 0.0, 0.7071, rate);
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto past = [&](const auto& v, std::size_t k) { return i < k ? 0.0 : static_cast<double>(v[i - k]); };
    y[i] = s.b0 * past(x, 0) + s.b1 * past(x, 1) + s.b2 * past(x, 2) - s.a1 * past(y, 1) - s.a2 * past(y, 2);
  }
  return y;
}

}  // namespace

TEST_CASE("the reverb decays by 60 dB in decay_s: within 5 %, by Schroeder's integral, at several rates") {
  for (const double rate : {44100.0, 48000.0, 96000.0})
    for (const double seconds : {0.5, 2.0, 8.0}) {
      if (rate > 50000.0 && seconds > 2.0) continue;
      const auto frames = static_cast<std::uint32_t>(1.2 * seconds * rate);
      ReverbRig rig(1, 2, {seconds, 1.0, -150.0, 0.0, 0.0}, frames, rate);
      rig.in[0][0] = 1.0f;
      rig.run(frames, {512});
      for (const auto& c : rig.out) {
        const double measured = decay_of(std::vector<double>(c.begin(), c.end()), rate);
        CAPTURE(rate);
        CAPTURE(measured);
        CHECK(measured == doctest::Approx(seconds).epsilon(0.05));
      }
    }
}

TEST_CASE("damping: low frequencies keep decay_s, the whole decays faster") {
  ReverbRig rig(1, 2, {2.0, 0.3, -150.0, 0.0, 0.0}, 120000);
  rig.in[0][0] = 1.0f;
  rig.run(120000, {512});
  const double low = decay_of(low_passed(rig.out[0], 300.0, 48000.0), 48000.0);
  const double whole = decay_of(std::vector<double>(rig.out[0].begin(), rig.out[0].end()), 48000.0);
  CAPTURE(low);
  CAPTURE(whole);
  CHECK(low == doctest::Approx(2.0).epsilon(0.05));
  CHECK(whole < 1.9);
  CHECK(whole > 0.5);
}

TEST_CASE("the predelay is silent, then the shortest line answers; size makes it later") {
  const auto first_sound = [](rt::ReverbRoom room) {
    ReverbRig rig(2, 2, {1.0, 0.5, -150.0, 0.0, 0.0}, 24000, 48000.0, room);
    rig.in[0][0] = rig.in[1][0] = 1.0f;
    rig.run(24000, {512});
    std::size_t i = 0;
    while (i < 24000 && rig.out[0][i] == 0.0f) ++i;
    return i;
  };
  const std::size_t plain = first_sound({});
  CHECK(plain >= 1392);  // 29 ms
  CHECK(plain < 1450);
  CHECK(first_sound({.size = 1.0, .predelay_ms = 0.5}) == plain + 24);
  CHECK(first_sound({.size = 1.0, .predelay_ms = 100.0}) == plain + 4800);
  CHECK(first_sound({.size = 2.0}) >= 2 * 1392);
}

TEST_CASE("two channels of a reverb are not alike, more than two come out as they went in, and it never grows") {
  for (const std::uint32_t channels : {2u, 6u, 20u}) {
    ReverbRig rig(channels, channels, {20.0, 1.0, -150.0, 0.0, 0.0}, 96000);
    for (std::uint32_t c = 0; c < channels; ++c)
      for (std::uint32_t i = 0; i < 4800; ++i) rig.in[c][i] = test::probe(i, c);
    rig.run(96000, {512});
    double loud[2] = {}, cross = 0.0, before = 0.0, after = 0.0;
    for (std::size_t i = 12000; i < 96000; ++i) {
      loud[0] += static_cast<double>(rig.out[0][i]) * rig.out[0][i];
      loud[1] += static_cast<double>(rig.out[1][i]) * rig.out[1][i];
      cross += static_cast<double>(rig.out[0][i]) * rig.out[1][i];
      (i < 54000 ? before : after) += static_cast<double>(rig.out[0][i]) * rig.out[0][i];
    }
    CHECK(std::abs(cross) < 0.1 * std::sqrt(loud[0] * loud[1]));
    CHECK(loud[0] > 0.0);
    CHECK(after < before);
    CHECK(rig.out.back()[50000] != 0.0f);
  }
}

TEST_CASE("reverb: the same bits for any buffers while everything moves, and bypass passes every bit") {
  test::Channels reference;
  for (const auto& pattern : test::buffer_patterns()) {
    ReverbRig rig(2, 2, {1.0, 0.5, 0.0, -3.0, 0.0}, 12000, 48000.0, {.size = 0.25, .predelay_ms = 1.0});
    for (std::uint32_t c = 0; c < 2; ++c)
      for (std::uint32_t i = 0; i < 12000; ++i) rig.in[c][i] = test::probe(i, c);
    rig.set(1, P::decay_s, 5.0, 1003, 1777);
    rig.set(1, P::hf_ratio, 0.1, 2000, 481);
    rig.set(1, P::dry_db, -150.0, 3000, 480);
    rig.set(1, P::bypass, 1.0, 9000, 480);
    if (pattern.front() == 65)
      for (int k = 0; k < 100; ++k) rig.set(2, 0, 0.0, 900 + 29 * k);  // begins blocks, and that is all
    rig.run(12000, pattern);
    if (reference.empty()) reference = rig.out;
    REQUIRE(test::same_bits(reference, rig.out));
  }
  for (std::size_t i = 9481; i < 12000; ++i) REQUIRE(reference[1][i] == test::probe(static_cast<std::int64_t>(i), 1));
}
