// Names of takes in a whole engine: what is refused, how numbers count on, and the name of a take that is taken up
// again.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;
namespace fs = std::filesystem;

namespace {

struct Numbers : Rig {
  explicit Numbers(RigOptions options = {}) : Rig(std::move(options)) {}
  Result<v1::ApplyResponse> start(const std::string& more) {
    return apply("{'operations':[{'recordStart':{'nodes':['in'],'frames':'100'" + more + "}}]}");
  }
  std::string name(const std::string& more) {
    const auto started = start(more);
    REQUIRE_MESSAGE(started, started.error().message);
    REQUIRE(until([&] {
      const auto now = status();
      return !now.takes().empty() && !now.takes(now.takes_size() - 1).recording();
    }));
    return started->takes(0);
  }
  void touch(const std::string& name) {
    fs::create_directories((folder.path() / "takes" / name).parent_path());
    std::ofstream(folder.path() / "takes" / name) << "x";
  }
};

RigOptions with_template(const std::string& text) {
  RigOptions options;
  options.adjust = [text](control::EngineConfig& config) { config.take_template = text; };
  return options;
}

}  // namespace

TEST_CASE("names that no take can have are refused with their field, and nothing is made") {
  Numbers rig;
  for (const char* file : {"takes:a.wav.part", "takes:a.mp3", "takes:.a.wav", "takes:.day/a.wav", "takes:a\\u0007.wav",
                           "takes:.", "takes:day/.", "takes:a.aiff"}) {
    CAPTURE(file);
    for (const char* more : {"", ",'splitSeconds':5", ",'splitChannels':true"}) {
      const auto refused = rig.start(",'file':'" + std::string(file) + "'" + more);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().kind == ErrorKind::invalid_argument);
      CHECK(refused.error().reason == "BAD_FILE_NAME");
      CHECK(refused.error().field == "operations[0].record_start.file");
    }
  }
  const std::string longest(242, 'x');  // ".wav", "-ch02" and ".part" make it 256
  CHECK_FALSE(rig.start(",'file':'takes:" + longest + ".wav','splitChannels':true"));
  CHECK(rig.start(",'file':'takes:" + longest.substr(1) + ".wav','splitChannels':true"));
  rig.turns(20);
  for (const auto& each : fs::directory_iterator(rig.folder.path() / "takes"))
    CHECK(each.path().filename().string().starts_with("xxx"));
}

TEST_CASE("a template's number is of no take that there is, be it in parts, one file a channel, or being written") {
  Numbers rig(with_template("day/{node}-{take}"));
  CHECK(rig.name("") == "takes:day/in-001.wav");
  rig.touch("day/in-002-001.wav");
  rig.touch("day/in-003-ch01-007.flac");
  rig.touch("day/in-004.wav");  // the fourth part of a take that was called "in"
  rig.touch("day/in-005-002.wav.part");
  CHECK(rig.name("") == "takes:day/in-006.wav");
  CHECK(rig.name(",'splitSeconds':5") == "takes:day/in-007-001.wav");
  CHECK(rig.name(",'splitChannels':true") == "takes:day/in-008-ch01.wav");
  CHECK(rig.name(",'format':'TAKE_FORMAT_FLAC16'") == "takes:day/in-009.flac");
  CHECK(rig.name("") == "takes:day/in-010.wav");
}

TEST_CASE("a name that may count on takes the next free number, without it a name that is there is refused") {
  Numbers rig;
  const std::string counts = ",'nextFreeName':true";
  CHECK(rig.name(",'file':'takes:day/vox.wav'" + counts) == "takes:day/vox.wav");
  CHECK_FALSE(rig.start(",'file':'takes:day/vox.wav'"));
  CHECK(rig.name(",'file':'takes:day/vox.wav'" + counts) == "takes:day/vox-2.wav");
  CHECK(rig.name(",'file':'takes:day/vox.wav'" + counts) == "takes:day/vox-3.wav");
  CHECK(rig.name(",'file':'takes:day/vox.wav','splitSeconds':5" + counts) == "takes:day/vox-4-001.wav");
  CHECK(rig.name(",'file':'takes:{channel}-gtr.wav','splitChannels':true" + counts) == "takes:ch01-gtr.wav");
  CHECK(rig.name(",'file':'takes:{channel}-gtr.wav','splitChannels':true" + counts) == "takes:2-ch01-gtr.wav");
  CHECK(rig.name(",'file':'takes:amp-{channel}.wav','splitChannels':true" + counts) == "takes:amp-ch01.wav");
  CHECK(rig.name(",'file':'takes:amp-{channel}.wav','splitChannels':true" + counts) == "takes:amp-2-ch01.wav");
}

TEST_CASE("resume: a take that was given a name goes on under it, with a number") {
  RigOptions options;
  options.adjust = [](control::EngineConfig& config) { config.resume_recording = true; };
  Numbers rig(std::move(options));
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'rec','type':'recorder'}]}}},"
      "{'connect':{'from':'in','to':'a'}}]}");
  rig.applied("{'operations':[{'recordStart':{'nodes':['a/rec'],'file':'takes:day/vox.wav'}}]}");
  std::set<std::string> names;
  for (const char* name : {"takes:day/vox-2.wav", "takes:day/vox-3.wav"}) {
    const auto saved = [&](const char* file, const char* what) {
      std::ifstream in(rig.folder.path() / "state" / file);
      return std::string(std::istreambuf_iterator<char>(in), {}).find(what) != std::string::npos;
    };
    REQUIRE(rig.until([&] { return saved("last-session.json", "recorder") && saved("last-place.json", "vox.wav"); }));
    rig.restart();
    std::string found;
    REQUIRE(rig.until([&] {
      const auto status = rig.status();
      for (const auto& take : status.takes())
        if (take.recording()) found = take.file();
      return !found.empty();
    }));
    CHECK(found == name);
  }
  rig.shutdown();
  CHECK(fs::exists(rig.folder.path() / "takes/day/vox.wav"));
}
