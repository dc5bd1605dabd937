// A convolution while it sounds: its impulse response is there with the edit that names it, another one replaces it
// without a click, and what cannot be one is refused or told.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

constexpr double kHz = 300.0;

/// A sample of this height, so late.
std::vector<float> spike(std::size_t at, float height) {
  std::vector<float> samples(at + 1, 0.0f);
  samples[at] = height;
  return samples;
}

std::string add_tone(const std::string& file) {
  return "{'addNode':{'node':{'id':'a','type':'track','params':{'pan':-1},'children':[{'id':'o','type':'oscillator',"
         "'params':{'frequency_hz':" +
         std::to_string(kHz) +
         ",'gain_db':-6}},{'id':'c','type':'convolution','params':{'latency_frames':'64','file':'" + file +
         "'}}]}}},{'connect':{'from':'a','to':'out'}}";
}
std::string set_file(const std::string& file) {
  return "{'operations':[{'setParams':{'path':'a/c','values':{'file':'" + file + "'}}}]}";
}

struct Heard {
  float peak = 0.0f;  // of the last frames
  float step = 0.0f;  // largest, of all
};
/// The left channel over so many frames from now on.
Heard listen(Rig& rig, std::uint32_t frames, const std::function<void()>& meanwhile = {}) {
  rig.hardware->clear_recording();
  if (meanwhile) meanwhile();
  rig.hardware->run(frames);
  const std::vector<float> left = rig.hardware->recording(0);
  Heard heard;
  for (std::size_t i = 1; i < left.size(); ++i) {
    heard.step = std::max(heard.step, std::abs(left[i] - left[i - 1]));
    if (i + 1000 >= left.size()) heard.peak = std::max(heard.peak, std::abs(left[i]));
  }
  return heard;
}

const float kFull = static_cast<float>(std::pow(10.0, -6.0 / 20.0));
const float kSteepest = kFull * static_cast<float>(2.0 * 3.14159265358979 * kHz / 48'000.0);

}  // namespace

TEST_CASE("convolution: sounds with the edit that names its file, and changes it without a click") {
  Rig rig;
  rig.write_wav("half.wav", 1, 48'000, spike(100, 0.5f));
  rig.write_wav("quarter.wav", 1, 48'000, spike(3000, 0.25f));
  rig.hardware->run(4800);  // the output has faded in
  rig.applied("{'operations':[" + add_tone("media:half.wav") + "]}");
  rig.hardware->run(9600);
  CHECK(listen(rig, 4800).peak == doctest::Approx(0.5f * kFull).epsilon(0.001));

  const Heard swapped = listen(rig, 9600, [&] { rig.applied(set_file("media:quarter.wav")); });
  CHECK(swapped.peak == doctest::Approx(0.25f * kFull).epsilon(0.001));
  CHECK(swapped.step < 1.2f * kSteepest);

  // No file at all: nothing is heard.
  CHECK(listen(rig, 9600, [&] { rig.applied(set_file("")); }).peak == 0.0f);
  CHECK(rig.status().state() == v1::GetStatusResponse::STATE_HEALTHY);
}

TEST_CASE("convolution: what cannot be an impulse response refuses the edit, and is told of a session") {
  Rig rig;
  rig.write_wav("good.wav", 1, 48'000, spike(10, 1.0f));
  rig.write_wav("long.wav", 1, 8'000, std::vector<float>(80'001, 0.1f));
  rig.write_wav("wide.wav", 9, 48'000, std::vector<float>(9 * 10, 0.1f));
  rig.applied("{'operations':[" + add_tone("media:good.wav") + "]}");
  const std::string before = rig.session();
  for (const auto& [file, reason] : {std::pair("media:long.wav", "TOO_LONG"),
                                     {"media:wide.wav", "TOO_MANY_CHANNELS"},
                                     {"media:no.wav", "NOT_FOUND"}}) {
    CAPTURE(file);
    const auto refused = rig.apply(set_file(file));
    REQUIRE_FALSE(refused);
    if (std::string(reason) != "NOT_FOUND") CHECK(refused.error().reason == reason);
    CHECK(refused.error().field == "operations[0].set_params.values.file");
    CHECK(refused.error().message.find(std::string(file).substr(6)) != std::string::npos);
  }
  CHECK(rig.session() == before);

  std::string text = before;
  text.replace(text.find("media:good.wav"), 14, "media:long.wav");
  const auto loaded = rig.load(text);
  REQUIRE(loaded);
  REQUIRE(loaded->warnings_size() == 1);
  CHECK(loaded->warnings(0).find("long.wav") != std::string::npos);
  // It refuses no other edit, and a good file sounds.
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'channels':2}}}]}");
  rig.hardware->run(9600);
  CHECK(listen(rig, 4800).peak == 0.0f);
  CHECK(listen(rig, 9600, [&] { rig.applied(set_file("media:good.wav")); }).peak > 0.1f);
}

TEST_CASE("convolution: a file that breaks when it is read is silence, and the status says why") {
  Rig rig;
  std::vector<float> broken = spike(50, 1.0f);
  broken[20] = std::numeric_limits<float>::infinity();
  rig.write_wav("broken.wav", 1, 48'000, broken);
  rig.applied("{'operations':[" + add_tone("media:broken.wav") + "]}");
  CHECK(listen(rig, 9600).peak == 0.0f);
  const auto status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  CHECK(std::ranges::any_of(status.reasons(),
                            [](const std::string& reason) { return reason.find("broken.wav") != std::string::npos; }));
  rig.applied(set_file(""));
  CHECK(rig.status().state() == v1::GetStatusResponse::STATE_HEALTHY);
}
