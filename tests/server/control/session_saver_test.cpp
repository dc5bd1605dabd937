#include "server/control/session_saver.hpp"

#include <algorithm>
#include <filesystem>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("a session that could not be saved is saved once it can be, without another edit") {
  Rig rig;
  const std::filesystem::path file = rig.folder.path() / "state" / "last-session.json";
  std::filesystem::create_directories(file / "in the way");
  rig.applied("{'operations':[{'addNode':{'node':{'id':'a','type':'track'}}}]}");
  const auto problem = [&] {
    const auto reasons = rig.status().reasons();
    return std::ranges::any_of(reasons,
                               [](const std::string& reason) { return reason.find("not saved") != std::string::npos; });
  };
  REQUIRE(rig.until(problem));
  std::filesystem::remove_all(file);
  REQUIRE(rig.until([&] { return std::filesystem::is_regular_file(file); }));
  CHECK(rig.until([&] { return !problem(); }));
}
