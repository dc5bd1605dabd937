// Renders as jobs: the same file as the program makes of the session, in a process that can be killed, and never half.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "server/control/render_work.hpp"
#include "server/render/time_text.hpp"
#include "tests/server/control/job_rig.hpp"

namespace continuo::control::test {
namespace {

using State = v1::Job;
namespace fs = std::filesystem;

/// A sine of 997 Hz at -20 dBFS, the same in all channels.
std::vector<float> tone(std::uint32_t channels, std::size_t frames) {
  std::vector<float> samples;
  for (std::size_t i = 0; i < frames; ++i) {
    const double phase = 2.0 * std::numbers::pi * 997.0 * static_cast<double>(i) / 48'000.0;
    samples.insert(samples.end(), channels, static_cast<float>(0.1 * std::sin(phase)));
  }
  return samples;
}

/// What the program makes of the session's text by itself.
std::string by_program(JobRig& rig, const std::string& words, const std::string& ending = "wav") {
  const fs::path session = rig.media() / "session.json";
  const fs::path out = rig.folder.path() / ("alone." + ending);
  std::ofstream(session) << rig.session();
  const std::string command = std::string(CONTINUO_RENDER) + " " + session.string() + " --force -o " + out.string() +
                              " --media-root media=" + rig.media().string() + " " + words + " >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
  fs::remove(session);
  return JobRig::bytes(out);
}

TEST_CASE("a render is the file that continuo-render makes of the same session, bit for bit") {
  JobRig rig;
  rig.song();
  rig.play();
  SUBCASE("as it comes") {
    const v1::Job job = rig.ended(rig.started(JobRig::to("media:mix.wav")));
    REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
    CHECK(JobRig::bytes(rig.media() / "mix.wav") == by_program(rig, "--bits 24 --tail auto"));
    CHECK(job.render().file() == "media:mix.wav");
    CHECK(job.render().frames() == 24'000);
    CHECK(job.render().sample_rate_hz() == 48'000);
    CHECK(job.render().channels() == 2);
    CHECK(job.render().peak_db() < 0.0);
    CHECK(job.render().speed() > 0.0);
    CHECK(job.render().warnings().empty());
    CHECK(job.subject() == "media:mix.wav");
    CHECK(job.origin().identity() == "user anna");
    CHECK(job.progress() == 1.0);
  }
  SUBCASE("a part of it, in floats") {
    auto request = JobRig::to("media:mix.wav");
    request.set_start_frame(1000);
    request.set_end_frame(9000);
    request.set_sample_format("float32");
    const v1::Job job = rig.ended(rig.started(request));
    REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
    CHECK(job.render().frames() == 8000);
    CHECK(JobRig::bytes(rig.media() / "mix.wav") == by_program(rig, "--bits 32f --from 1000f --to 9000f"));
  }
  SUBCASE("16 bits, dithered as ever") {
    auto request = JobRig::to("media:mix.wav");
    request.set_sample_format("pcm16");
    REQUIRE(rig.ended(rig.started(request)).state() == State::STATE_DONE);
    CHECK(JobRig::bytes(rig.media() / "mix.wav") == by_program(rig, "--bits 16 --tail auto"));
  }
  SUBCASE("FLAC, in a folder of the root") {
    fs::create_directory(rig.media() / "mixes");
    const v1::Job job = rig.ended(rig.started(JobRig::to("media:mixes/mix.flac")));
    REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
    CHECK(JobRig::bytes(rig.media() / "mixes" / "mix.flac") == by_program(rig, "--bits 24 --tail auto", "flac"));
    CHECK(rig.names(rig.media() / "mixes") == std::set<std::string>{"mix.flac"});
  }
  CHECK(rig.hidden().empty());
  CHECK(fs::status(rig.media()).permissions() != fs::perms::none);
}

TEST_CASE("a render tells its loudness, and that of what is asked for, as a measure of the file would") {
  JobRig rig;
  rig.write_wav("tone.wav", 2, 48'000, tone(2, 48'000 * 4));
  rig.play("tone.wav");
  auto request = JobRig::to("media:plain.wav");
  request.set_end_frame(48'000 * 4);
  REQUIRE(rig.ended(rig.started(request)).state() == State::STATE_DONE);
  request.set_file("media:mix.wav");
  SUBCASE("of the output alone") {
    request.set_loudness(true);
    const v1::Job job = rig.ended(rig.started(request));
    REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
    // A sine of 997 Hz at -20 dBFS in both channels is -20 LUFS (Tech 3341, case 1, has -23 for -23).
    CHECK(job.render().loudness().integrated_lufs() == doctest::Approx(-20.0).epsilon(0.002));
    CHECK(job.render().loudness().range_lu() < 0.1);
    CHECK(job.render().loudness().max_momentary_lufs() == doctest::Approx(-20.0).epsilon(0.002));
    CHECK(job.render().loudness().max_short_term_lufs() == doctest::Approx(-20.0).epsilon(0.002));
    CHECK(job.render().loudness().max_true_peak_db() == doctest::Approx(-20.0).epsilon(0.01));
    CHECK(job.render().stems().empty());
  }
  SUBCASE("of every track, and of a node by name") {
    request.set_loudness_stems(true);
    request.add_loudness_of("vox/p");
    const v1::Job job = rig.ended(rig.started(request));
    REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
    CHECK(job.render().has_loudness());
    REQUIRE(job.render().stems_size() == 2);
    CHECK(job.render().stems(0).node() == "vox");
    CHECK(job.render().stems(1).node() == "vox/p");
    for (const auto& stem : job.render().stems())
      CHECK(stem.loudness().integrated_lufs() == doctest::Approx(-20.0).epsilon(0.002));
  }
  CHECK(JobRig::bytes(rig.media() / "mix.wav") == JobRig::bytes(rig.media() / "plain.wav"));
}

TEST_CASE("a node whose loudness nobody can tell is refused, or fails the job") {
  JobRig rig;
  rig.song();
  REQUIRE(
      rig.load("{'format':1,'sample_rate_hz':48000,'nodes':[{'id':'g','type':'container','children':["
               "{'id':'vox','type':'track','children':[{'id':'p','type':'player','params':{'file':'a.wav'}}]}]}],"
               "'connections':[{'from':'g/vox','to':'out'}]}"));
  auto request = JobRig::to("media:mix.wav");
  request.add_loudness_of("g/vox");
  request.add_loudness_of("vox");
  const auto unknown = rig.start(request);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::not_found);
  CHECK(unknown.error().reason == "UNKNOWN_NODE");
  CHECK(unknown.error().field == "loudness_of[1]");
  // Known at once: what has no sound of its own, and the inputs, for which a render has none.
  for (const auto& [node, why] : {std::pair("g", "no sound comes out of it"), std::pair("in", "silent in a render")}) {
    request.set_loudness_of(1, node);
    const auto silent = rig.start(request);
    REQUIRE_FALSE(silent);
    CHECK(silent.error().kind == ErrorKind::invalid_argument);
    CHECK(silent.error().reason == "NO_SOUND");
    CHECK(silent.error().field == "loudness_of[1]");
    CHECK(silent.error().message.find(why) != std::string::npos);
  }
  // At the bound, and above it.
  request.clear_loudness_of();
  for (std::size_t i = 0; i < kMaxStems; ++i) request.add_loudness_of("g/vox");
  CHECK(rig.ended(rig.started(request)).render().stems_size() == 1);
  request.set_overwrite(true);
  request.set_loudness_stems(true);
  CHECK(rig.refusal(request) == "TOO_MANY");
  request.set_loudness_stems(false);
  request.add_loudness_of("g/vox");
  CHECK(rig.refusal(request) == "TOO_MANY");
}

TEST_CASE("what a render does not find is silent, and said") {
  JobRig rig;
  rig.song();
  REQUIRE(
      rig.load("{'format':1,'sample_rate_hz':48000,'nodes':["
               "{'id':'vox','type':'track','children':[{'id':'p','type':'player','params':{'file':'a.wav'}}]},"
               "{'id':'lost','type':'track','children':[{'id':'p','type':'player','params':{'file':'b.wav'}}]},"
               "{'id':'far','type':'track','children':[{'id':'p','type':'player','params':{'file':'media:x/c.wav'}}]}],"
               "'connections':[{'from':'vox','to':'out'},{'from':'lost','to':'out'},{'from':'far','to':'out'}]}"));
  const v1::Job job = rig.ended(rig.started(JobRig::to("media:mix.wav")));
  REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
  CHECK(job.render().frames() == 24'000);
  REQUIRE(job.render().warnings_size() == 2);
  CHECK(job.render().warnings(0).find("b.wav") != std::string::npos);
}

TEST_CASE("a tail that is cut is said") {
  JobRig rig;
  rig.song();
  REQUIRE(
      rig.load("{'format':1,'sample_rate_hz':48000,'nodes':["
               "{'id':'vox','type':'track','children':[{'id':'p','type':'player','params':{'file':'a.wav'}}]},"
               "{'id':'hum','type':'track','children':[{'id':'o','type':'oscillator'}]}],"
               "'connections':[{'from':'vox','to':'out'},{'from':'hum','to':'out'}]}"));
  const v1::Job job = rig.ended(rig.started(JobRig::to("media:mix.wav")));
  REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
  REQUIRE(job.render().warnings_size() == 1);
  CHECK(job.render().warnings(0) == "the tail had not faded away after 60 s and was cut");
}

TEST_CASE("a range beyond what a render takes is told by its greatest frame") {
  JobRig rig;
  rig.song();
  rig.play();
  struct Case {
    std::int64_t start, end;
    const char* reason;
    const char* field;
    std::string message;
  };
  const std::string most = std::to_string(kMostRenderFrames);
  const std::int64_t far = std::int64_t{1} << 62;
  for (const Case& c :
       {Case{-1, 10, "OUT_OF_RANGE", "start_frame", "a render begins at 0 or later, not at -1"},
        Case{far, far + 1, "OUT_OF_RANGE", "start_frame",
             "a render begins at frame " + most + " at the latest, not at 4611686018427387904"},
        Case{0, far, "OUT_OF_RANGE", "end_frame",
             "a render ends at frame " + most + " at the latest, not at 4611686018427387904"},
        Case{0, kMostRenderFrames + 1, "OUT_OF_RANGE", "end_frame",
             "a render ends at frame " + most + " at the latest, not at " + std::to_string(kMostRenderFrames + 1)},
        Case{20, 10, "EMPTY_RANGE", "end_frame", "the render ends before it begins: frame 20 to 10"}}) {
    CAPTURE(c.message);
    auto request = JobRig::to("media:mix.wav");
    request.set_start_frame(c.start);
    request.set_end_frame(c.end);
    const auto refused = rig.start(request);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == c.reason);
    CHECK(refused.error().field == c.field);
    CHECK(refused.error().message == c.message);
  }
  // The bound is the program's own.
  CHECK(render::parse_time(most + "f", "--to"));
  CHECK_FALSE(render::parse_time(std::to_string(kMostRenderFrames + 1) + "f", "--to"));
  auto request = JobRig::to("media:mix.wav");
  request.set_start_frame(kMostRenderFrames - 1);
  request.set_end_frame(kMostRenderFrames);
  CHECK(rig.ended(rig.started(request)).render().frames() == 1);
}

TEST_CASE("a file's name that does not show as it is written is refused") {
  JobRig rig;
  rig.song();
  rig.play();
  for (const char* turns : {"\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\xA8", "\xC2\x85", "\x1B"}) {
    const auto refused = rig.start(JobRig::to("media:m" + std::string(turns) + "x.wav"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "BAD_FILE_NAME");
    CHECK(refused.error().field == "file");
    CHECK(refused.error().message == "not a file's name: \"media:m?x.wav\"");
  }
  CHECK(rig.ended(rig.started(JobRig::to("media:m\xC3\xA9x.wav"))).state() == State::STATE_DONE);
}

TEST_CASE("a session that does not end by itself says so") {
  JobRig rig;
  const v1::Job job = rig.ended(rig.started(JobRig::to("media:mix.wav")));
  CHECK(job.state() == State::STATE_FAILED);
  CHECK(job.reason() == "NO_END");
  CHECK(rig.names(rig.media()).empty());
}

TEST_CASE("a cancel in the middle leaves no file, and no process") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::uint64_t id = rig.started(JobRig::to("media:mix.wav", true));
  rig.at_work(id);
  const pid_t child = rig.engine->jobs().render_process();
  CHECK(::getpgid(child) == child);
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(child)) == 10);
  CHECK(::sched_getscheduler(child) == SCHED_OTHER);
  // Its three ends of pipes, and the output.
  CHECK(rig.names("/proc/" + std::to_string(child) + "/fd").size() <= 6);
  REQUIRE(rig.cancel(id));
  const v1::Job job = rig.ended(id);
  CHECK(job.state() == State::STATE_CANCELLED);
  CHECK(job.message() == "cancelled by user ben");
  CHECK(job.progress() < 1.0);
  CHECK(rig.names(rig.media()) == std::set<std::string>{"a.wav"});
  CHECK(::kill(child, 0) == -1);
  // The line goes on.
  CHECK(rig.ended(rig.started(JobRig::to("media:mix.wav"))).state() == State::STATE_DONE);
}

TEST_CASE("a child that does not end is killed, and one that is killed has failed") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::uint64_t id = rig.started(JobRig::to("media:mix.wav", true));
  rig.at_work(id);
  const pid_t child = rig.engine->jobs().render_process();
  SUBCASE("by somebody") {
    ::kill(child, SIGKILL);
    const v1::Job job = rig.ended(id);
    CHECK(job.state() == State::STATE_FAILED);
    CHECK(job.reason() == "RENDER_DIED");
    CHECK(job.message().find("signal 9") != std::string::npos);
  }
  SUBCASE("as it stands still") {
    ::kill(child, SIGSTOP);
    REQUIRE(rig.cancel(id));
    CHECK(rig.ended(id).state() == State::STATE_CANCELLED);
    CHECK(::kill(child, 0) == -1);
  }
  CHECK(rig.names(rig.media()) == std::set<std::string>{"a.wav"});
}

TEST_CASE("renders wait for each other, and one that waits is cancelled at once") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::uint64_t first = rig.started(JobRig::to("media:1.wav", true));
  const std::uint64_t second = rig.started(JobRig::to("media:2.wav"));
  const std::uint64_t third = rig.started(JobRig::to("media:3.wav"));
  CHECK(rig.get(second).state() == State::STATE_WAITING);
  const auto cancelled = rig.cancel(second);
  REQUIRE(cancelled);
  CHECK(cancelled->state() == State::STATE_CANCELLED);
  CHECK(rig.get(third).state() == State::STATE_WAITING);
  REQUIRE(rig.cancel(first));
  CHECK(rig.ended(third).state() == State::STATE_DONE);
  CHECK(rig.names(rig.media()) == std::set<std::string>{"3.wav", "a.wav"});
}

TEST_CASE("a render takes the session of its moment") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::uint64_t first = rig.started(JobRig::to("media:1.wav", true));
  const std::uint64_t second = rig.started(JobRig::to("media:2.wav"));
  rig.applied("{'operations':[{'set_params':{'path':'vox','values':{'gain_db':-20}}}]}");
  REQUIRE(rig.cancel(first));
  const v1::Job loud = rig.ended(second);
  const v1::Job soft = rig.ended(rig.started(JobRig::to("media:3.wav")));
  CHECK(loud.render().peak_db() == doctest::Approx(soft.render().peak_db() + 20.0).epsilon(0.01));
}

TEST_CASE("a disk that takes no more is the render's failure, and leaves nothing") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::uint64_t id = rig.started(JobRig::to("media:mix.wav", true));
  rig.at_work(id);
  // The kernel's own bound stands for a full disk.
  const rlimit small{1u << 20, 1u << 20};
  REQUIRE(::prlimit(rig.engine->jobs().render_process(), RLIMIT_FSIZE, &small, nullptr) == 0);
  const v1::Job job = rig.ended(id);
  CHECK(job.state() == State::STATE_FAILED);
  CHECK(job.reason() == "WRITE_FAILED");
  CHECK(job.message().find("media:mix.wav") != std::string::npos);
  CHECK(rig.names(rig.media()) == std::set<std::string>{"a.wav"});
}

TEST_CASE("a program that is not there is the render's failure") {
  RigOptions options;
  options.adjust = [](EngineConfig& config) { config.render_program = "/nowhere/continuo-render"; };
  JobRig rig(options);
  rig.song();
  rig.play();
  const v1::Job job = rig.ended(rig.started(JobRig::to("media:mix.wav")));
  CHECK(job.reason() == "RENDER_NOT_STARTED");
  CHECK(rig.hidden().empty());
}

TEST_CASE("a repeat of a render answers with the first one's job") {
  JobRig rig;
  rig.song();
  rig.play();
  auto request = JobRig::to("media:mix.wav");
  request.set_request_id("once");
  // Both under way at once, and once more later.
  std::optional<Result<v1::Job>> a, b;
  rig.engine->jobs().start_render(request, [&](Result<v1::Job> job) { a.emplace(std::move(job)); }, "user anna");
  rig.engine->jobs().start_render(request, [&](Result<v1::Job> job) { b.emplace(std::move(job)); }, "user anna");
  REQUIRE(rig.until([&] { return a && b; }));
  REQUIRE(*a);
  REQUIRE(*b);
  CHECK((*a)->job_id() == (*b)->job_id());
  rig.ended((*a)->job_id());
  const auto again = rig.start(request);
  REQUIRE(again);
  CHECK(again->job_id() == (*a)->job_id());
  CHECK(again->state() == State::STATE_DONE);
  CHECK(rig.start(request, "user ben").error().reason == "FILE_EXISTS");  // an id of his own
  request.set_file("media:other.wav");
  CHECK(rig.refusal(request) == "REQUEST_ID_REUSED");
}

TEST_CASE("the daemon's end takes its render along, and the next start clears up behind a kill") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::uint64_t id = rig.started(JobRig::to("media:mix.wav", true));
  const std::uint64_t waits = rig.started(JobRig::to("media:2.wav"));
  rig.at_work(id);
  const pid_t child = rig.engine->jobs().render_process();
  const std::string left = *rig.hidden().begin();
  REQUIRE(rig.until([&] { return fs::exists(rig.folder.path() / "state/jobs" / (std::to_string(waits) + ".job")); }));
  fs::copy(rig.folder.path() / "state/jobs", rig.folder.path() / "before");
  rig.shutdown();
  CHECK(::kill(child, 0) == -1);
  CHECK(rig.hidden().empty());
  SUBCASE("in order") {}
  SUBCASE("as after a kill") {
    rig.engine.reset();
    fs::remove_all(rig.folder.path() / "state/jobs");
    fs::copy(rig.folder.path() / "before", rig.folder.path() / "state/jobs");
    std::ofstream(rig.media() / left) << "half";
    std::ofstream(rig.media() / ".continuo-0123456789abcdef-1.render") << "another daemon's";
  }
  const bool killed = !rig.hidden().empty();
  rig.restart();
  for (const std::uint64_t one : {id, waits}) {
    const v1::Job job = rig.get(one);
    CHECK(job.state() == State::STATE_FAILED);
    CHECK(job.reason() == "DAEMON_ENDED");
  }
  if (killed) {
    REQUIRE(rig.until([&] { return !rig.hidden().contains(left); }));
    CHECK(rig.hidden().size() == 1);
  }
  CHECK(rig.started(JobRig::to("media:mix.wav")) > waits);
}

}  // namespace
}  // namespace continuo::control::test
