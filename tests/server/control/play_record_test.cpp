#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

std::string add_player(const std::string& id, const std::string& params) {
  return "{'addNode':{'node':{'id':'" + id + "','type':'track','children':[{'id':'p','type':'player','params':{" +
         params + "}}]}}},{'connect':{'from':'" + id + "','to':'out'}}";
}

std::string file(const std::string& name) { return "'file':'media:" + name + "'"; }

v1::GetStatusResponse::Take wait_for_take(Rig& rig, const std::string& name) {
  v1::GetStatusResponse::Take found;
  REQUIRE(rig.until([&] {
    const auto status = rig.status();
    for (const auto& take : status.takes()) {
      if (take.file() == name && !take.recording()) {
        found = take;
        return true;
      }
    }
    return false;
  }));
  return found;
}

/// As the item's, but for the player's fade-in: `frames` of it.
bool sounds(const std::vector<float>& got, const std::function<float(std::size_t)>& item, std::size_t frames = 512) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const float factor = i < frames ? static_cast<float>(i + 1) / static_cast<float>(frames) : 1.0f;
    if (got[i] == item(i) * factor) continue;
    MESSAGE("frame ", i, ": ", got[i], " is not ", item(i) * factor);
    return false;
  }
  return true;
}

std::vector<float> slice(const std::vector<float>& samples, std::size_t from, std::size_t count) {
  REQUIRE(from + count <= samples.size());
  return {samples.begin() + static_cast<std::ptrdiff_t>(from),
          samples.begin() + static_cast<std::ptrdiff_t>(from + count)};
}

/// The output from `frame` (engine) on, as the hardware heard it since clear_recording() at `recorded_from`.
std::vector<float> heard(Rig& rig, std::int64_t frame, std::int64_t recorded_from, std::uint32_t channel,
                         std::size_t count) {
  return slice(rig.hardware->recording(channel), static_cast<std::size_t>(frame - recorded_from), count);
}

}  // namespace

TEST_CASE("a file played and recorded through record_start out is the file, bit for bit") {
  Rig rig;
  const std::size_t frames = 30'000;
  const auto source = ramp_signal(2, frames);
  rig.write_wav("s.wav", 2, 48'000, source);
  rig.buffer = 333;  // no multiple of anything
  const auto response =
      rig.applied("{'operations':[" + add_player("a", file("s.wav")) + ",{'recordStart':{'nodes':['out'],'frames':'" +
                  std::to_string(frames) + "'}},{'play':{}}]}");
  REQUIRE(response.takes_size() == 1);
  const auto take = wait_for_take(rig, response.takes(0));
  CHECK(take.error().empty());
  CHECK(take.frames() == static_cast<std::int64_t>(frames));
  CHECK(take.lost_frames() == 0);
  CHECK(take.start_engine_frame() == response.engine_frame());
  CHECK(take.start_timeline_frame() == 0);
  CHECK(take.node() == "out");
  std::uint32_t channels = 0;
  const auto recorded = rig.read_wav(rig.take_file(take.file()), channels);
  CHECK(channels == 2);
  CHECK(recorded == source);
}

TEST_CASE("a play in the transaction that adds the file sounds from its first sample on, at the applied frame") {
  Rig rig;
  const auto source = ramp_signal(2, 20'000);
  rig.write_wav("s.wav", 2, 48'000, source);
  const auto from = static_cast<std::int64_t>(rig.hardware->frames());
  rig.hardware->clear_recording();
  rig.hardware->run(4800);  // the output has faded in
  const auto response = rig.applied("{'operations':[" + add_player("a", file("s.wav")) + ",{'play':{}}]}");
  rig.hardware->run(4096);
  CHECK(heard(rig, response.engine_frame(), from, 0, 2000)[0] == source[0]);
  for (std::size_t i = 0; i < 2000; ++i) {
    CAPTURE(i);
    REQUIRE(heard(rig, response.engine_frame(), from, 1, 2000)[i] == source[2 * i + 1]);
  }
}

TEST_CASE("locate and a play after a stop are sample-exact on every player") {
  Rig rig;
  const auto one = ramp_signal(1, 150'000);
  const auto two = ramp_signal(2, 150'000);
  rig.write_wav("one.wav", 1, 48'000, one);
  rig.write_wav("two.wav", 2, 48'000, two);
  rig.applied(
      "{'operations':["
      "{'addNode':{'node':{'id':'a','type':'track','params':{'channels':2},'children':[{'id':'p','type':'player','"
      "params':{" +
      file("two.wav") + "}}]}}},{'connect':{'from':'a','to':'out'}},{'play':{}}]}");
  rig.hardware->run(10'000);
  auto from = static_cast<std::int64_t>(rig.hardware->frames());
  rig.hardware->clear_recording();
  const auto located = rig.applied("{'operations':[{'locate':{'timelineFrame':'100000'}}]}");
  rig.hardware->run(3000);
  auto got = heard(rig, located.engine_frame(), from, 0, 2000);
  // After the fade of what was there before.
  const auto there = [&](std::size_t i) { return two[2 * (100'000 + 512 + i)]; };
  CHECK(sounds({got.begin() + 512, got.end()}, there, 0));

  const auto stopped = rig.applied("{'operations':[{'stop':{}}]}");
  rig.hardware->run(1000);
  const auto at = rig.engine->clock().timeline_frame();
  CHECK_FALSE(rig.engine->clock().rolling());
  CHECK(at == 100'000 + stopped.engine_frame() - located.engine_frame());
  from = static_cast<std::int64_t>(rig.hardware->frames());
  rig.hardware->clear_recording();
  const auto again = rig.applied("{'operations':[{'play':{}}]}");
  rig.hardware->run(3000);
  got = heard(rig, again.engine_frame(), from, 1, 2000);
  CHECK(sounds(got, [&](std::size_t i) { return two[2 * (static_cast<std::size_t>(at) + i) + 1]; }));

  // A second player comes in while the timeline rolls: in its place, after its fade.
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'b','type':'track','params':{'pan':0},'children':[{'id':'p','type':'"
      "player','params':{" +
      file("one.wav") +
      "}}]}}},{'connect':{'from':'b','to':'out:1','channels':[{'from':1,'to':1}]}},"
      "{'setParams':{'path':'a','values':{'gain_db':-150},'rampMs':0}}]}");
  rig.hardware->run(2000);
  rig.hardware->clear_recording();
  const auto engine = rig.engine->clock();
  rig.hardware->run(1000);
  got = rig.hardware->recording(0);
  for (std::size_t i = 0; i < 1000; ++i) {
    const float expected = one[static_cast<std::size_t>(engine.timeline_frame()) + i];
    REQUIRE(got[i] == doctest::Approx(expected * 0.70710678f).epsilon(1e-5));
  }
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("pause, stop and locate under sound make no step, and a start at the file's beginning is exact") {
  for (const bool free : {false, true}) {
    CAPTURE(free);
    Rig rig;
    std::vector<float> source(2 * 200'000);
    for (std::size_t i = 0; i < 200'000; ++i)
      source[2 * i] = source[2 * i + 1] = 0.5f * static_cast<float>(std::sin(static_cast<double>(i) * 0.01));
    rig.write_wav("s.wav", 2, 48'000, source);
    rig.applied("{'operations':[" + add_player("a", file("s.wav") + (free ? ",'mode':'free'" : "")) + "]}");
    rig.hardware->run(4800);
    rig.hardware->clear_recording();
    const std::string who = free ? "{'players':['a/p']}" : "{}";
    const auto from = static_cast<std::int64_t>(rig.hardware->frames());
    const auto played = rig.applied("{'operations':[{'play':" + who + "}]}");
    rig.hardware->run(1000);
    CHECK(sounds(heard(rig, played.engine_frame(), from, 0, 1000), [&](std::size_t i) { return source[2 * i]; }, 0));
    for (const char* next : {"stop", "play", "locate", "locate", "stop", "play", "stop"}) {
      if (std::string(next) == "locate") {
        if (!free) rig.applied("{'operations':[{'locate':{'timelineFrame':'77777'}}]}");
      } else {
        rig.applied("{'operations':[{'" + std::string(next) + "':" + who + "}]}");
      }
      rig.hardware->run(333);
    }
    rig.hardware->run(1000);
    const auto got = rig.hardware->recording(0);
    // A voice moves by 0.005 of itself and by 0.5 / 512 of its fade; two may sound at once, and a third may end.
    for (std::size_t i = 1; i < got.size(); ++i) {
      CAPTURE(i);
      REQUIRE(std::abs(got[i] - got[i - 1]) < 0.02f);
    }
    CHECK(got.back() == 0.0f);
    CHECK(rig.status().counters().starved_frames() == 0);
  }
}

TEST_CASE("a file that is cut off while it plays: degraded, the file is named, until another stream is whole") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 400'000));
  rig.applied("{'operations':[" + add_player("a", file("s.wav")) + ",{'play':{}}]}");
  CHECK(rig.status().state() == v1::GetStatusResponse::STATE_HEALTHY);
  const auto path = rig.folder.path() / "media" / "s.wav";
  std::filesystem::resize_file(path, 200'000);
  v1::GetStatusResponse status;
  REQUIRE(rig.until([&] {
    status = rig.status();
    return status.reasons_size() > 0;
  }));
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  REQUIRE(status.reasons_size() == 1);
  CHECK(status.reasons(0).find("a/p is silent: media:s.wav: ") == 0);
  CHECK(status.reasons(0).find("damaged or cut off at frame") != std::string::npos);
  CHECK(rig.status().reasons_size() == 1);
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 400'000));
  rig.applied("{'operations':[{'locate':{'timelineFrame':'1000'}}]}");
  rig.turns(100);
  CHECK(rig.status().state() == v1::GetStatusResponse::STATE_HEALTHY);
  rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
}

TEST_CASE("a free player has its own transport, and begins again after its end") {
  Rig rig;
  const auto source = ramp_signal(2, 5000);
  rig.write_wav("s.wav", 2, 48'000, source);
  rig.applied("{'operations':[" + add_player("a", file("s.wav") + ",'mode':'free'") + "]}");
  rig.hardware->run(4800);
  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    const auto from = static_cast<std::int64_t>(rig.hardware->frames());
    rig.hardware->clear_recording();
    const auto played = rig.applied("{'operations':[{'play':{'players':['a/p']}}]}");
    rig.hardware->run(6000);
    const auto got = heard(rig, played.engine_frame(), from, 0, 5000);
    for (std::size_t i = 0; i < got.size(); ++i) REQUIRE(got[i] == source[2 * i]);
  }
  CHECK_FALSE(rig.engine->clock().rolling());
  const auto wrong = rig.apply("{'operations':[{'play':{'players':['a']}}]}");
  REQUIRE_FALSE(wrong);
}

TEST_CASE("takes: named, never overwritten, stopped, refused") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'},{'id':'"
      "rec','type':'recorder','params':{'format':'pcm24'}}]}}},"
      "{'connect':{'from':'a','to':'out'}}]}");
  const auto first = rig.applied("{'operations':[{'recordStart':{'nodes':['a/rec'],'file':'takes:mine.wav'}}]}");
  REQUIRE(first.takes_size() == 1);
  CHECK(first.takes(0) == "takes:mine.wav");
  const auto twice = rig.apply("{'operations':[{'recordStart':{'nodes':['a/rec']}}]}");
  REQUIRE_FALSE(twice);
  CHECK(twice.error().kind == ErrorKind::failed_precondition);
  rig.hardware->run(5000);
  const auto running = rig.status();
  REQUIRE(running.takes_size() == 1);
  CHECK(running.takes(0).recording());
  CHECK(running.takes(0).frames() > 0);
  const auto stopped = rig.applied("{'operations':[{'recordStop':{}}]}");
  REQUIRE(stopped.takes_size() == 1);
  const auto take = wait_for_take(rig, "takes:mine.wav");
  CHECK(take.frames() == stopped.engine_frame() - first.engine_frame());
  const auto exists = rig.apply("{'operations':[{'recordStart':{'nodes':['a/rec'],'file':'takes:mine.wav'}}]}");
  REQUIRE_FALSE(exists);
  CHECK(exists.error().kind == ErrorKind::already_exists);
  CHECK(exists.error().field == "operations[0].record_start.file");
  const auto outside = rig.apply("{'operations':[{'recordStart':{'nodes':['a/rec'],'file':'takes:../mine.wav'}}]}");
  REQUIRE_FALSE(outside);
  CHECK(outside.error().kind == ErrorKind::permission_denied);
  CHECK_FALSE(rig.apply("{'operations':[{'recordStop':{'nodes':['out']}}]}"));
  // Two takes within one second have two names, and a track is recorded after its fader.
  const auto one = rig.applied("{'operations':[{'recordStart':{'nodes':['a','out'],'frames':'1000'}}]}");
  REQUIRE(one.takes_size() == 2);
  wait_for_take(rig, one.takes(0));
  wait_for_take(rig, one.takes(1));
  const auto other = rig.applied("{'operations':[{'recordStart':{'nodes':['a'],'frames':'1000'}}]}");
  CHECK(other.takes(0) != one.takes(0));
  CHECK(wait_for_take(rig, other.takes(0)).frames() == 1000);
  CHECK(rig.status().counters().commands_orphaned() == 0);
}

TEST_CASE("a take of \"out\" or \"in\" goes on through the first edit of a new session") {
  for (const char* node : {"out", "in"}) {
    CAPTURE(node);
    Rig rig;
    REQUIRE(rig.load("{'format':1,'nodes':[{'id':'t','type':'track'}],'connections':[{'from':'t','to':'out'}]}"));
    const auto name = rig.applied("{'operations':[{'recordStart':{'nodes':['" + std::string(node) + "']}}]}").takes(0);
    rig.hardware->run(4800);
    rig.applied("{'operations':[{'addNode':{'node':{'id':'v','type':'track'}}},{'connect':{'from':'v','to':'out'}}]}");
    rig.hardware->run(9600);
    const auto status = rig.status();
    REQUIRE(status.takes_size() == 1);
    CHECK(status.takes(0).recording());
    const auto begun = status.takes(0).start_engine_frame();
    rig.applied("{'operations':[{'recordStop':{}}]}");
    const auto take = wait_for_take(rig, name);
    CHECK(take.frames() >= 3 * 4800);
    CHECK(take.frames() <= static_cast<std::int64_t>(rig.hardware->frames()) - begun);
    CHECK(take.lost_frames() == 0);
  }
}

TEST_CASE("a node that plays and records is removed: it fades, its take is closed, its stream comes home") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 100'000));
  const auto started = rig.applied("{'operations':[" + add_player("a", file("s.wav")) + "," +
                                   add_player("b", file("s.wav")) + ",{'recordStart':{'nodes':['a']}},{'play':{}}]}");
  rig.hardware->run(5000);
  const auto removed = rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
  REQUIRE(removed.takes_size() == 1);
  CHECK(removed.takes(0) == started.takes(0));
  const auto take = wait_for_take(rig, started.takes(0));
  CHECK(take.error().empty());
  CHECK(take.frames() == removed.engine_frame() - started.engine_frame());
  rig.turns(100);
  CHECK(rig.status().counters().commands_orphaned() == 0);
  rig.applied("{'operations':[{'removeNode':{'path':'b'}},{'locate':{'timelineFrame':'0'}}]}");
  rig.turns(100);
  rig.hardware->run(1024);
  for (const float sample : rig.hardware->last_output(0)) CHECK(sample == 0.0f);
}

TEST_CASE("structural edits in quick succession do not cut each other's fades off") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'o','type':'oscillator','params':{'frequency_hz':100,'gain_db':0}}}},{'"
      "connect':{'from':'o','to':'out'}}]}");
  rig.hardware->run(9600);
  rig.hardware->clear_recording();
  rig.buffer = 64;
  for (int i = 0; i < 4; ++i) {
    const std::string id = "x" + std::to_string(i);
    rig.applied("{'operations':[{'" + std::string(i % 2 ? "connect" : "disconnect") +
                "':{'from':'o','to':'out'}},{'addNode':{'node':{'id':'" + id + "','type':'track'}}}]}");
  }
  rig.turns(100);
  const auto got = rig.hardware->recording(0);
  // 100 Hz at full scale moves 0.013 a frame; a fade over 512 frames adds 0.002.
  for (std::size_t i = 1; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(std::abs(got[i] - got[i - 1]) < 0.02f);
  }
}
