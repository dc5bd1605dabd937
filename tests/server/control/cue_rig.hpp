// THREAD: test - a rack of free players and one of the timeline, cues for them, and a disk that can be slow
#pragma once

#include <algorithm>
#include <string>

#include "tests/server/control/scheduled_rig.hpp"
#include "tests/support/fake_disk.hpp"

namespace continuo::control::test {

inline std::string play(const std::string& player) { return "{'play':{'players':['" + player + "']}}"; }
inline std::string stop(const std::string& player) { return "{'stop':{'players':['" + player + "']}}"; }
inline std::string skip_by(const std::string& player, int by) {
  return "{'skip':{'path':'" + player + "','by':" + std::to_string(by) + "}}";
}
inline std::string queue_item(const std::string& file) { return "{'file':'media:" + file + "'}"; }
inline std::string cue(const std::string& name, const std::string& operations, const std::string& label = "") {
  return "{'name':'" + name + "','label':'" + label + "','operations':[" + operations + "]}";
}
inline std::string cue_insert(const std::string& cues, const std::string& more = "") {
  return "{'cueInsert':{'cues':[" + cues + "]" + more + "}}";
}

/// Made before the engine, gone after it.
struct DiskGate {
  std::shared_ptr<media::test::Gate> gate = std::make_shared<media::test::Gate>();
};

class CueRig : private DiskGate, public ScheduledRig {
 public:
  using Cues = v1::GetStatusResponse::Cues;

  /// One free player "a/p" with s.wav, one free with a queue of three "b/q", one of the timeline "t/p".
  explicit CueRig(RigOptions options = {}) : ScheduledRig(with_gate(std::move(options), gate)) {
    for (const char* name : {"s", "q1", "q2", "q3", "u"}) write_wav(std::string(name) + ".wav", 1, 48'000, loud(name));
    applied("{'operations':[" + track("a", "{'id':'p','type':'player','params':{'mode':'free','file':'media:s.wav'}}") +
            "," +
            track("b", "{'id':'q','type':'player','params':{'mode':'free'},'queue':[" + queue_item("q1.wav") + "," +
                           queue_item("q2.wav") + "," + queue_item("q3.wav") + "]}") +
            "," + track("t", "{'id':'p','type':'player','params':{'file':'media:u.wav'}}") + "]}");
    hardware->run(4800);
  }
  ~CueRig() { gate->open(); }

  static std::string track(const std::string& id, const std::string& child) {
    return "{'addNode':{'node':{'id':'" + id + "','type':'track','children':[" + child + "]}}},{'connect':{'from':'" +
           id + "','to':'out'}}";
  }
  /// No sample of it is zero, and each file has a level of its own.
  static std::vector<float> loud(const std::string& name) {
    return std::vector<float>(120'000, static_cast<float>(1 + static_cast<int>(name.back()) % 8) / 16.0f);
  }

  void edit(const std::string& operations) { applied("{'operations':[" + operations + "]}"); }
  Result<v1::ApplyResponse> go(const std::string& more = "") { return apply("{'operations':[{'go':{" + more + "}}]}"); }
  Cues cues() { return status().cues(); }
  std::string next() { return cues().next().name(); }
  /// Until the strand and the disk have nothing more to do for the next cue.
  Cues settled() {
    Cues now;
    REQUIRE(until([&] {
      now = cues();
      return now.next_state() != Cues::NEXT_STATE_PREPARING;
    }));
    return now;
  }
  void wait_armed() {
    const Cues now = settled();
    REQUIRE_MESSAGE(now.next_state() == Cues::NEXT_STATE_ARMED, now.next().name(), ": ", now.next_reason());
  }
  /// From here on whatever opens a file waits for 2 s, or in other words: for ever.
  void disk_stalls() { gate->close(); }
  void disk_is_back() { gate->open(); }

  /// The command is taken up between two callbacks; says how many frames of the very next one pass before it sounds.
  std::int64_t frames_to_sound(const std::string& operations) {
    stepping = false;
    bool committed = false;
    engine->apply(request("{'operations':[" + operations + "],'wait':'WAIT_COMMITTED','maxWaitMs':10000}"),
                  [&](const auto& answer) {
                    CHECK_MESSAGE(answer, (answer ? "" : answer.error().message));
                    committed = true;
                  });
    REQUIRE(until([&] { return committed; }));
    hardware->clear_recording();
    hardware->run(buffer);
    const auto heard = hardware->recording(0);
    const auto first = std::ranges::find_if(heard, [](float sample) { return sample != 0.0f; });
    stepping = true;
    return first - heard.begin();
  }

 private:
  static RigOptions with_gate(RigOptions options, const std::shared_ptr<media::test::Gate>& disk) {
    options.adjust = [disk, before = options.adjust](EngineConfig& config) {
      if (before) before(config);
      config.before_disk = [disk] { disk->pass(); };
    };
    return options;
  }
};

}  // namespace continuo::control::test
