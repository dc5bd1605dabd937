// Scans, and the jobs that are calls of their own: loads and calibrations.
#include "tests/server/control/job_rig.hpp"

namespace continuo::control::test {
namespace {

using State = v1::Job;
namespace fs = std::filesystem;

Result<v1::Job> scan(JobRig& rig, const std::string& path, const std::string& request_id = "") {
  v1::StartScanRequest request;
  request.set_path(path);
  request.set_request_id(request_id);
  return rig.answer<v1::Job>([&](auto done) { rig.engine->jobs().start_scan(request, std::move(done), "user anna"); });
}

TEST_CASE("a scan reads every sound file to its end, and names the broken ones") {
  JobRig rig;
  fs::create_directories(rig.media() / "album" / "deep");
  rig.song("a.wav", 48'000);
  rig.song("album/b.wav", 24'000);
  rig.song("album/deep/cut.wav", 24'000);
  fs::resize_file(rig.media() / "album/deep/cut.wav", fs::file_size(rig.media() / "album/deep/cut.wav") / 2);
  std::ofstream(rig.media() / "album" / "fake.flac") << "not a sound";
  std::ofstream(rig.media() / "album" / "notes.txt") << "not a sound, and does not say so";
  std::ofstream(rig.media() / ".hidden.wav") << "nobody's business";
  fs::copy(rig.media() / "a.wav", rig.media() / "running.wav.part");
  const auto started = scan(rig, "media:");
  REQUIRE_MESSAGE(started, started.error().message);
  CHECK(started->kind() == State::KIND_SCAN);
  const v1::Job job = rig.ended(started->job_id());
  REQUIRE_MESSAGE(job.state() == State::STATE_DONE, job.message());
  const v1::ScanResult& found = job.scan();
  CHECK(found.files() == 2);
  CHECK(found.seconds() == doctest::Approx(1.5));
  CHECK(found.bytes() ==
        static_cast<std::int64_t>(fs::file_size(rig.media() / "a.wav") + fs::file_size(rig.media() / "album/b.wav")));
  CHECK(found.broken_count() == 2);
  REQUIRE(found.broken_size() == 2);
  CHECK(found.broken(0).file() == "media:album/deep/cut.wav");
  CHECK(found.broken(0).reason() == "CUT_OFF");
  CHECK(found.broken(1).file() == "media:album/fake.flac");
  CHECK(found.broken(1).reason() == "FORMAT_UNKNOWN");
  const v1::Job part = rig.ended(scan(rig, "media:album/")->job_id());
  CHECK(part.scan().files() == 1);
  CHECK(part.scan().broken(0).file() == "media:album/deep/cut.wav");
}

TEST_CASE("a scan of what is no folder fails, and of no root is refused") {
  JobRig rig;
  CHECK(rig.ended(scan(rig, "media:none")->job_id()).reason() == "FILE_NOT_FOUND");
  CHECK(rig.ended(scan(rig, "media:../x")->job_id()).reason() == "OUTSIDE_ROOT");
  CHECK(scan(rig, "nobody:").error().reason == "UNKNOWN_ROOT");
  CHECK(scan(rig, "x").error().reason == "NO_ROOT");
  const auto first = scan(rig, "media:", "r");
  REQUIRE(first);
  CHECK(scan(rig, "media:", "r")->job_id() == first->job_id());
  CHECK(scan(rig, "takes:", "r").error().reason == "REQUEST_ID_REUSED");
}

TEST_CASE("a scan ends between two blocks") {
  JobRig rig;
  rig.song("a.wav", 48'000);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 8; ++i) fs::copy(rig.media() / "a.wav", rig.media() / ("b" + std::to_string(i) + ".wav"));
  // Asked before it can have ended: neither strand nor test waits between the two.
  std::optional<Result<v1::Job>> started, cancelled;
  v1::StartScanRequest request;
  request.set_path("media:");
  for (int i = 0; i < 3; ++i)
    rig.engine->jobs().start_scan(request, [&](Result<v1::Job> job) { ids.push_back(job->job_id()); }, "user anna");
  REQUIRE(rig.until([&] { return ids.size() == 3; }));
  for (const std::uint64_t id : {ids[2], ids[1]}) {
    const auto answer = rig.cancel(id);
    if (answer) CHECK(rig.ended(id).state() == State::STATE_CANCELLED);
    if (!answer) CHECK(answer.error().reason == "JOB_ENDED");
  }
  CHECK(rig.ended(ids[0]).state() == State::STATE_DONE);
}

TEST_CASE("a load is a job with what it came to") {
  JobRig rig;
  rig.song();
  rig.play();
  REQUIRE_FALSE(rig.load("{'format':1,'nodes':[{'id':'x','type':'no such type'}]}"));
  LoadRequest dry;
  dry.json = "{\"format\":1}";
  dry.dry_run = true;
  REQUIRE(rig.answer<v1::LoadSessionResponse>([&](auto done) { rig.engine->load(dry, std::move(done)); }));
  const auto all = rig.jobs();
  REQUIRE(all.size() == 2);  // not of the dry run
  CHECK(all[0].kind() == State::KIND_LOAD);
  CHECK(all[0].state() == State::STATE_FAILED);
  CHECK_FALSE(all[0].reason().empty());
  CHECK(all[1].state() == State::STATE_DONE);
  CHECK(all[1].revision().epoch() != 0);
  CHECK(all[1].subject() == "media:");
  CHECK(rig.cancel(all[1].job_id()).error().reason == "JOB_ENDED");
}

TEST_CASE("a load that is cancelled in time leaves the session as it was") {
  JobRig rig;
  rig.song();
  rig.play();
  const std::string before = rig.session();
  LoadRequest request;
  request.json = "{\"format\":1,\"name\":\"other\"}";
  std::optional<Result<v1::LoadSessionResponse>> loaded;
  rig.engine->load(request, [&](Result<v1::LoadSessionResponse> result) { loaded.emplace(std::move(result)); });
  // Its job is the strand's first work, and the load's own comes behind it: the list is asked for before.
  std::optional<Result<v1::ListJobsResponse>> listed;
  rig.engine->jobs().list({}, [&](Result<v1::ListJobsResponse> jobs) {
    listed.emplace(std::move(jobs));
    v1::CancelJobRequest cancel;
    cancel.set_job_id((*listed)->jobs(0).job_id());
    rig.engine->jobs().cancel(cancel, [](v1::Job::Kind) { return Result<>(); }, [](const Result<v1::Job>&) {}, "me");
  });
  REQUIRE(rig.until([&] { return loaded.has_value(); }));
  const v1::Job job = rig.ended((*listed)->jobs(0).job_id());
  if (*loaded) {  // the worker was quicker than two turns of the strand
    CHECK(job.state() == State::STATE_DONE);
  } else {
    CHECK(loaded->error().reason == "CANCELLED");
    CHECK(job.state() == State::STATE_CANCELLED);
    CHECK(rig.session() == before);
  }
}

TEST_CASE("a calibration is a job that can be cancelled, and the next one begins") {
  JobRig rig;
  v1::CalibrateRequest request;
  request.set_output(1);
  request.set_input(1);
  for (int round = 0; round < 2; ++round) {
    std::optional<Result<v1::CalibrateResponse>> answered;
    rig.engine->calibrate(
        request, [&](Result<v1::CalibrateResponse> response) { answered.emplace(std::move(response)); }, "user anna",
        "test");
    std::vector<v1::Job> all;
    REQUIRE(rig.until([&] {
      all = rig.jobs();
      return all.size() == static_cast<std::size_t>(round) + 1;
    }));
    CHECK(all[0].kind() == State::KIND_CALIBRATE);
    CHECK(all[0].subject() == "out:1 to in:1");
    REQUIRE(rig.cancel(all[0].job_id()));
    REQUIRE(rig.until([&] { return answered.has_value(); }));
    REQUIRE_FALSE(*answered);
    CHECK(answered->error().reason == "CANCELLED");
    CHECK(rig.ended(all[0].job_id()).state() == State::STATE_CANCELLED);
  }
}

}  // namespace
}  // namespace continuo::control::test
