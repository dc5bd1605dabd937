// Where a render's file may go, and where not: what is there, what is in use, what leads elsewhere.
#include "tests/server/control/job_rig.hpp"

namespace continuo::control::test {
namespace {

using State = v1::Job;
namespace fs = std::filesystem;

TEST_CASE("no file is replaced unasked, nor one that is in use") {
  JobRig rig;
  rig.song();
  rig.play();
  std::ofstream(rig.media() / "old.wav") << "old";
  auto request = JobRig::to("media:old.wav");
  CHECK(rig.refusal(request) == "FILE_EXISTS");
  CHECK(JobRig::bytes(rig.media() / "old.wav") == "old");
  request.set_overwrite(true);
  CHECK(rig.ended(rig.started(request)).state() == State::STATE_DONE);
  CHECK(JobRig::bytes(rig.media() / "old.wav").size() > 1000);
  request.set_file("media:a.wav");
  CHECK(rig.refusal(request) == "MEDIA_IN_USE");
  // One that came meanwhile stays.
  const std::uint64_t id = rig.started(JobRig::to("media:new.wav", true));
  rig.at_work(id);
  REQUIRE(rig.cancel(id));
  rig.ended(id);
  const std::uint64_t blocked = rig.started(JobRig::to("media:1.wav", true));
  const std::uint64_t late = rig.started(JobRig::to("media:new.wav"));
  std::ofstream(rig.media() / "new.wav") << "mine";
  REQUIRE(rig.cancel(blocked));
  const v1::Job job = rig.ended(late);
  CHECK(job.state() == State::STATE_FAILED);
  CHECK(job.reason() == "FILE_EXISTS");
  CHECK(JobRig::bytes(rig.media() / "new.wav") == "mine");
  CHECK(rig.hidden().empty());
}

TEST_CASE("the name of a take that runs, or will be, is not to be had") {
  JobRig rig;
  rig.song();
  rig.play();
  rig.applied("{'operations':[{'record_start':{'nodes':['out'],'file':'takes:t.wav'}}]}");
  auto request = JobRig::to("takes:t.wav");
  CHECK(rig.refusal(request) == "MEDIA_IN_USE");
  request.set_overwrite(true);
  CHECK(rig.refusal(request) == "MEDIA_IN_USE");
  rig.applied("{'operations':[{'record_stop':{}}]}");
  REQUIRE(rig.until([&] { return fs::exists(rig.folder.path() / "takes" / "t.wav"); }));
  REQUIRE(rig.until([&] { return rig.refusal(request) == "started"; }));
}

TEST_CASE("a render's name leads nowhere else") {
  JobRig rig;
  rig.song();
  rig.play();
  const fs::path outside = rig.folder.path() / "outside";
  fs::create_directory(outside);
  std::ofstream(outside / "kept.wav") << "kept";
  fs::create_directory_symlink(outside, rig.media() / "way");
  fs::create_symlink(outside / "kept.wav", rig.media() / "link.wav");
  fs::create_symlink(outside / "fresh.wav", rig.media() / "nowhere.wav");
  for (const auto& [file, reason] :
       std::vector<std::pair<std::string, std::string>>{{"media:way/x.wav", "OUTSIDE_ROOT"},
                                                        {"media:../x.wav", "OUTSIDE_ROOT"},
                                                        {"media:/tmp/x.wav", "OUTSIDE_ROOT"},
                                                        {"media:none/x.wav", "FOLDER_NOT_FOUND"},
                                                        {"media:a.wav/x.wav", "NOT_A_FOLDER"},
                                                        {"media:.x.wav", "HIDDEN_FILE"},
                                                        {"media:.x/y.wav", "HIDDEN_FILE"},
                                                        {"media:x.mp3", "BAD_FORMAT"},
                                                        {"media:x", "BAD_FORMAT"},
                                                        {"media:", "BAD_FILE_NAME"},
                                                        {"media:x\n.wav", "BAD_FILE_NAME"},
                                                        {"none:x.wav", "UNKNOWN_ROOT"},
                                                        {"x.wav", "NO_ROOT"}}) {
    CAPTURE(file);
    CHECK(rig.refusal(JobRig::to(file)) == reason);
  }
  for (const char* file : {"media:link.wav", "media:nowhere.wav"}) {
    CAPTURE(file);
    auto request = JobRig::to(file);
    CHECK(rig.refusal(request) == "FILE_EXISTS");
    request.set_overwrite(true);
    CHECK(rig.refusal(request) == "NOT_A_FILE");
  }
  // The folder is swapped for a way out while the render waits.
  fs::create_directory(rig.media() / "mixes");
  const std::uint64_t blocked = rig.started(JobRig::to("media:1.wav", true));
  const std::uint64_t late = rig.started(JobRig::to("media:mixes/x.wav"));
  fs::remove(rig.media() / "mixes");
  fs::create_directory_symlink(outside, rig.media() / "mixes");
  REQUIRE(rig.cancel(blocked));
  CHECK(rig.ended(late).reason() == "OUTSIDE_ROOT");
  CHECK(rig.names(outside) == std::set<std::string>{"kept.wav"});
  CHECK(JobRig::bytes(outside / "kept.wav") == "kept");
}

TEST_CASE("a format that no file has, and a range that no render has, are refused") {
  JobRig rig;
  auto request = JobRig::to("media:x.flac");
  request.set_sample_format("float32");
  CHECK(rig.refusal(request) == "BAD_FORMAT");
  request.set_sample_format("pcm8");
  CHECK(rig.refusal(request) == "BAD_FORMAT");
  request.clear_sample_format();
  request.set_start_frame(10);
  request.set_end_frame(10);
  CHECK(rig.refusal(request) == "EMPTY_RANGE");
  request.clear_end_frame();
  request.set_start_frame(-1);
  CHECK(rig.refusal(request) == "OUT_OF_RANGE");
  CHECK(rig.jobs().empty());
}

}  // namespace
}  // namespace continuo::control::test
