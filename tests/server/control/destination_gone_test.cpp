// A folder that is deleted or moved under a running take: told while it runs, and survived where there are two. FLAC in
// two places.
#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

#include "server/media/probe.hpp"
#include "tests/server/control/take_rig.hpp"
#include "tests/support/fake_disk.hpp"

using namespace continuo;
using namespace continuo::control::test;
using media::test::Faults;
using Take = v1::GetStatusResponse::Take;
using Event = v1::WatchResponse::TakeEvent;
namespace fs = std::filesystem;

namespace {

float signal(std::uint32_t channel, std::int64_t frame) {
  return static_cast<float>((frame * 4 + channel) * 7919 % 60013 - 30000) / 65536.0f;
}

RigOptions two(const std::shared_ptr<Faults>& second = {}) {
  RigOptions options;
  options.second = true;
  if (second)
    options.take_file = [faulty = media::test::faulty_files(second)](const fs::path& path) {
      return path.string().find("takes2") == std::string::npos ? media::make_take_file(path) : faulty(path);
    };
  return options;
}

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct GoneRig : TakeRig {
  explicit GoneRig(RigOptions options = {}) : TakeRig(std::move(options)) {
    hardware->set_input(signal);
    fs::create_directories(folder.path() / "takes2");
  }
  fs::path path(const std::string& name) { return folder.path() / name; }
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
  void check_sound(const fs::path& file, std::int64_t first, std::int64_t frames, float step = 0.0f) {
    std::uint32_t channels = 0;
    const auto samples = read_wav(file, channels);
    REQUIRE(samples.size() == static_cast<std::size_t>(frames) * channels);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto frame = first + static_cast<std::int64_t>(i / channels);
      const float wanted = signal(static_cast<std::uint32_t>(i % channels), frame);
      if (std::abs(samples[i] - wanted) > step) FAIL("sample ", i);
    }
  }
};

}  // namespace

TEST_CASE("a take whose folder is deleted or moved, or whose file is, ends at once, and is told as that") {
  for (const char* how : {"folder", "file", "moved"}) {
    CAPTURE(how);
    GoneRig rig;
    const auto begun = rig.start(",'file':'takes:day/a.wav'");
    rig.turns(20);
    if (how == std::string("folder"))
      fs::remove_all(rig.path("takes/day"));
    else if (how == std::string("file"))
      fs::remove(rig.path("takes/day/a.wav.part"));
    else
      fs::rename(rig.path("takes/day"), rig.path("takes/night"));
    const Event event = rig.event(Event::KIND_FAILED);  // nobody stops it
    CHECK(event.take().id() == begun.take_ids(0));
    CHECK(event.take().error().find("is gone") != std::string::npos);
    const auto status = rig.status();
    CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
    CHECK(status.reasons(0).find("is gone") != std::string::npos);
    const auto stopped = rig.stop();
    REQUIRE(stopped.closed_takes_size() == 1);
    CHECK(stopped.closed_takes(0).error().find("is gone") != std::string::npos);
  }
}

TEST_CASE("of two destinations the one whose folder is deleted is lost, and the other one has the take") {
  for (const bool first : {true, false}) {
    CAPTURE(first);
    GoneRig rig(two());
    const auto begun = rig.start(",'file':'takes:day/a.wav'");
    rig.turns(20);
    fs::remove_all(rig.path(first ? "takes/day" : "takes2/day"));
    const Event event = rig.event(Event::KIND_DESTINATION_LOST);
    CHECK(event.take().recording());
    REQUIRE(event.take().destinations_size() == 2);
    CHECK(event.take().destinations(first ? 0 : 1).error().find("is gone") != std::string::npos);
    CHECK(event.take().destinations(first ? 1 : 0).error().empty());
    CHECK(rig.status().state() == v1::GetStatusResponse::STATE_DEGRADED);
    rig.turns(20);
    const auto stopped = rig.stop();
    const Take take = rig.settled();
    CHECK(take.error().empty());
    CHECK(take.file() == (first ? "takes2:day/a.wav" : "takes:day/a.wav"));
    CHECK(take.frames() == stopped.engine_frame() - begun.engine_frame());
    rig.check_sound(rig.path(first ? "takes2/day/a.wav" : "takes/day/a.wav"), begun.engine_frame(), take.frames());
  }
}

TEST_CASE("a FLAC take with a second destination is two equal files, and whole in one where the other is lost") {
  constexpr float kStep = 1.0f / 8388608.0f;
  {
    GoneRig rig(two());
    const auto begun = rig.start(",'file':'takes:a.flac'");
    rig.turns(60);
    rig.stop();
    const Take take = rig.settled();
    REQUIRE(take.destinations_size() == 2);
    for (const auto& one : take.destinations()) CHECK(one.closed());
    rig.check_sound(rig.path("takes/a.flac"), begun.engine_frame(), take.frames(), kStep);
    rig.check_sound(rig.path("takes2/a.flac"), begun.engine_frame(), take.frames(), kStep);
    CHECK(bytes_of(rig.path("takes/a.flac")) == bytes_of(rig.path("takes2/a.flac")));
  }
  for (const bool deleted : {true, false}) {
    CAPTURE(deleted);
    const auto second = std::make_shared<Faults>();
    GoneRig rig(two(second));
    const auto begun = rig.start(",'file':'takes:day/a.flac'");
    rig.turns(20);
    if (deleted)
      fs::remove_all(rig.path("takes/day"));
    else
      second->fail_write = ENODEV;
    rig.event(Event::KIND_DESTINATION_LOST);
    rig.turns(20);
    rig.stop();
    const Take take = rig.settled();
    CHECK(take.error().empty());
    CHECK(take.file() == (deleted ? "takes2:day/a.flac" : "takes:day/a.flac"));
    rig.check_sound(rig.path(deleted ? "takes2/day/a.flac" : "takes/day/a.flac"), begun.engine_frame(), take.frames(),
                    kStep);
  }
}

TEST_CASE("a second folder that cannot be written to at the start is told until a take is written there") {
  RigOptions options = two();
  options.adjust = [](control::EngineConfig& config) { config.second_take_problem = "media.second_take_folder: why"; };
  GoneRig rig(std::move(options));
  const auto status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  REQUIRE(status.reasons_size() > 0);
  CHECK(status.reasons(0) == "takes have no second destination: media.second_take_folder: why");
  rig.start(",'file':'takes:a.wav'");
  CHECK(rig.status().reasons_size() == 0);
  rig.stop();
}
