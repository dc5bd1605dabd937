// What jobs look like, and the exit code of one that failed.
#include "clients/cli/job_text.hpp"

#include <doctest/doctest.h>

namespace continuo::cli {
namespace {

TEST_CASE("a job's kind, state and progress as words") {
  v1::Job job;
  job.set_kind(v1::Job::KIND_CALIBRATE);
  job.set_state(v1::Job::STATE_RUNNING);
  CHECK(kind_text(job.kind()) == "calibrate");
  CHECK(state_text(job.state()) == "running");
  CHECK(kind_text(static_cast<v1::Job::Kind>(99)) == "?");  // a newer daemon's
  CHECK(progress_text(job).empty());
  CHECK_FALSE(has_ended(job));
  job.set_progress(0.426);
  CHECK(progress_text(job) == "43 %");
  job.set_state(v1::Job::STATE_FAILED);
  job.set_message("the disk is full");
  job.set_reason("DISK_FULL");
  CHECK(has_ended(job));
  CHECK(outcome_text(job) == "the disk is full (DISK_FULL)");
}

TEST_CASE("a render that measured has a line for its output and for each node") {
  v1::Job job;
  CHECK(loudness_lines(job).empty());
  v1::RenderResult& render = *job.mutable_render();
  render.mutable_loudness()->set_integrated_lufs(-23.04);
  render.mutable_loudness()->set_range_lu(5.0);
  render.mutable_loudness()->set_max_true_peak_db(-1.26);
  v1::RenderResult::Stem& stem = *render.add_stems();
  stem.set_node("vox");
  stem.mutable_loudness()->set_max_true_peak_db(-150.0);
  CHECK(loudness_lines(job) == std::vector<std::string>{"  -23.0 LUFS, range 5.0 LU, true peak -1.3 dBTP",
                                                        "  vox: too short or too quiet for a loudness, true peak "
                                                        "-150.0 dBTP"});
}

TEST_CASE("a job that cannot be followed is named, and goes on") {
  const Failure full = left_behind({kTryAgain, "TOO_MANY_STREAMS", "", "all are taken: try again"}, 7);
  CHECK(full.exit_code == kTryAgain);
  CHECK(full.reason == "TOO_MANY_STREAMS");
  CHECK(full.field == "job 7");
  CHECK(full.message ==
        "all are taken: try again; job 7 goes on without this program; 'continuo jobs cancel 7' ends it");
  // Whether it goes on where nobody answers is not known here.
  const Failure gone = left_behind({kNoServer, "NO_SERVER", "", "no daemon answers"}, 7);
  CHECK(gone.exit_code == kNoServer);
  CHECK(gone.message == "no daemon answers; job 7 goes on where the daemon does; 'continuo jobs show 7' tells");
  CHECK(left_behind({kTryAgain, "INTERRUPTED", "", ""}, 7).message ==
        "job 7 goes on without this program; 'continuo jobs cancel 7' ends it");
}

TEST_CASE("a failed job ends a command as the call would have") {
  CHECK(exit_code_of("FILE_EXISTS") == kCannotCreate);
  CHECK(exit_code_of("DISK_FULL") == kIoError);
  CHECK(exit_code_of("FOLDER_NOT_FOUND") == kNoInput);
  CHECK(exit_code_of("OUTSIDE_ROOT") == kRefused);
  CHECK(exit_code_of("RENDER_DIED") == kFault);
  CHECK(exit_code_of("DAEMON_ENDED") == kNoServer);
  CHECK(exit_code_of("NO_END") == kBadData);
}

}  // namespace
}  // namespace continuo::cli
