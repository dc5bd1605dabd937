// A file goes away under a player, and comes back: it is told, and the player is heard where it would be by then.
#include <cmath>
#include <filesystem>

#include "tests/server/control/queue_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

using Media = v1::WatchResponse::MediaEvent;
constexpr std::size_t kFrames = 1'500'000;
constexpr std::uintmax_t kCut = 1'600'000;  // bytes: 200,000 frames of two channels of float

struct LostRig : Rig {
  LostRig() : Rig(options()), feed(watch()) {}
  static RigOptions options() {
    RigOptions result;
    result.media_retry = std::chrono::milliseconds(20);
    return result;
  }
  std::filesystem::path media(const std::string& name) const { return folder.path() / "media" / name; }
  /// Of a file that is there whole from one instant on.
  void put(const std::string& name, std::uint32_t channels, std::uint32_t rate, const std::vector<float>& sound) {
    write_wav("new.wav", channels, rate, sound);
    std::filesystem::rename(media("new.wav"), media(name));
  }
  void read_events() {
    while (const auto message = feed->next({}))
      if (message->has_media()) events.push_back(message->media());
  }
  bool told(std::size_t count) {
    read_events();
    return events.size() >= count;
  }
  /// Runs until the file that was cut off is told.
  void wait_lost() {
    const std::size_t wanted = events.size() + 1;
    REQUIRE(until([&] { return told(wanted); }));
    CHECK(events.back().kind() == Media::KIND_LOST);
  }
  /// While the device stands still.
  void wait_returned() {
    const std::size_t wanted = events.size() + 1;
    stepping = false;
    REQUIRE(until([&] { return told(wanted); }));
    stepping = true;
    CHECK(events.back().kind() == Media::KIND_RETURNED);
  }
  /// No faster than the disk threads can follow.
  void plays(std::uint64_t frames) {
    const std::uint64_t until_frame = hardware->frames() + frames;
    REQUIRE(until([&] { return hardware->frames() >= until_frame; }));
  }
  /// A few looks, in which nothing comes back.
  void looks() {
    stepping = false;
    const auto over = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    REQUIRE(until([&] { return std::chrono::steady_clock::now() > over; }));
    stepping = true;
  }
  std::shared_ptr<Feed<v1::WatchResponse>> feed;
  std::vector<Media> events;
};

const std::string kTimeline =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'file':"
    "'media:s.wav'}}]}}},{'connect':{'from':'a','to':'out'}},{'play':{}}]}";
const std::string kFree =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'file':"
    "'media:s.wav','mode':'free'}}]}}},{'connect':{'from':'a','to':'out'}},{'play':{'players':['a/p']}}]}";

float level_of(const std::vector<float>& sound) {
  float level = 0.0f;
  for (const float sample : sound) level = std::max(level, std::abs(sample));
  return level;
}

std::vector<float> both(const std::vector<float>& one, float right = 1.0f) {
  std::vector<float> sound;
  for (const float sample : one) sound.insert(sound.end(), {sample, sample * right});
  return sound;
}

/// What is heard now, behind the fade, is `signal` where it has been played to since `start`.
void heard_in_place(Rig& rig, const std::vector<float>& signal, std::int64_t start) {
  Heard heard(rig);
  rig.hardware->run(12'000);
  std::size_t wrong = 0;
  for (std::int64_t i = 4'000; i < 11'000; ++i)
    wrong += heard.at(heard.from + i) != signal.at(static_cast<std::size_t>(heard.from + i - start));
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("a file that breaks off while it plays and is whole again is heard where it would be by then") {
  for (const std::string& play : {kTimeline, kFree}) {
    CAPTURE(play);
    LostRig rig;
    const auto signal = ramp_signal(1, kFrames);
    rig.put("s.wav", 2, 48'000, both(signal));
    const std::int64_t start = rig.applied(play).engine_frame();
    std::filesystem::copy_file(rig.media("s.wav"), rig.media("kept.wav"));
    std::filesystem::resize_file(rig.media("s.wav"), kCut);
    rig.wait_lost();
    CHECK(rig.events[0].player() == "a/p");
    REQUIRE(rig.events[0].files_size() == 1);
    CHECK(rig.events[0].files(0) == "media:s.wav");
    rig.plays(140'000);
    rig.turns(2);
    rig.hardware->clear_recording();
    rig.hardware->run(4'800);
    CHECK(level_of(rig.hardware->recording(0)) == 0.0f);
    rig.looks();  // what is cut off is not back, however often it is looked at
    CHECK_FALSE(rig.told(2));
    CHECK(rig.status().reasons_size() == 1);
    std::filesystem::rename(rig.media("kept.wav"), rig.media("s.wav"));
    rig.wait_returned();
    CHECK(rig.events[1].player() == "a/p");
    CHECK(rig.events[1].files(0) == "media:s.wav");
    heard_in_place(rig, signal, start);
    CHECK(rig.status().reasons_size() == 0);
    rig.looks();
    CHECK_FALSE(rig.told(3));
  }
}

TEST_CASE("what comes back under sound fades in") {
  LostRig rig;
  rig.put("s.wav", 2, 48'000, std::vector<float>(2 * kFrames, 0.5f));
  rig.applied(kTimeline);
  std::filesystem::copy_file(rig.media("s.wav"), rig.media("kept.wav"));
  std::filesystem::resize_file(rig.media("s.wav"), kCut);
  rig.wait_lost();
  rig.plays(140'000);
  std::filesystem::rename(rig.media("kept.wav"), rig.media("s.wav"));
  rig.wait_returned();
  rig.hardware->clear_recording();
  rig.hardware->run(4'800);
  const auto heard = rig.hardware->recording(0);
  CHECK(heard.front() < 0.01f);
  CHECK(level_of(heard) == doctest::Approx(0.5f));
  float step = 0.0f;
  for (std::size_t i = 1; i < heard.size(); ++i) step = std::max(step, std::abs(heard[i] - heard[i - 1]));
  CHECK(step < 0.01f);
}

TEST_CASE("a file that cannot be opened after a locate is looked for, too") {
  LostRig rig;
  const auto signal = ramp_signal(1, kFrames);
  rig.put("s.wav", 2, 48'000, both(signal));
  rig.applied(kTimeline);
  std::filesystem::rename(rig.media("s.wav"), rig.media("away.wav"));
  const std::int64_t located = rig.applied("{'operations':[{'locate':{'timelineFrame':'1000'}}]}").engine_frame();
  REQUIRE(rig.told(1));
  CHECK(rig.events[0].kind() == Media::KIND_LOST);
  rig.plays(140'000);
  std::filesystem::rename(rig.media("away.wav"), rig.media("s.wav"));
  rig.wait_returned();
  heard_in_place(rig, signal, located - 1000);
}

TEST_CASE("another file under the same name is probed anew: its length, its channels, its rate") {
  for (const std::string& play : {kTimeline, kFree}) {
    CAPTURE(play);
    LostRig rig;
    rig.put("s.wav", 1, 48'000, std::vector<float>(kFrames, 0.5f));
    const std::int64_t start = rig.applied(play).engine_frame();
    std::filesystem::resize_file(rig.media("s.wav"), kCut / 2);
    rig.wait_lost();
    rig.plays(140'000);
    const auto left = ramp_signal(1, 2'000'000);
    rig.put("s.wav", 2, 48'000, both(left, -1.0f));
    rig.wait_returned();
    rig.turns(20);
    heard_in_place(rig, left, start);
    CHECK(rig.hardware->recording(1).back() == -rig.hardware->recording(0).back());
    if (play == kTimeline) CHECK(rig.status().timeline_end_frame() == 2'000'000);
    CHECK(rig.status().reasons_size() == 0);

    std::filesystem::resize_file(rig.media("s.wav"), 2 * kCut);
    rig.wait_lost();
    rig.put("s.wav", 2, 24'000, std::vector<float>(2'400'000, 0.25f));
    rig.wait_returned();
    rig.plays(4'800);
    rig.hardware->clear_recording();
    rig.hardware->run(1'000);
    CHECK(level_of(rig.hardware->recording(0)) == doctest::Approx(0.25f).epsilon(0.001));
    if (play == kTimeline) CHECK(rig.status().timeline_end_frame() == 2'400'000);
  }
}

TEST_CASE("an item of a queue that is lost and returns: the others sound all the while") {
  LostRig rig;
  rig.put("good.wav", 2, 48'000, std::vector<float>(2 * 100'000, 0.125f));
  rig.put("bad.wav", 2, 48'000, std::vector<float>(2 * 400'000, 0.25f));
  rig.applied(kPlayer);
  rig.applied("{'operations':[" + insert(item("good.wav") + "," + item("bad.wav") + "," + item("good.wav")) + "]}");
  const std::int64_t start = rig.applied("{'operations':[" + kPlay + "]}").engine_frame();
  std::filesystem::copy_file(rig.media("bad.wav"), rig.media("kept.wav"));
  std::filesystem::resize_file(rig.media("bad.wav"), kCut);
  rig.wait_lost();
  CHECK(rig.events[0].files_size() == 1);
  CHECK(rig.events[0].files(0) == "media:bad.wav");
  const auto run_to = [&](std::int64_t frame) {
    const auto now = static_cast<std::int64_t>(rig.hardware->frames()) - start;
    if (now < frame) rig.plays(static_cast<std::uint64_t>(frame - now));
  };
  run_to(320'000);
  CHECK(player(rig).item_index() == 2);
  std::filesystem::rename(rig.media("kept.wav"), rig.media("bad.wav"));
  rig.wait_returned();
  rig.plays(2'000);
  rig.hardware->clear_recording();
  rig.hardware->run(1'000);
  CHECK(rig.hardware->recording(0).back() == 0.25f);
  CHECK(player(rig).item_index() == 2);
  // In its place: the third one begins where it always would have.
  Heard heard(rig);
  run_to(505'000);
  CHECK(heard.at(start + 499'999) == 0.25f);
  CHECK(heard.at(start + 500'000) == 0.125f);
}
