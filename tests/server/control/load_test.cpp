#include <fstream>
#include <sstream>
#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

const std::string kTone =
    "{'format':1,'name':'tone','nodes':[{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}],"
    "'connections':[{'from':'a','to':'out'}]}";

float peak(Rig& rig) {
  rig.hardware->run(1024);
  float result = 0.0f;
  for (const float sample : rig.hardware->last_output(0)) result = std::max(result, std::abs(sample));
  return result;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a session that is wrong leaves the one before in place, sounding") {
  Rig rig;
  REQUIRE(rig.load(kTone));
  rig.hardware->run(9600);
  const std::string before = rig.session();
  const auto revision = rig.status().revision();
  for (const char* bad :
       {"{", "{'format':2}", "{'format':1,'nodes':[{'id':'x','type':'nonsense'}]}", "{'format':1,'surprise':1}",
        "{'format':1,'nodes':[{'id':'a','type':'track','params':{'gain_db':1e9}}]}", "\x01\x02\x03"}) {
    CAPTURE(bad);
    const auto refused = rig.load(bad);
    REQUIRE_FALSE(refused);
    CHECK_FALSE(refused.error().message.empty());
  }
  CHECK(rig.session() == before);
  CHECK(rig.status().revision().epoch() == revision.epoch());
  CHECK(peak(rig) > 0.01f);
}

TEST_CASE("missing media is a warning, named; its player is silent and the rest sounds") {
  Rig rig;
  rig.write_wav("here.wav", 2, 48'000, ramp_signal(2, 48'000));
  const auto loaded = rig.load(
      "{'format':1,'nodes':[{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'file':'here.wav'}"
      "}]},"
      "{'id':'b','type':'track','children':[{'id':'p','type':'player','params':{'file':'gone.wav'}}]}],"
      "'connections':[{'from':'a','to':'out'},{'from':'b','to':'out'},{'from':'a','to':'out:9'}]}");
  REQUIRE(loaded);
  REQUIRE(loaded->warnings_size() == 2);
  CHECK(loaded->warnings(0).find("gone.wav") != std::string::npos);
  CHECK(loaded->warnings(1).find("out:9") != std::string::npos);
  rig.applied("{'operations':[{'play':{}}]}");
  rig.hardware->run(9600);
  CHECK(peak(rig) > 0.01f);
  const auto status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  bool named = false;
  for (const auto& reason : status.reasons()) named |= reason.find("gone.wav") != std::string::npos;
  CHECK(named);
}

TEST_CASE("a missing file that comes is heard where the timeline stands; one that still grows is let be") {
  RigOptions options;
  options.media_retry = std::chrono::milliseconds(40);
  Rig rig(options);
  REQUIRE(rig.load(
      "{'format':1,'nodes':[{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'file':'late.wav'}"
      "}]},{'id':'b','type':'track','children':[{'id':'q','type':'player','queue':[{'file':'media:late.wav'}]}]}],"
      "'connections':[{'from':'a','to':'out'}]}"));
  rig.applied("{'operations':[{'locate':{'timelineFrame':'500000'}},{'play':{}}]}");
  const auto missing = [&] { return rig.status().reasons_size(); };
  REQUIRE(missing() == 2);                  // by both of its names
  std::vector<float> sound(2 * 2'000'000);  // silent before where the timeline stands
  std::fill(sound.begin() + 2 * 500'000, sound.end(), 0.25f);
  rig.write_wav("whole.wav", 2, 48'000, sound);
  const std::filesystem::path whole = rig.folder.path() / "media" / "whole.wav";
  {
    std::ifstream from(whole, std::ios::binary);
    std::ofstream to(whole.parent_path() / "late.wav", std::ios::binary);
    std::vector<char> piece(1 << 20);
    while (from.read(piece.data(), static_cast<std::streamsize>(piece.size())) || from.gcount() > 0) {
      to.write(piece.data(), from.gcount()).flush();
      rig.turns(2);
      if (from.tellg() > 0 && from.tellg() < 14'000'000) CHECK(missing() == 2);
    }
  }
  REQUIRE(rig.until([&] { return missing() == 0; }));
  CHECK(rig.status().timeline_end_frame() == 2'000'000);
  REQUIRE(rig.until([&] { return peak(rig) > 0.2f; }));
}

TEST_CASE("a load stops the transport at 0 and the takes; asked to, it keeps the transport") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 200'000));
  const std::string session =
      "{'format':1,'nodes':[{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'file':'s.wav'}}]}"
      "],"
      "'connections':[{'from':'a','to':'out'}]}";
  REQUIRE(rig.load(session));
  rig.applied("{'operations':[{'play':{}},{'recordStart':{}}]}");
  rig.hardware->run(10'000);
  control::LoadRequest keep;
  keep.json = rig.session();
  keep.base = "media:";
  keep.keep_transport = true;
  REQUIRE(rig.answer<v1::LoadSessionResponse>([&](auto done) { rig.engine->load(keep, std::move(done)); }));
  CHECK(rig.engine->clock().rolling());
  CHECK(rig.engine->clock().timeline_frame() > 10'000);
  REQUIRE(rig.until([&] {
    const auto status = rig.status();
    return status.takes_size() == 1 && !status.takes(0).recording();
  }));
  REQUIRE(rig.load(session));
  CHECK_FALSE(rig.engine->clock().rolling());
  CHECK(rig.engine->clock().timeline_frame() == 0);
}

TEST_CASE("a dry run of a load changes nothing and warns") {
  Rig rig;
  const std::string before = rig.session();
  control::LoadRequest request;
  request.json = R"({"format":1,"nodes":[{"id":"p","type":"player","params":{"file":"media:gone.wav"}}]})";
  request.dry_run = true;
  const auto checked =
      rig.answer<v1::LoadSessionResponse>([&](auto done) { rig.engine->load(request, std::move(done)); });
  REQUIRE(checked);
  CHECK(checked->warnings_size() == 1);
  CHECK_FALSE(checked->has_engine_frame());
  CHECK(rig.session() == before);
}

TEST_CASE("what commands build equals what the file loads, and is on disk after the shutdown") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
      "{'connect':{'from':'a','to':'out'}}]}");
  const std::string built = rig.session();
  REQUIRE(rig.load(built));
  CHECK(rig.session() == built);
  rig.shutdown();
  CHECK(read_file(rig.folder.path() / "state" / "last-session.json") == built);
  CHECK(read_file(rig.folder.path() / "state" / "last-session.base") == "media:\n");
}

TEST_CASE("the session's rate is not the device's: timeline frames count in the session's") {
  Rig rig;
  REQUIRE(rig.load("{'format':1,'sampleRateHz':24000}"));
  rig.applied("{'operations':[{'locate':{'timelineFrame':'24001'}}]}");
  CHECK(rig.engine->clock().timeline_frame() == 24'001);
  CHECK(rig.engine->clock().timeline_rate_hz() == 24'000.0);
  CHECK(rig.engine->clock().engine_rate_hz() == 48'000.0);
}

TEST_CASE("a file that is cut off is played as far as it goes, and named: when it comes, and while it is there") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 48'000));
  const auto file = rig.folder.path() / "media" / "s.wav";
  const auto bytes = std::filesystem::file_size(file);
  std::filesystem::resize_file(file, bytes - 20'000 * 2 * 4);
  const std::string line = "media:s.wav is cut off: 28000 of 48000 frames";
  const auto has_line = [&] {
    const auto status = rig.status();
    return std::ranges::any_of(status.reasons(), [&](const std::string& reason) { return reason == line; });
  };
  const std::string node =
      "{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'file':'media:s.wav'}}]}";
  const auto added = rig.applied("{'operations':[{'addNode':{'node':" + node + "}}]}");
  REQUIRE(added.warnings_size() == 1);
  CHECK(added.warnings(0) == line);
  CHECK(has_line());
  CHECK(rig.applied("{'operations':[{'connect':{'from':'a','to':'out'}}]}").warnings_size() == 0);
  CHECK(has_line());
  rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
  CHECK_FALSE(has_line());
  const auto loaded = rig.load("{'format':1,'nodes':[" + node + "]}");
  REQUIRE(loaded);
  REQUIRE(loaded->warnings_size() == 1);
  CHECK(loaded->warnings(0) == line);
  CHECK(has_line());
}
