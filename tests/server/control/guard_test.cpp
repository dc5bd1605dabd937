#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "tests/server/control/rig.hpp"

// What the guards of the engine tell a client: nodes that went wrong, files and inputs that hold what is no number, the
// ceiling; and that every device begins softly.
using namespace continuo;
using namespace continuo::control::test;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

const std::string kWire = "{'operations':[{'connect':{'from':'in','to':'out'}}]}";

std::string play_file(const std::string& params) {
  return "{'operations':[{'addNode':{'node':{'id':'vox','type':'track','children':[{'id':'p','type':'player','params':{"
         "'file':'media:s.wav','loop':true" +
         params + "}},{'id':'eq','type':'eq'}]}}},{'connect':{'from':'vox','to':'out'}},{'play':{}}]}";
}

bool has_reason(const v1::GetStatusResponse& status, const std::string& part) {
  return std::ranges::any_of(status.reasons(),
                             [&](const std::string& reason) { return reason.find(part) != std::string::npos; });
}

float largest_step(const std::vector<float>& samples) {
  float result = 0.0f;
  for (std::size_t i = 1; i < samples.size(); ++i) result = std::max(result, std::abs(samples[i] - samples[i - 1]));
  return result;
}
bool all_finite(const std::vector<float>& samples) {
  return std::ranges::all_of(samples, [](float x) { return std::isfinite(x); });
}

void use(Rig& rig, const std::string& name) {
  v1::UseDeviceRequest request;
  request.set_name(name);
  REQUIRE(rig.answer<v1::UseDeviceResponse>([&](auto done) { rig.engine->use_device(request, std::move(done)); }));
}

}  // namespace

TEST_CASE("a node that overflows is muted, and the status names it, counts it, and says when it is well again") {
  Rig rig;
  rig.write_wav("s.wav", 1, 48'000, std::vector<float>(48'000, 3e38f));
  rig.hardware->clear_recording();
  rig.applied(play_file(",'gain_db':12"));  // the player makes infinities of it
  REQUIRE(rig.until([&] { return rig.status().node_faults_size() > 0; }));
  auto status = rig.status();
  REQUIRE(status.node_faults_size() == 1);
  CHECK(status.node_faults(0).path() == "vox/p");  // and nobody behind it
  CHECK(status.node_faults(0).count() >= 1);
  CHECK(status.node_faults(0).last_engine_frame() > 0);
  CHECK(status.node_faults(0).muted());
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  CHECK(has_reason(status, "vox/p gave NaN or Inf"));
  CHECK(rig.engine->audio_alive());
  const auto first = status.node_faults(0).count();
  REQUIRE(rig.until([&] { return rig.status().node_faults(0).count() > first; }));  // a second later, again
  CHECK(rig.status().counters().node_faults() > first);

  rig.applied("{'operations':[{'setParams':{'path':'vox/p','values':{'gain_db':-150}}}]}");
  rig.applied("{'operations':[{'setLabel':{'path':'vox/p','label':'x'}}]}");
  REQUIRE(rig.until([&] { return !rig.status().node_faults(0).muted(); }));
  CHECK(all_finite(rig.hardware->recording(0)));
  // It moves, and is named where it is.
  rig.applied("{'operations':[{'moveNode':{'path':'vox','id':'voice'}}]}");
  CHECK(rig.status().node_faults(0).path() == "voice/p");
  // A minute of sound later it is history, no reason.
  for (int i = 0; i < 61; ++i) rig.hardware->run(48'000, 4096);
  status = rig.status();
  CHECK(status.node_faults_size() == 1);
  CHECK_FALSE(has_reason(status, "gave NaN or Inf"));
}

TEST_CASE("a node that is gone takes its faults along: removed, or with its session") {
  Rig rig;
  rig.write_wav("s.wav", 1, 48'000, std::vector<float>(48'000, 3e38f));
  const auto break_it = [&] {
    rig.applied(play_file(",'gain_db':12"));
    REQUIRE(rig.until([&] { return has_reason(rig.status(), "vox/p gave NaN or Inf"); }));
  };
  break_it();
  const auto counted = rig.status().counters().node_faults();
  CHECK(counted > 0);
  SUBCASE("removed") { rig.applied("{'operations':[{'removeNode':{'path':'vox'}}]}"); }
  SUBCASE("another session") { REQUIRE(rig.load("{}")); }
  rig.hardware->run(9'600);
  auto status = rig.status();
  CHECK(status.node_faults_size() == 0);
  CHECK_FALSE(has_reason(status, "gave NaN"));
  // What only counters know is a reason for a minute of sound, and stays counted.
  for (int i = 0; i < 61; ++i) rig.hardware->run(48'000, 4096);
  status = rig.status();
  CHECK_FALSE(has_reason(status, "NaN"));
  CHECK(status.counters().node_faults() >= counted);
  break_it();  // another node of that name is judged by what it does
  CHECK(rig.status().node_faults(0).count() >= 1);
}

TEST_CASE("a file that holds NaN is played with silence in their place, and named") {
  Rig rig;
  std::vector<float> sound(9'600, 0.25f);
  for (std::size_t i = 100; i < sound.size(); i += 100) sound[i] = kNan;
  rig.write_wav("s.wav", 1, 48'000, sound);
  rig.hardware->clear_recording();
  rig.applied(play_file(""));
  REQUIRE(rig.until([&] { return has_reason(rig.status(), "media:s.wav holds NaN or infinite samples"); }));
  const auto status = rig.status();
  CHECK(status.node_faults_size() == 0);
  CHECK(status.counters().non_finite_samples() == 0);
  CHECK(all_finite(rig.hardware->recording(0)));
  rig.applied("{'operations':[{'removeNode':{'path':'vox'}}]}");
  REQUIRE(rig.until([&] { return !has_reason(rig.status(), "media:s.wav"); }));
}

TEST_CASE("a device whose input gives NaN is named 'in', and what is recorded of it is finite") {
  Rig rig;
  rig.hardware->set_input(
      [](std::uint32_t channel, rt::FrameCount frame) { return channel == 0 && frame % 50 == 0 ? kNan : 0.25f; });
  rig.hardware->clear_recording();
  rig.applied(kWire);
  REQUIRE(rig.until([&] { return rig.status().node_faults_size() > 0; }));
  const auto status = rig.status();
  CHECK(status.node_faults(0).path() == "in");
  CHECK_FALSE(status.node_faults(0).muted());
  CHECK(status.counters().non_finite_inputs() > 0);
  CHECK(status.counters().non_finite_samples() == 0);
  rig.hardware->run(9'600);
  CHECK(all_finite(rig.hardware->recording(0)));
  CHECK(rig.hardware->last_output(1).back() == 0.25f);
}

TEST_CASE("no sample leaves above the configured ceiling; the default is full scale, and what was cut off is counted") {
  for (const double db : {0.0, -6.0}) {
    RigOptions options;
    options.ceiling_db = db;
    Rig rig(options);
    const auto ceiling = static_cast<float>(std::pow(10.0, db / 20.0));
    rig.hardware->set_input([](std::uint32_t channel, rt::FrameCount) { return channel == 0 ? 4.0f : 0.25f; });
    rig.applied(kWire);
    const auto take = rig.applied("{'operations':[{'recordStart':{'nodes':['out'],'frames':'4800'}}]}");
    rig.hardware->clear_recording();
    rig.hardware->run(9'600);
    const auto heard = rig.hardware->recording(0);
    CHECK(*std::ranges::max_element(heard) == doctest::Approx(ceiling).epsilon(1e-6));
    CHECK(rig.hardware->last_output(1).back() == 0.25f);
    CHECK(rig.status().counters().ceiling_samples() >= 9'600);
    REQUIRE(rig.until([&] {
      const auto status = rig.status();
      return std::ranges::any_of(status.takes(), [](const auto& one) { return !one.recording(); });
    }));
    std::uint32_t channels = 0;
    const auto recorded = rig.read_wav(rig.take_file(take.takes(0)), channels);
    CHECK(recorded[recorded.size() - channels] == 4.0f);  // takes do not hear it
  }
}

TEST_CASE("every device begins in silence and rises without a jump, though what sounds is at full scale") {
  RigOptions options;
  options.wanted = "stepped";
  const auto other = std::make_shared<device::SteppedHardware>(device::stepped_info("other", 2, 2, 96'000.0));
  const auto twin = std::make_shared<device::SteppedHardware>(device::stepped_info("twin", 2, 2, 48'000.0));
  options.more = {other, twin};
  Rig rig(options);
  const auto full_scale = [](std::uint32_t, rt::FrameCount) { return 1.0f; };
  for (const auto& hardware : {rig.hardware, other, twin}) hardware->set_input(full_scale);
  rig.applied(kWire);
  // 50 ms from nothing to all of it, in equal steps.
  const auto check_rise = [&](device::SteppedHardware& hardware) {
    REQUIRE(rig.until([&] { return hardware.last_output(0).size() > 0 && hardware.last_output(0).back() == 1.0f; }));
    const auto heard = hardware.recording(0);
    const auto frames = 0.05 * hardware.info().sample_rate_hz;
    REQUIRE(heard.size() > static_cast<std::size_t>(frames));
    CHECK(heard.front() == 0.0f);
    CHECK(largest_step(heard) < 1.01 / frames);
    CHECK(std::ranges::is_sorted(heard));
    CHECK(heard[static_cast<std::size_t>(frames / 2)] <= 0.501f);
  };
  SUBCASE("another device, of the same rate") {
    use(rig, "twin");
    check_rise(*twin);
  }
  SUBCASE("another device, of another rate") {
    use(rig, "other");
    check_rise(*other);
  }
  SUBCASE("a device that was lost and comes back, in any buffers") {
    rig.buffer = 17;
    rig.hardware->set_present(false);
    rig.hardware->lose();
    REQUIRE(rig.until([&] { return rig.status().device().host_api() == "clock"; }));
    rig.hardware->clear_recording();
    rig.hardware->set_present(true);
    REQUIRE(rig.until([&] { return rig.status().device().name() == "stepped"; }));
    check_rise(*rig.hardware);
  }
  SUBCASE("there and back") {
    use(rig, "twin");
    use(rig, "stepped");
    rig.hardware->clear_recording();
    rig.hardware->run(9'600);
    const auto heard = rig.hardware->recording(0);
    CHECK(largest_step(heard) < 1.01f / 2400.0f);
    CHECK(heard.back() == 1.0f);
  }
}
