#include <doctest/doctest.h>

#include <cmath>

#include "tests/server/session/offline_rig.hpp"

namespace {

using namespace continuo;
using namespace continuo::session;
using session::test::document;
using session::test::Rig;
using session::test::Sound;
using session::test::test_sample;

std::string track_of(const std::string& children) {
  return "{'nodes': [{'id': 'a', 'type': 'track', 'params': {'channels': 2}, 'children': [" + children +
         "]}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}";
}
float in(std::uint32_t c, rt::FrameCount frame) { return frame < 0 ? 0.0f : test_sample("in", c, frame); }

}  // namespace

TEST_CASE("a delay of a document is late by its time, and not latency") {
  Rig rig(2, 2);
  rig.take(
      document(track_of("{'id': 'd', 'type': 'delay', 'params': {'time_ms': 10, 'dry_db': -150, 'wet_db': 0, "
                        "'max_ms': 50}}")));
  const Sound out = rig.render(2000, 37);
  for (std::uint32_t c = 0; c < 2; ++c)
    for (std::size_t i = 0; i < 2000; ++i) REQUIRE(out[c][i] == in(c, static_cast<rt::FrameCount>(i) - 480));
}

TEST_CASE("a matrix of a document swaps two channels, and makes as many as it is told") {
  Rig rig(2, 2);
  rig.take(
      document(track_of("{'id': 'm', 'type': 'matrix', 'params': {'gain.1_1': 0, 'gain.1_2': 1, 'gain.2_1': -1, "
                        "'gain.2_2': 0}}")));
  const Sound out = rig.render(500, 64);
  for (std::size_t i = 0; i < 500; ++i) {
    REQUIRE(out[0][i] == in(1, static_cast<rt::FrameCount>(i)));
    REQUIRE(out[1][i] == -in(0, static_cast<rt::FrameCount>(i)));
  }
  Rig wide(2, 6);
  wide.take(document(track_of("{'id': 'm', 'type': 'matrix', 'params': {'channels': 6, 'gain.6_1': 0.5}}")));
  const Sound six = wide.render(500, 64);
  for (std::size_t i = 0; i < 500; ++i) REQUIRE(six[5][i] == 0.5f * in(0, static_cast<rt::FrameCount>(i)));
}

TEST_CASE("a reverb of a document answers on two channels; another size is another node") {
  Rig rig(2, 2);
  const auto room = [](const char* size) {
    return document(track_of(
        std::string("{'id': 'r', 'type': 'reverb', 'params': {'dry_db': -150, 'wet_db': 0, 'size': ") + size + "}}"));
  };
  rig.take(room("1"));
  const Sound out = rig.render(9600, 64);
  CHECK(out[0][1000] == 0.0f);
  CHECK(out[0][9000] != 0.0f);
  CHECK(out[0][9000] != out[1][9000]);
  const std::size_t before = rig.destroyed;
  rig.take(room("2"));
  rig.render(48000, 64);
  rig.take(room("2"));  // the fade is over: what faded out goes
  rig.render(64, 64);
  CHECK(rig.destroyed > before);
}

TEST_CASE("a sweep of a document begins with the timeline and begins again after its gap") {
  Rig rig(0, 2);
  rig.start_timeline();
  rig.take(
      document(track_of("{'id': 's', 'type': 'sweep', 'params': {'start_hz': 100, 'end_hz': 1000, 'duration_s': "
                        "0.01, 'gap_s': 0.01, 'repeat': true, 'gain_db': 0, 'channels': 2}}")));
  const Sound out = rig.render(2000, 64);
  const double l = std::log(10.0);
  for (std::size_t i = 0; i < 2000; ++i) {
    const double t = static_cast<double>(i % 960) / 48000.0;
    const double expected =
        i % 960 < 480 ? std::sin(6.283185307179586 * 100.0 * 0.01 / l * (std::exp(t * l / 0.01) - 1.0)) : 0.0;
    REQUIRE(std::abs(static_cast<double>(out[0][i]) - expected) < 1e-5);
    REQUIRE(out[0][i] == out[1][i]);
  }
}
