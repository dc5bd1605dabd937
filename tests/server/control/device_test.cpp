#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

const std::string kTone =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

float largest_step(const std::vector<float>& samples) {
  float result = 0.0f;
  for (std::size_t i = 1; i < samples.size(); ++i) result = std::max(result, std::abs(samples[i] - samples[i - 1]));
  return result;
}

float peak(const std::vector<float>& samples) {
  float result = 0.0f;
  for (const float sample : samples) result = std::max(result, std::abs(sample));
  return result;
}

Result<v1::UseDeviceResponse> use(Rig& rig, const std::string& name) {
  v1::UseDeviceRequest request;
  request.set_name(name);
  return rig.answer<v1::UseDeviceResponse>([&](auto done) { rig.engine->use_device(request, std::move(done)); });
}

}  // namespace

TEST_CASE("a missing device: the clock device runs, degraded, and the daemon moves over when the device comes") {
  RigOptions options;
  options.present = false;
  options.wanted = "stepped";
  Rig rig(options);
  auto status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  REQUIRE(status.reasons_size() > 0);
  CHECK(status.reasons(0).find("stepped") != std::string::npos);
  CHECK(status.device().host_api() == "clock");
  CHECK(status.device().wanted() == "stepped");
  rig.applied(kTone);  // it is applied: the clock device is a device
  const std::string session = rig.session();
  rig.hardware->set_present(true);
  REQUIRE(rig.until([&] { return rig.hardware->started(); }));
  REQUIRE(rig.until([&] { return rig.status().device().wanted().empty(); }));
  CHECK(rig.status().device().name() == "stepped");
  CHECK(rig.session() == session);
  rig.hardware->clear_recording();
  rig.hardware->run(9600);
  const auto heard = rig.hardware->recording(0);
  CHECK(peak(heard) > 0.01f);
  CHECK(largest_step(heard) < 0.02f);  // it came in with a fade
}

TEST_CASE("a lost device: the clock device takes over, the frames go on, and the device is taken back") {
  RigOptions options;
  options.wanted = "stepped";
  Rig rig(options);
  rig.applied(kTone);
  rig.applied("{'operations':[{'play':{}}]}");
  const auto before = rig.engine->clock();
  SUBCASE("its server ended") { rig.hardware->lose(); }
  SUBCASE("its server is frozen") { rig.hardware->freeze(); }
  rig.hardware->set_present(false);
  REQUIRE(rig.until([&] { return rig.status().device().host_api() == "clock"; }));
  const auto status = rig.status();
  CHECK(status.device().wanted() == "stepped");
  CHECK(status.device().sample_rate_hz() == 48'000.0);
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'gain_db':-6}}}]}");
  CHECK(rig.engine->clock().engine_frame() > before.engine_frame());
  CHECK(rig.engine->clock().generation() == before.generation());
  CHECK(rig.engine->clock().rolling());
  rig.hardware->thaw();
  rig.hardware->set_present(true);
  REQUIRE(rig.until([&] { return rig.status().device().name() == "stepped"; }));
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'gain_db':-3}}}]}");
}

TEST_CASE("device use moves live with a fade; an error leaves the one before running") {
  RigOptions options;
  options.wanted = "stepped";
  const auto other = std::make_shared<device::SteppedHardware>(device::stepped_info("other", 2, 4, 96'000.0));
  options.more.push_back(other);
  Rig rig(options);
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 300'000));
  rig.applied(kTone);
  rig.applied("{'operations':[{'play':{}},{'locate':{'timelineFrame':'48000'}}]}");
  rig.hardware->run(9600);

  const auto none = use(rig, "nobody has this");
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::not_found);
  other->set_openable(false);
  const auto busy = use(rig, "other");
  REQUIRE_FALSE(busy);
  CHECK(rig.hardware->started());
  CHECK(rig.status().device().name() == "stepped");
  other->set_openable(true);

  rig.hardware->clear_recording();
  const auto before = rig.engine->clock();
  const auto moved = use(rig, "other");
  REQUIRE(moved);
  CHECK(moved->sample_rate_hz() == 96'000.0);
  CHECK_FALSE(rig.hardware->started());
  CHECK(other->started());
  const auto left = rig.hardware->recording(0);
  CHECK(largest_step(left) < 0.02f);
  CHECK(std::abs(left.back()) < 1e-3f);  // silent before it was stopped
  rig.applied("{'operations':[{'setLabel':{'path':'a','label':'x'}}]}");
  const auto now = rig.engine->clock();
  CHECK(now.generation() == before.generation() + 1);
  CHECK(now.engine_rate_hz() == 96'000.0);
  CHECK(now.engine_frame() >= before.engine_frame());
  // The session has no rate of its own: the timeline keeps its seconds at the new one.
  CHECK(static_cast<double>(now.timeline_frame()) / now.timeline_rate_hz() >=
        static_cast<double>(before.timeline_frame()) / before.timeline_rate_hz() - 1e-4);
  CHECK(rig.status().device().out_channels() == 4);
  other->clear_recording();
  other->run(19'200);
  CHECK(peak(other->recording(0)) > 0.01f);
  CHECK(peak(other->recording(3)) == 0.0f);

  REQUIRE(use(rig, "clock"));
  CHECK(rig.status().device().host_api() == "clock");
  CHECK(rig.status().device().wanted().empty());
}

TEST_CASE("a free player that sounds keeps its place over a change of rate") {
  RigOptions options;
  options.wanted = "stepped";
  const auto other = std::make_shared<device::SteppedHardware>(device::stepped_info("other", 2, 2, 96'000.0));
  options.more.push_back(other);
  Rig rig(options);
  // Half a second of silence, then a level: what is heard tells where it is.
  std::vector<float> file(2 * 48'000 * 4, 0.25f);
  std::fill_n(file.begin(), 2 * 24'000, 0.0f);
  rig.write_wav("s.wav", 2, 48'000, file);
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'p','type':'player','params':{'file':'media:s.wav','mode':'free'}}}},"
      "{'connect':{'from':'p','to':'out'}},{'play':{'players':['p']}}]}");
  rig.hardware->run(48'000);
  CHECK(rig.hardware->last_output(0)[0] == 0.25f);
  REQUIRE(use(rig, "other"));
  other->run(24'000);  // a quarter of a second; from its beginning it would be silent
  CHECK(other->last_output(0)[0] == doctest::Approx(0.25f).epsilon(1e-3));
}

TEST_CASE("devices are listed with channels from 1, labels, and the one in use") {
  Rig rig;
  const auto listed =
      rig.answer<v1::ListDevicesResponse>([&](auto done) { rig.engine->list_devices(std::move(done)); });
  REQUIRE(listed);
  REQUIRE(listed->devices_size() == 1);
  const auto& device = listed->devices(0);
  CHECK(device.in_use());
  REQUIRE(device.outputs_size() == 2);
  CHECK(device.outputs(0).number() == 1);
  CHECK(device.outputs(0).label() == "left");
  CHECK(device.inputs(1).label().empty());
}

TEST_CASE("identify: bursts on one channel alone; no edit; ends early when the client goes") {
  RigOptions options;
  options.out = 4;
  Rig rig(options);
  const auto revision = rig.status().revision();
  const std::string session = rig.session();
  rig.hardware->clear_recording();
  v1::IdentifyRequest request;
  request.set_channel(3);
  request.set_seconds(1.0);
  REQUIRE(rig.answer<v1::IdentifyResponse>([&](auto done) { rig.engine->identify(request, std::move(done)); }));
  rig.turns(50);
  const auto tone = rig.hardware->recording(2);
  CHECK(peak(tone) == doctest::Approx(0.0316).epsilon(0.02));  // -30 dBFS
  for (const std::uint32_t quiet : {0u, 1u, 3u}) CHECK(peak(rig.hardware->recording(quiet)) == 0.0f);
  // Two bursts of a tenth of a second, apart.
  std::size_t loud = 0, edges = 0;
  bool was = false;
  for (std::size_t i = 0; i + 48 <= tone.size(); i += 48) {
    const bool is = peak({tone.begin() + static_cast<std::ptrdiff_t>(i),
                          tone.begin() + static_cast<std::ptrdiff_t>(i + 48)}) > 0.02f;
    loud += is;
    edges += is && !was;
    was = is;
  }
  CHECK(edges == 2);
  CHECK(loud * 48 == doctest::Approx(9600).epsilon(0.1));
  CHECK(rig.session() == session);
  CHECK(rig.status().revision().number() == revision.number());

  request.set_channel(5);
  const auto missing =
      rig.answer<v1::IdentifyResponse>([&](auto done) { rig.engine->identify(request, std::move(done)); });
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
  request.set_channel(1);
  request.set_seconds(61.0);
  CHECK_FALSE(rig.answer<v1::IdentifyResponse>([&](auto done) { rig.engine->identify(request, std::move(done)); }));
  request.set_seconds(60.0);
  bool ended = false;
  const auto token = rig.engine->identify(request, [&](const auto&) { ended = true; });
  rig.turns(20);
  CHECK_FALSE(ended);
  rig.engine->stop_identify(token);
  REQUIRE(rig.until([&] { return ended; }));
}
