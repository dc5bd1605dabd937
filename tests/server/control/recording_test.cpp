// Takes in a whole engine: full, slow and sick disks, what is told of them and when, and what a kill left behind.
#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "server/media/wav_format.hpp"
#include "tests/server/control/take_rig.hpp"
#include "tests/support/fake_disk.hpp"

using namespace continuo;
using namespace continuo::control::test;
using media::test::Faults;
using Take = v1::GetStatusResponse::Take;
using Event = v1::WatchResponse::TakeEvent;

namespace {

float signal(std::uint32_t channel, std::int64_t frame) {
  return static_cast<float>((frame * 64 + channel) * 7919 % 60013 - 30000) / 65536.0f;
}

struct Disk {
  std::shared_ptr<Faults> faults = std::make_shared<Faults>();
};
/// Records "in" on a disk of the test's own.
struct Recording : Disk, TakeRig {
  explicit Recording(std::uint32_t channels = 2) : TakeRig(options(*faults, faults, channels)) {
    hardware->set_input(signal);
  }
  ~Recording() { faults->gate.open(); }
  static RigOptions options(Faults&, const std::shared_ptr<Faults>& faults, std::uint32_t channels) {
    RigOptions options;
    options.in = channels;
    options.take_file = media::test::faulty_files(faults);
    return options;
  }
};

/// Frames [from, from + count) of a take that began at engine frame `start` are those of the input.
void check_input(const std::vector<float>& samples, std::uint32_t channels, std::int64_t start, std::size_t from,
                 std::size_t count) {
  REQUIRE((from + count) * channels <= samples.size());
  for (std::size_t i = from; i < from + count; ++i) {
    for (std::uint32_t c = 0; c < channels; ++c) {
      if (samples[i * channels + c] == signal(c, start + static_cast<std::int64_t>(i))) continue;
      FAIL("frame ", i, ", channel ", c);
    }
  }
}

/// Hardware frames and engine frames run alike in a rig whose device is never lost.
std::vector<std::uint32_t> cue_points(const std::filesystem::path& file) {
  SF_INFO info{};
  SNDFILE* sound = sf_open(file.c_str(), SFM_READ, &info);
  REQUIRE(sound != nullptr);
  SF_CUES cues{};
  std::vector<std::uint32_t> points;
  if (sf_command(sound, SFC_GET_CUE, &cues, sizeof cues) == SF_TRUE) {
    for (std::uint32_t i = 0; i < cues.cue_count; ++i) points.push_back(cues.cue_points[i].sample_offset);
  }
  sf_close(sound);
  return points;
}

}  // namespace

TEST_CASE("a full disk: the take is closed at once with all that fits, everybody is told, and sound goes on") {
  for (const bool sick : {false, true}) {
    CAPTURE(sick);
    Recording rig;
    rig.faults->capacity = 100'000;
    const auto begun = rig.start(",'file':'takes:full.wav'");
    REQUIRE(begun.take_ids_size() == 1);
    if (sick) {
      rig.turns(20);
      rig.faults->fail_write = EIO;
    }
    const Event event = rig.event(Event::KIND_FAILED);  // nobody stopped it
    CHECK(event.take().id() == begun.take_ids(0));
    CHECK(event.take().file() == "takes:full.wav");
    CHECK_FALSE(event.take().recording());
    CHECK(event.message().find(sick ? "Input/output error" : "No space left") != std::string::npos);
    const auto path = rig.take_file("takes:full.wav");
    CHECK(std::filesystem::exists(path));
    std::uint32_t channels = 0;
    const auto samples = rig.read_wav(path, channels);
    CHECK(channels == 2);
    CHECK(samples.size() == 2 * static_cast<std::size_t>(event.take().frames()));
    if (!sick) CHECK(samples.size() == (100'000 - media::kTakeHeaderBytes) / 8 * 2);
    check_input(samples, 2, begun.engine_frame(), 0, samples.size() / 2);

    auto status = rig.status();
    CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
    REQUIRE(status.reasons_size() == 1);
    CHECK(status.reasons(0).find("takes:full.wav") != std::string::npos);
    REQUIRE(status.takes_size() == 1);
    CHECK_FALSE(status.takes(0).recording());
    CHECK_FALSE(status.takes(0).error().empty());
    const auto at = rig.engine->clock().engine_frame();
    rig.turns(20);
    CHECK(rig.engine->clock().engine_frame() > at);
    // Who stops it is told; once.
    const auto stopped = rig.stop();
    REQUIRE(stopped.closed_takes_size() == 1);
    CHECK(stopped.take_ids(0) == begun.take_ids(0));
    CHECK_FALSE(stopped.closed_takes(0).error().empty());
    CHECK(rig.stop().takes_size() == 0);
    CHECK_FALSE(rig.apply("{'operations':[{'recordStop':{'nodes':['in']}}]}"));
    // Its recorder is free, and the next take is a new matter.
    rig.faults->capacity = INT64_MAX;
    rig.faults->fail_write = 0;
    rig.start(",'frames':'1000'");
    CHECK(rig.event(Event::KIND_CLOSED).take().frames() == 1000);
    status = rig.status();
    CHECK(status.state() == v1::GetStatusResponse::STATE_HEALTHY);
    CHECK(status.counters().lost_record_frames() == 0);
  }
}

TEST_CASE("a stop is acknowledged when the file is on the disk under its final name, or says that it is not yet") {
  Recording rig;
  rig.start(",'file':'takes:a.wav'");
  rig.turns(20);
  const auto stopped = rig.stop();
  REQUIRE(stopped.closed_takes_size() == 1);
  CHECK(stopped.closed_takes(0).file() == "takes:a.wav");
  CHECK(stopped.closed_takes(0).frames() > 0);
  CHECK(std::filesystem::exists(rig.take_file("takes:a.wav")));
  CHECK_FALSE(std::filesystem::exists(rig.take_file("takes:a.wav.part")));

  const auto second = rig.start(",'file':'takes:b.wav'");
  rig.turns(20);
  rig.faults->gate.close();
  rig.turns(20);
  rig.faults->gate.wait_for_one();
  const auto early = rig.applied("{'operations':[{'recordStop':{}}],'maxWaitMs':50}");
  CHECK(early.take_ids(0) == second.take_ids(0));
  CHECK(early.closed_takes().empty());
  CHECK(rig.status().takes(1).recording());
  CHECK_FALSE(std::filesystem::exists(rig.take_file("takes:b.wav")));
  rig.faults->gate.open();
  CHECK(rig.event(Event::KIND_CLOSED).take().file() == "takes:a.wav");
  CHECK(rig.event(Event::KIND_CLOSED).take().id() == second.take_ids(0));
  CHECK(std::filesystem::exists(rig.take_file("takes:b.wav")));
}

TEST_CASE("a take of a name that an earlier, deleted one had is another take") {
  Recording rig;
  const auto first = rig.start(",'file':'takes:a.wav','frames':'500'");
  rig.event(Event::KIND_CLOSED);
  std::filesystem::remove(rig.take_file("takes:a.wav"));
  const auto second = rig.start(",'file':'takes:a.wav'");
  CHECK(first.takes(0) == second.takes(0));
  CHECK(first.take_ids(0) != second.take_ids(0));
  const auto status = rig.status();
  REQUIRE(status.takes_size() == 2);
  for (const Take& take : status.takes()) CHECK(take.recording() == (take.id() == second.take_ids(0)));
}

TEST_CASE("a disk that stands still for 2 s costs 64 channels nothing, for longer exactly the frames that are told") {
  for (const std::int64_t stall : {2 * 48'000, 7 * 48'000}) {
    CAPTURE(stall);
    Recording rig(64);
    const auto begun = rig.start(",'file':'takes:a.wav'");
    rig.turns(20);
    rig.faults->gate.close();
    rig.turns(20);
    rig.faults->gate.wait_for_one();
    rig.hardware->run(static_cast<std::uint64_t>(stall));  // at once: the disk thread sleeps
    const std::uint64_t lost = rig.status().counters().lost_record_frames();
    CHECK((lost > 0) == (stall > 4 * 48'000));
    if (lost > 0) {
      const Event event = rig.event(Event::KIND_LOST);  // told while the disk still stands
      CHECK(event.take().id() == begun.take_ids(0));
      CHECK(event.take().lost_frames() >= lost);
      CHECK(rig.status().state() == v1::GetStatusResponse::STATE_DEGRADED);
    }
    rig.faults->gate.open();
    // What the ring has room for again is kept.
    rig.stepping = false;  // the disk catches up at its own pace
    REQUIRE(rig.until([&] { return rig.faults->syncs > 0; }));
    rig.stepping = true;
    const std::uint64_t all_lost = rig.status().counters().lost_record_frames();
    rig.turns(100);
    const auto stopped = rig.stop();
    REQUIRE(stopped.closed_takes_size() == 1);
    const Take& take = stopped.closed_takes(0);
    CHECK(take.error().empty());
    CHECK(take.lost_frames() == rig.status().counters().lost_record_frames());
    if (lost == 0) CHECK(all_lost == 0);
    CHECK(take.frames() == stopped.engine_frame() - begun.engine_frame());
    std::uint32_t channels = 0;
    const auto path = rig.take_file("takes:a.wav");
    const auto samples = rig.read_wav(path, channels);
    REQUIRE(channels == 64);
    REQUIRE(samples.size() == 64 * static_cast<std::size_t>(take.frames()));
    // Every frame is the input's, or silence; holes begin at the cue points and are as long as was told.
    std::uint64_t silent = 0;
    std::vector<std::uint32_t> holes;
    bool in_hole = false;
    for (std::size_t i = 0; i < samples.size() / 64; ++i) {
      const auto frame = begun.engine_frame() + static_cast<std::int64_t>(i);
      const bool kept = std::equal(samples.begin() + static_cast<std::ptrdiff_t>(64 * i),
                                   samples.begin() + static_cast<std::ptrdiff_t>(64 * (i + 1)),
                                   std::array<float, 64>{}.begin()) == false;
      if (!kept) {
        ++silent;
        if (!in_hole) holes.push_back(static_cast<std::uint32_t>(i));
      } else {
        for (std::uint32_t c = 0; c < 64; ++c) {
          if (samples[64 * i + c] != signal(c, frame)) FAIL("frame ", i, ", channel ", c);
        }
      }
      in_hole = !kept;
    }
    CHECK(silent == take.lost_frames());
    CHECK(cue_points(path) == holes);
    CHECK(holes.empty() == (lost == 0));
  }
}

TEST_CASE("one file a channel: all are named, end together, also on a full disk, and hold the channels") {
  for (const bool full : {false, true}) {
    CAPTURE(full);
    Recording rig(12);
    if (full) rig.faults->capacity = 50'001;
    const auto begun = rig.start(",'file':'takes:day/a.wav','splitChannels':true,'frames':'30000'");
    REQUIRE(begun.takes_size() == 12);
    REQUIRE(begun.take_ids_size() == 12);
    CHECK(begun.takes(11) == "takes:day/a-ch12.wav");
    CHECK(begun.take_ids(11) == begun.take_ids(0));
    const Take take = rig.event(full ? Event::KIND_FAILED : Event::KIND_CLOSED).take();
    CHECK(take.file() == "takes:day/a-ch01.wav");
    REQUIRE(take.files_size() == 12);
    CHECK((take.frames() == 30'000) == !full);
    for (std::uint32_t c = 0; c < 12; ++c) {
      CHECK(take.files(static_cast<int>(c)) == begun.takes(static_cast<int>(c)));
      std::uint32_t channels = 0;
      const auto samples = rig.read_wav(rig.take_file(begun.takes(static_cast<int>(c))), channels);
      CHECK(channels == 1);
      REQUIRE(samples.size() == static_cast<std::size_t>(take.frames()));
      for (std::size_t i = 0; i < samples.size(); ++i)
        REQUIRE(samples[i] == signal(c, begun.engine_frame() + static_cast<std::int64_t>(i)));
    }
    const auto again =
        rig.apply("{'operations':[{'recordStart':{'nodes':['in'],'file':'takes:day/a.wav','splitChannels':true}}]}");
    REQUIRE_FALSE(again);
    CHECK(again.error().kind == ErrorKind::already_exists);
  }
}

TEST_CASE("the time that is left on disk is forecast, warned of once, and a reason while it is short") {
  Recording rig;
  rig.faults->free = std::int64_t{48'000} * 8 * 3600;  // an hour of two channels
  rig.start();
  v1::GetStatusResponse status;
  REQUIRE(rig.until([&] {
    status = rig.status();
    return status.take_volumes_size() == 1;
  }));
  CHECK(status.take_volumes(0).roots(0) == "takes");
  CHECK(status.take_volumes(0).bytes_per_second() == 48'000.0 * 8);
  CHECK(status.take_volumes(0).seconds_left() == doctest::Approx(3600.0));
  CHECK(status.state() == v1::GetStatusResponse::STATE_HEALTHY);
  rig.applied("{'operations':[{'recordStart':{'nodes':['out']}}]}");  // twice the rate, half the time
  REQUIRE(rig.until([&] { return rig.status().take_volumes(0).seconds_left() == doctest::Approx(1800.0); }));
  rig.faults->free = std::int64_t{48'000} * 16 * 500;
  const Event event = rig.event(Event::KIND_LOW_SPACE);
  CHECK(event.message().find("8 min 20 s") != std::string::npos);
  status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  REQUIRE(status.reasons_size() == 1);
  CHECK(status.reasons(0).find("takes:") != std::string::npos);
  rig.stop();
  status = rig.status();
  CHECK(status.take_volumes().empty());
  CHECK(status.state() == v1::GetStatusResponse::STATE_HEALTHY);
}

TEST_CASE("what a kill left open is repaired at the next start, listed and told, and overwrites nothing") {
  Rig rig;
  const auto make = [&](const std::string& name, std::size_t frames) {
    const auto samples = ramp_signal(3, frames);
    std::vector<std::byte> bytes = media::wav_header({3, 44'100, media::SampleFormat::pcm24}, 1);
    media::encode_samples(media::SampleFormat::pcm24, samples, bytes);
    bytes.push_back(std::byte{1});  // a torn frame
    std::filesystem::create_directories(rig.take_file(name).parent_path());
    FILE* file = std::fopen(rig.take_file(name).c_str(), "wb");
    REQUIRE(std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size());
    std::fclose(file);
  };
  rig.applied("{'operations':[{'recordStart':{'nodes':['out'],'file':'takes:day/a.wav','frames':'100'}}]}");
  REQUIRE(rig.until([&] { return !rig.status().takes(0).recording(); }));
  make("takes:day/a.wav.part", 1000);
  make("takes:b.wav.part", 44'100);
  rig.restart();
  v1::GetStatusResponse status;
  REQUIRE(rig.until([&] {
    status = rig.status();
    return status.takes_size() == 2;
  }));
  std::vector<std::string> files;
  for (const Take& take : status.takes()) {
    files.push_back(take.file());
    CHECK(take.recovered());
    CHECK(take.error().empty());
    CHECK_FALSE(take.recording());
    CHECK(take.channels() == 3);
    CHECK(take.sample_rate_hz() == 44'100);
    CHECK(take.id() != 0);
    std::uint32_t channels = 0;
    const auto samples = rig.read_wav(rig.take_file(take.file()), channels);
    CHECK(samples == ramp_signal(3, static_cast<std::size_t>(take.frames())));
  }
  std::ranges::sort(files);
  CHECK(files == std::vector<std::string>{"takes:b.wav", "takes:day/a-2.wav"});
  CHECK(status.state() == v1::GetStatusResponse::STATE_HEALTHY);
  std::uint32_t channels = 0;
  CHECK(rig.read_wav(rig.take_file("takes:day/a.wav"), channels).size() == 200);
}
