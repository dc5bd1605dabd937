// After a restart: stop or resume, apart for playback and recording; and what becomes of both when the device is lost.
#include <sndfile.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tests/server/control/rig.hpp"
#include "tests/support/fake_disk.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

RigOptions options(bool playback, bool recording, bool session = false) {
  RigOptions options;
  options.adjust = [playback, recording, session](control::EngineConfig& config) {
    config.restore_session = session;
    config.resume_playback = playback;
    config.resume_recording = recording;
  };
  return options;
}

const char* const kSession =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','params':{'gain_db':-6},'children':["
    "{'id':'p','type':'player','params':{'file':'media:s.wav'}},{'id':'rec','type':'recorder','params':{'format':'"
    "pcm24'}}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

struct ResumeRig : Rig {
  ResumeRig(bool playback, bool recording, bool session = false) : Rig(options(playback, recording, session)) {
    write_wav("s.wav", 2, 48'000, ramp_signal(2, 400'000));
    applied(kSession);
  }
  std::string place() {
    std::ifstream in(folder.path() / "state" / "last-place.json");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// What is on the disk is of this second.
  void settle() {
    const auto frame = engine->clock().timeline_frame();
    REQUIRE(until([&] {
      const std::string text = place();
      const auto at = text.find("timeline_frame\":\"");
      return at != std::string::npos && std::atoll(text.c_str() + at + 17) >= frame && session_saved();
    }));
  }
  bool session_saved() {
    std::ifstream in(folder.path() / "state" / "last-session.json");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    return text.find("pcm24") != std::string::npos;
  }
};

}  // namespace

TEST_CASE("resume: session, place and takes are taken up at one frame, into new files") {
  ResumeRig rig(true, true);
  rig.applied("{'operations':[{'locate':{'timelineFrame':'50000'}},{'play':{}},{'recordStart':{}}]}");
  rig.turns(100);
  rig.settle();
  const auto at = rig.engine->clock().timeline_frame();
  rig.restart();
  const auto clock = rig.engine->clock();
  CHECK(clock.rolling());
  CHECK(clock.timeline_frame() >= 50'000);
  CHECK(clock.timeline_frame() < at + 48'000);
  CHECK(rig.session().find("\"gain_db\": -6") != std::string::npos);
  v1::GetStatusResponse status;
  REQUIRE(rig.until([&] {
    status = rig.status();
    return std::ranges::any_of(status.takes(), [](const auto& take) { return take.recording() && take.frames() > 0; });
  }));
  const auto take = std::ranges::find_if(status.takes(), [](const auto& one) { return one.recording(); });
  CHECK(take->node() == "a/rec");
  CHECK(take->channels() == 2);
  rig.shutdown();
}

TEST_CASE("resume of the one is not resume of the other") {
  for (const bool playback : {true, false}) {
    CAPTURE(playback);
    ResumeRig rig(playback, !playback);
    rig.applied("{'operations':[{'locate':{'timelineFrame':'50000'}},{'play':{}},{'recordStart':{}}]}");
    rig.turns(100);
    rig.settle();
    rig.restart();
    CHECK(rig.engine->clock().rolling() == playback);
    CHECK(rig.engine->clock().timeline_frame() >= 50'000);
    const auto status = rig.status();
    const bool records = std::ranges::any_of(status.takes(), [](const auto& take) { return take.recording(); });
    CHECK(records == !playback);
  }
}

TEST_CASE("stop: an empty session, and no place is kept") {
  ResumeRig rig(false, false);
  rig.applied("{'operations':[{'play':{}}]}");
  rig.turns(100);
  CHECK(rig.place().empty());
  rig.restart();
  CHECK_FALSE(rig.engine->clock().rolling());
  CHECK(rig.session().find("gain_db") == std::string::npos);
}

TEST_CASE("a shutdown keeps what played and recorded when it began") {
  ResumeRig rig(true, true);
  rig.applied("{'operations':[{'play':{}},{'recordStart':{}}]}");
  rig.turns(100);
  rig.shutdown();
  CHECK(rig.place().find("record_start") != std::string::npos);
  rig.restart();
  CHECK(rig.engine->clock().rolling());
}

TEST_CASE("a broken place, a broken session and a recorder that is gone do not keep the daemon from starting") {
  ResumeRig rig(true, true);
  rig.applied("{'operations':[{'play':{}},{'recordStart':{}}]}");
  rig.settle();
  rig.shutdown();
  rig.engine.reset();
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(rig.folder.path() / "state" / name) << text;
  };
  const std::string place = rig.place();
  write("last-place.json", "{\"operations\":[{\"play\":{}},{\"record_start\":{\"nodes\":[\"gone\"]}}]}");
  rig.restart();
  CHECK(rig.engine->clock().rolling());  // the rest is taken up
  CHECK(rig.status().takes_size() <= 1);
  rig.engine.reset();
  write("last-place.json", "{ no JSON");
  rig.restart();
  CHECK(rig.session().find("gain_db") != std::string::npos);
  rig.engine.reset();
  write("last-session.json", "{ no JSON");
  rig.restart();
  CHECK(rig.session().find("gain_db") != std::string::npos);  // the one of the start before
}

TEST_CASE("the last session is there again, stopped at its beginning") {
  ResumeRig rig(false, false, true);
  rig.applied("{'operations':[{'locate':{'timelineFrame':'50000'}},{'play':{}}]}");
  REQUIRE(rig.until([&] { return rig.session_saved(); }));
  const std::string before = rig.session();
  rig.shutdown();
  rig.restart();
  CHECK(rig.session() == before);
  CHECK_FALSE(rig.engine->clock().rolling());
  CHECK(rig.engine->clock().timeline_frame() == 0);
  CHECK(rig.place().empty());
}

TEST_CASE("a session that cannot be loaded is kept beside, and the one of the start before takes its place") {
  ResumeRig rig(false, false, true);
  REQUIRE(rig.until([&] { return rig.session_saved(); }));
  const std::string before = rig.session();
  rig.shutdown();
  rig.restart();  // this one was good at a start
  const auto state = rig.folder.path() / "state";
  REQUIRE(rig.until([&] { return std::filesystem::exists(state / "started-session.json"); }));
  rig.shutdown();
  rig.engine.reset();
  for (const char* broken : {"{ no JSON", "{\"format\": 99}"}) {
    std::ofstream(state / "last-session.json") << broken;
    rig.restart();
    CHECK(rig.session() == before);
    REQUIRE(rig.status().reasons_size() > 0);
    CHECK(rig.status().reasons(0).find("is kept as last-session.bad-") != std::string::npos);
    rig.shutdown();
    rig.engine.reset();
  }
  std::ifstream in(state / "last-session.bad-1.json");
  CHECK(std::string{std::istreambuf_iterator<char>(in), {}} == "{ no JSON");
  CHECK(std::filesystem::exists(state / "last-session.bad-2.json"));
}

TEST_CASE("the device is lost: playback and recording go on with the clock, or stop, each as it was told") {
  for (const bool stops : {false, true}) {
    CAPTURE(stops);
    RigOptions options;
    options.retry = std::chrono::milliseconds(60'000);
    options.adjust = [stops](control::EngineConfig& config) {
      config.loss_stops_playback = config.loss_stops_recording = stops;
    };
    Rig rig(std::move(options));
    rig.applied("{'operations':[{'play':{}},{'recordStart':{'nodes':['in']}}]}");
    rig.turns(50);
    rig.hardware->lose();
    REQUIRE(rig.until([&] { return rig.status().device().host_api() == "clock"; }));
    if (stops) {
      REQUIRE(rig.until([&] { return !rig.engine->clock().rolling() && !rig.status().takes(0).recording(); }));
      CHECK(rig.status().takes(0).error().empty());
    } else {
      const auto frame = rig.engine->clock().timeline_frame();
      REQUIRE(rig.until([&] { return rig.engine->clock().timeline_frame() > frame; }));
      CHECK(rig.engine->clock().rolling());
      CHECK(rig.status().takes(0).recording());
    }
  }
}

TEST_CASE("a shutdown finalises 16 takes of one channel, with what their rings hold, while the disk is behind") {
  auto faults = std::make_shared<media::test::Faults>();
  RigOptions options;
  options.in = 16;
  options.take_file = media::test::faulty_files(faults);
  Rig rig(std::move(options));
  std::string nodes, tracks;
  for (int i = 1; i <= 16; ++i) {
    const std::string n = std::to_string(i);
    tracks += std::string(i > 1 ? "," : "") + "{'addNode':{'node':{'id':'t" + n +
              "','type':'track','params':{'channels':1},'children':[{'id':'rec','type':'recorder'}]}}},{'connect':{'"
              "from':'in:" +
              n + "','to':'t" + n + "'}}";
  }
  rig.applied("{'operations':[" + tracks + "]}");
  rig.hardware->set_input([](std::uint32_t channel, rt::FrameCount frame) {
    return static_cast<float>((frame * 16 + channel) % 65'536) / 65'536.0f;
  });
  const auto begun = rig.applied("{'operations':[{'recordStart':{}}]}");
  REQUIRE(begun.takes_size() == 16);
  rig.turns(20);
  faults->gate.close();
  rig.turns(20);
  faults->gate.wait_for_one();
  rig.hardware->run(96'000);
  faults->gate.open();
  rig.shutdown();
  for (int i = 0; i < 16; ++i) {
    std::uint32_t channels = 0;
    const auto samples = rig.read_wav(rig.take_file(begun.takes(i)), channels);
    REQUIRE(samples.size() > 96'000);
    const auto channel = static_cast<std::int64_t>(std::stoi(begun.takes(i).substr(7))) - 1;
    for (std::size_t k = 0; k < samples.size(); ++k) {
      const auto frame = begun.engine_frame() + static_cast<std::int64_t>(k);
      if (samples[k] != static_cast<float>((frame * 16 + channel) % 65'536) / 65'536.0f)
        FAIL("take ", i, ", frame ", k);
    }
  }
}
