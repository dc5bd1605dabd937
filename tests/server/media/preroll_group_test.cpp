// Listeners that began at different moments, and takes of theirs that begin together.
#include "server/media/preroll.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

constexpr double kRate = 1000.0;

struct Member {
  Member(const TempDir& dir, const std::string& name, double seconds, std::int64_t listens_from)
      : file(dir / name), from(listens_from) {
    auto opened = Preroll::open({.folder = dir.path(), .channels = 1, .sample_rate_hz = kRate, .seconds = seconds});
    REQUIRE(opened);
    preroll = std::move(*opened);
  }
  /// As its recorder does, up to this engine frame.
  void play_to(std::int64_t engine_frame) {
    rt::Sink& sink = preroll->sink();
    for (; from + sink.audio_.taken < engine_frame; ++sink.audio_.taken) {
      const float sample = static_cast<float>(from + sink.audio_.taken) / 65536.0f;
      REQUIRE(sink.frames.write({&sample, 1}) == 1);
    }
    sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
  }
  void join(const std::shared_ptr<PrerollGroup>& group) {
    writer = open_take({.file = file, .channels = 1, .sample_rate_hz = kRate});
    preroll->begin_with(writer, group);
  }
  void begin() {
    rt::Sink& sink = preroll->sink();
    sink.start_engine_frame = from + sink.audio_.taken;
    sink.start_timeline_frame = 7;
    sink.begun_at = sink.audio_.taken;
    sink.started.store(true, std::memory_order_release);
  }
  bool drain() {
    over = over || preroll->drain();
    done = writer->drain() && over;
    return done;
  }
  void check(std::int64_t first, std::int64_t frames) {
    const auto samples = read_all(file);
    REQUIRE(static_cast<std::int64_t>(samples.size()) == frames);
    for (std::int64_t i = 0; i < frames; ++i)
      if (samples[static_cast<std::size_t>(i)] != static_cast<float>(first + i) / 65536.0f) FAIL("frame ", i);
    CHECK(writer->sink().start_engine_frame == first);
  }
  std::filesystem::path file;
  std::int64_t from;
  std::unique_ptr<Preroll> preroll;
  std::shared_ptr<TakeWriter> writer;
  bool over = false, done = false;
};

void drain_all(std::vector<Member*> members) {
  for (int round = 0; round < 10'000; ++round) {
    bool all = true;
    for (Member* member : members) all = member->drain() && all;
    if (all) return;
  }
  FAIL("they do not end");
}

}  // namespace

TEST_CASE("takes that begin together begin on the last frame with which one of them can, and end equally long") {
  TempDir dir;
  Member a(dir, "a.wav", 2.0, 100), b(dir, "b.wav", 2.0, 137), c(dir, "c.wav", 0.9, 0);
  const auto group = std::make_shared<PrerollGroup>();
  for (Member* member : {&a, &b, &c}) member->play_to(1000);
  for (Member* member : {&a, &b, &c}) member->join(group);
  // One is heard of early: it holds what it has, and waits.
  a.begin();
  a.drain();
  a.play_to(1500);
  a.drain();
  CHECK_FALSE(a.writer->sink().started);
  b.begin();
  c.begin();
  for (Member* member : {&a, &b, &c}) {
    member->play_to(1777);
    finish(member->preroll->sink());
  }
  drain_all({&a, &b, &c});
  // b came last, at 137; a and c could give more.
  for (Member* member : {&a, &b, &c}) member->check(137, 1640);
}

TEST_CASE("the shortest pre-record decides for all, one that heard nothing too, and one that never begins for none") {
  TempDir dir;
  for (const bool nothing : {false, true}) {
    const std::string n = nothing ? "n" : "";
    Member a(dir, n + "a.wav", 2.0, 0), b(dir, n + "b.wav", 0.5, 0), never(dir, n + "c.wav", 0.1, 2500);
    const auto group = std::make_shared<PrerollGroup>();
    for (Member* member : {&a, &b, &never}) {
      member->play_to(3000);
      member->preroll->drain();
      member->join(group);
    }
    if (nothing) group->nothing_before();
    a.begin();
    b.begin();
    a.drain();
    b.drain();
    never.preroll->abandon();  // its recorder is gone
    CHECK(never.preroll->drain());
    for (Member* member : {&a, &b}) {
      member->play_to(3100);
      finish(member->preroll->sink());
    }
    drain_all({&a, &b});
    for (Member* member : {&a, &b}) member->check(nothing ? 3000 : 2500, nothing ? 100 : 600);
    never.writer->discard();
  }
}
