// What was before a take: the joint, the bound, losses, a full and a failing disk, and nothing left behind.
#include "server/media/preroll.hpp"

#include <sys/statvfs.h>

#include <cerrno>
#include <random>

#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

constexpr double kRate = 1000.0;  // a second is short

float value(std::int64_t frame, std::uint32_t channel) {
  return static_cast<float>((frame * 8 + channel) % 1'000'003) / 1048576.0f;
}

struct PrerollRig {
  explicit PrerollRig(double seconds, std::uint32_t channels = 3) {
    auto opened =
        Preroll::open({.folder = dir.path(), .channels = channels, .sample_rate_hz = kRate, .seconds = seconds});
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    preroll = std::move(*opened);
  }
  /// As the recorder does.
  void play(std::int64_t frames) {
    rt::Sink& sink = preroll->sink();
    std::vector<float> samples;
    for (std::int64_t i = 0; i < frames; ++i, ++at)
      for (std::uint32_t c = 0; c < sink.channels; ++c) samples.push_back(value(at, c));
    REQUIRE(sink.frames.write(samples) == samples.size());
    sink.audio_.taken += frames;
    sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
  }
  void lose(std::int64_t frames) {
    rt::Sink& sink = preroll->sink();
    REQUIRE(sink.gaps.try_push({sink.audio_.taken, frames}));
    at += frames;
    sink.audio_.taken += frames;
    sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
  }
  void begin() {
    writer = open_take({.file = dir / "a.wav", .channels = preroll->channels(), .sample_rate_hz = kRate});
    preroll->begin_with(writer);
    rt::Sink& sink = preroll->sink();
    begun = at;
    sink.start_engine_frame = at + 70'000;
    sink.start_timeline_frame = at + 5000;
    sink.begun_at = sink.audio_.taken;
    sink.started.store(true, std::memory_order_release);
  }
  TakeResult end() {
    finish(preroll->sink());
    bool done = false;
    for (int round = 0; round < 100'000; ++round) {
      done = done || preroll->drain();
      if (writer->drain() && done) return writer->result();
    }
    FAIL("it does not end");
    return {};
  }
  /// Frame i of the take is that of `first` + i, or silence in the holes.
  void check(std::int64_t first, std::int64_t frames, std::int64_t hole_at = -1, std::int64_t hole = 0) {
    const auto samples = read_all(dir / "a.wav");
    REQUIRE(samples.size() == static_cast<std::size_t>(frames) * preroll->channels());
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto frame = first + static_cast<std::int64_t>(i / preroll->channels());
      const bool lost = frame >= hole_at && frame < hole_at + hole;
      const float wanted = lost ? 0.0f : value(frame, static_cast<std::uint32_t>(i % preroll->channels()));
      if (samples[i] != wanted) FAIL("frame ", frame, " (", i, "): ", samples[i], " is not ", wanted);
    }
  }
  TempDir dir;
  std::unique_ptr<Preroll> preroll;
  std::shared_ptr<TakeWriter> writer;
  std::int64_t at = 0;
  std::int64_t begun = 0;
};

}  // namespace

TEST_CASE("preroll: a take begins exactly so much earlier, and its joint is no place in it") {
  for (const std::uint32_t channels : {1u, 3u, 32u})
    for (const double seconds : {0.5, 2.0, 30.0}) {
      CAPTURE(channels);
      CAPTURE(seconds);
      PrerollRig rig(seconds, channels);
      std::mt19937 random(static_cast<unsigned>(channels));
      while (rig.at < 47'000) {  // round the circle more than once
        rig.play(1 + random() % 400);
        CHECK_FALSE(rig.preroll->drain());
      }
      rig.begin();
      for (int i = 0; i < 60; ++i) {
        rig.play(1 + random() % 400);
        rig.preroll->drain();
        rig.writer->drain();
      }
      const TakeResult result = rig.end();
      CHECK(result.error.empty());
      CHECK(result.lost_frames == 0);
      const auto before = static_cast<std::int64_t>(seconds * kRate);
      CHECK(result.frames == rig.at - rig.begun + before);
      rig.check(rig.begun - before, result.frames);
      const rt::Sink& sink = rig.writer->sink();
      CHECK(sink.start_engine_frame == rig.begun - before + 70'000);  // of the file's first frame
      CHECK(sink.start_timeline_frame == rig.begun - before + 5000);
    }
}

TEST_CASE("preroll: a take that begins early has what there was") {
  PrerollRig rig(10.0);
  rig.play(1234);
  rig.preroll->drain();
  CHECK(rig.preroll->kept_seconds() == doctest::Approx(1.234));
  rig.begin();  // with frames in the ring
  rig.play(777);
  CHECK(rig.end().frames == 2011);
  rig.check(0, 2011);
}

TEST_CASE("preroll: memory of what was before is bounded, on disk and in time") {
  PrerollRig rig(5.0);
  for (int i = 0; i < 100; ++i) {
    rig.play(1000);
    rig.preroll->drain();
    CHECK(rig.preroll->kept_seconds() <= 5.0);
  }
  CHECK(rig.preroll->kept_seconds() == 5.0);
  CHECK(rig.preroll->file_bytes() == static_cast<std::int64_t>((5.0 + Preroll::kSlackSeconds) * kRate) * 3 * 4);
}

TEST_CASE("preroll: what is lost before a take and in it is silence of exact length, counted, in its place") {
  for (const std::int64_t hole_at : {18'000, 19'900, 20'000, 20'100}) {
    CAPTURE(hole_at);
    PrerollRig rig(2.0);
    bool begun = false;
    while (rig.at < 24'000) {
      if (rig.at == hole_at) rig.lose(300);
      if (rig.at >= 20'000 && !begun) {
        begun = true;
        rig.begin();
      }
      rig.play(100);
      rig.preroll->drain();
    }
    const TakeResult result = rig.end();
    CHECK(result.lost_frames ==
          static_cast<std::uint64_t>(std::min<std::int64_t>(300, hole_at + 300 - (rig.begun - 2000))));
    rig.check(rig.begun - 2000, rig.at - rig.begun + 2000, hole_at, 300);
  }
}

TEST_CASE("preroll: a take that is slow to take over loses nothing, for the circle goes on behind it") {
  PrerollRig rig(30.0);
  for (int i = 0; i < 40; ++i) {
    rig.play(1000);
    rig.preroll->drain();
  }
  rig.begin();
  for (int i = 0; i < 9; ++i) {  // its ring is not emptied
    rig.play(1000);
    rig.preroll->drain();
  }
  const TakeResult result = rig.end();
  CHECK(result.lost_frames == 0);
  CHECK(result.frames == 39'000);
  rig.check(rig.begun - 30'000, 39'000);
}

TEST_CASE("preroll: one without a take ends with nothing, and leaves nothing in the folder") {
  PrerollRig rig(3.0);
  CHECK(fs::is_empty(rig.dir.path()));  // no name, so a kill leaves none
  rig.play(2000);
  CHECK_FALSE(rig.preroll->drain());
  finish(rig.preroll->sink());
  CHECK(rig.preroll->drain());
  rig.preroll.reset();
  CHECK(fs::is_empty(rig.dir.path()));
}

TEST_CASE("preroll: abandoned, its take has what there is") {
  PrerollRig rig(1.0);
  rig.play(3000);
  rig.preroll->drain();
  rig.begin();
  rig.play(500);
  rig.preroll->abandon();
  CHECK(rig.preroll->drain());
  CHECK(close_take(*rig.writer).frames == 1500);
  rig.check(2000, 1500);
}

TEST_CASE(
    "preroll: refused where the disk has not twice its size, for a length that is none, in a folder that is none") {
  TempDir dir;
  struct statvfs room{};
  REQUIRE(::statvfs(dir.path().c_str(), &room) == 0);
  const double too_many = static_cast<double>(room.f_bavail * room.f_frsize) / 2 / (128 * 4) / 600.0;
  const auto full =
      Preroll::open({.folder = dir.path(), .channels = 128, .sample_rate_hz = too_many + 1e6, .seconds = 600.0});
  REQUIRE_FALSE(full);
  CHECK(full.error().reason == "DISK_FULL");
  CHECK_FALSE(Preroll::open({.folder = dir.path(), .seconds = 600.5}));
  CHECK_FALSE(Preroll::open({.folder = dir.path(), .channels = 129}));
  CHECK_FALSE(Preroll::open({.folder = dir / "none"}));
}
