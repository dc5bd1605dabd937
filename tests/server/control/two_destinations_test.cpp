// Takes that are written to two places, in a whole engine: what is told of a lost one, and where the sound is.
#include <cerrno>
#include <string>

#include "tests/server/control/take_rig.hpp"
#include "tests/support/fake_disk.hpp"

using namespace continuo;
using namespace continuo::control::test;
using media::test::Faults;
using Take = v1::GetStatusResponse::Take;
using Event = v1::WatchResponse::TakeEvent;

namespace {

float signal(std::uint32_t channel, std::int64_t frame) {
  return static_cast<float>((frame * 4 + channel) * 7919 % 60013 - 30000) / 65536.0f;
}

struct Disks {
  std::shared_ptr<Faults> first = std::make_shared<Faults>(), second = std::make_shared<Faults>();
};

struct TwoDisks : Disks, TakeRig {
  explicit TwoDisks(bool configured = true) : TakeRig(options(*this, configured)) {
    hardware->set_input(signal);
    std::filesystem::create_directories(folder.path() / "takes2");
  }
  ~TwoDisks() {
    first->gate.open();
    second->gate.open();
  }
  static RigOptions options(Disks& disks, bool configured) {
    RigOptions options;
    options.second = configured;
    options.take_file = [one = media::test::faulty_files(disks.first),
                         two = media::test::faulty_files(disks.second)](const std::filesystem::path& path) {
      return path.string().find("takes2") == std::string::npos ? one(path) : two(path);
    };
    if (!configured)
      options.adjust = [](control::EngineConfig& config) {
        config.media_roots["spare"] = config.take_folder.parent_path() / "takes2";
      };
    return options;
  }
  /// Both files are settled in the status.
  Take settled() {
    Take found;
    REQUIRE(until([&] {
      const auto now = status();
      found = now.takes(now.takes_size() - 1);
      for (const auto& one : found.destinations())
        if (one.error().empty() && !one.closed()) return false;
      return !found.recording();
    }));
    return found;
  }
  void check_file(const std::string& name, std::int64_t first_frame, std::int64_t frames) {
    const auto colon = name.find(':');
    const std::string root = name.substr(0, colon);
    std::uint32_t channels = 0;
    const auto samples =
        read_wav(folder.path() / (root == "takes" ? "takes" : "takes2") / name.substr(colon + 1), channels);
    REQUIRE(samples.size() == static_cast<std::size_t>(frames) * channels);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto frame = first_frame + static_cast<std::int64_t>(i / channels);
      if (samples[i] != signal(static_cast<std::uint32_t>(i % channels), frame)) FAIL("sample ", i);
    }
  }
};

}  // namespace

TEST_CASE("a take with a second destination is two equal files") {
  TwoDisks rig;
  const auto begun = rig.start(",'file':'takes:day/a.wav'");
  rig.turns(50);
  const auto stopped = rig.stop();
  REQUIRE(stopped.closed_takes_size() == 1);
  CHECK(stopped.closed_takes(0).file() == "takes:day/a.wav");
  const Take take = rig.settled();
  REQUIRE(take.destinations_size() == 2);
  CHECK(take.destinations(0).file() == "takes:day/a.wav");
  CHECK(take.destinations(1).file() == "takes2:day/a.wav");
  for (const auto& one : take.destinations()) {
    CHECK(one.closed());
    rig.check_file(one.file(), begun.engine_frame(), take.frames());
  }
}

TEST_CASE("the loss of either destination is told in event and status, and the take is whole in the other") {
  for (const bool first : {true, false})
    for (const bool full : {true, false}) {
      CAPTURE(first);
      CAPTURE(full);
      TwoDisks rig;
      const auto begun = rig.start(",'file':'takes:a.wav'");
      rig.turns(20);
      Faults& bad = first ? *rig.first : *rig.second;
      if (full)
        bad.capacity = 60'000;
      else
        bad.fail_write = ENODEV;
      const Event event = rig.event(Event::KIND_DESTINATION_LOST);
      CHECK(event.take().id() == begun.take_ids(0));
      CHECK(event.take().recording());
      CHECK(event.message().find(first ? "first" : "second") != std::string::npos);
      REQUIRE(event.take().destinations_size() == 2);
      CHECK_FALSE(event.take().destinations(first ? 0 : 1).error().empty());
      CHECK(event.take().destinations(first ? 1 : 0).error().empty());
      const auto status = rig.status();
      CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
      CHECK(status.reasons(0).find("destination is lost") != std::string::npos);
      rig.turns(50);
      const auto stopped = rig.stop();
      REQUIRE(stopped.closed_takes_size() == 1);
      const Take take = rig.settled();
      CHECK(take.error().empty());
      CHECK(take.frames() == stopped.engine_frame() - begun.engine_frame());
      CHECK(take.file() == (first ? "takes2:a.wav" : "takes:a.wav"));  // where the sound is
      rig.check_file(take.file(), begun.engine_frame(), take.frames());
      // What fitted on the full one becomes a file, too.
      if (full) {
        const Event recovered = rig.event(Event::KIND_RECOVERED);
        CHECK(recovered.take().file() == (first ? "takes:a.wav" : "takes2:a.wav"));
        CHECK(recovered.take().frames() > 0);
        rig.check_file(recovered.take().file(), begun.engine_frame(), recovered.take().frames());
      }
    }
}

TEST_CASE("both destinations lost: the take ends with what the better one kept") {
  TwoDisks rig;
  rig.first->capacity = 60'000;
  rig.second->capacity = 90'000;
  const auto begun = rig.start(",'file':'takes:a.wav'");
  const Event event = rig.event(Event::KIND_FAILED);
  CHECK(event.take().id() == begun.take_ids(0));
  CHECK_FALSE(event.take().error().empty());
  CHECK(event.take().frames() > 60'000 / 8);
}

TEST_CASE("a second destination that stands still costs nothing, and has all of it when it comes back") {
  TwoDisks rig;
  const auto begun = rig.start(",'file':'takes:a.wav'");
  rig.turns(20);
  rig.second->gate.close();
  rig.hardware->run(48'000);
  rig.turns(20);
  rig.second->gate.wait_for_one();
  rig.hardware->run(10 * 48'000 / 4);
  rig.turns(20);
  const auto stopped = rig.stop();  // the first is enough
  REQUIRE(stopped.closed_takes_size() == 1);
  CHECK(stopped.closed_takes(0).lost_frames() == 0);
  CHECK_FALSE(stopped.closed_takes(0).destinations(1).closed());
  rig.second->gate.open();
  const Take take = rig.settled();
  CHECK(take.destinations(1).closed());
  rig.check_file("takes2:a.wav", begun.engine_frame(), take.frames());
  rig.check_file("takes:a.wav", begun.engine_frame(), take.frames());
}

TEST_CASE("a second root may be named, or declined, and one that was named must be writable") {
  TwoDisks rig(false);
  auto begun = rig.start(",'file':'takes:a.wav','secondRoot':'spare','frames':'1000'");
  Take take = rig.settled();
  REQUIRE(take.destinations_size() == 2);
  CHECK(take.destinations(1).file() == "spare:a.wav");
  rig.check_file("spare:a.wav", begun.engine_frame(), 1000);
  CHECK(rig.start(",'frames':'10'").takes_size() == 1);
  take = rig.settled();
  CHECK(take.destinations().empty());
  for (const char* root : {"nowhere", "takes"}) {
    const auto bad =
        rig.apply(std::string("{'operations':[{'recordStart':{'nodes':['in'],'secondRoot':'") + root + "'}}]}");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().field == "operations[0].record_start.second_root");
  }
  // The name is taken there: neither is begun.
  const auto taken =
      rig.apply("{'operations':[{'recordStart':{'nodes':['in'],'file':'spare:a.wav','secondRoot':'takes'}}]}");
  REQUIRE_FALSE(taken);
  std::filesystem::remove_all(rig.folder.path() / "takes2");
  {
    std::FILE* file = std::fopen((rig.folder.path() / "takes2").c_str(), "w");
    std::fclose(file);
  }
  const auto none =
      rig.apply("{'operations':[{'recordStart':{'nodes':['in'],'file':'takes:b.wav','secondRoot':'spare'}}]}");
  REQUIRE_FALSE(none);
  CHECK_FALSE(std::filesystem::exists(rig.take_file("takes:b.wav.part")));
}

TEST_CASE("a configured second destination that is not there: the take begins without it, and says so") {
  TwoDisks rig;
  std::filesystem::remove_all(rig.folder.path() / "takes2");
  {
    std::FILE* file = std::fopen((rig.folder.path() / "takes2").c_str(), "w");
    std::fclose(file);
  }
  const auto begun = rig.start(",'file':'takes:a.wav'");
  CHECK(rig.event(Event::KIND_DESTINATION_LOST).take().id() == begun.take_ids(0));
  const auto stopped = rig.stop();
  REQUIRE(stopped.closed_takes_size() == 1);
  CHECK(stopped.closed_takes(0).error().empty());
  CHECK(stopped.closed_takes(0).file() == "takes:a.wav");
}
