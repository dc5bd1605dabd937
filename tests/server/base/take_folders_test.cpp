// The folders that takes go to: apart from each other, made, and written to.
#include "server/base/take_folders.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "doctest/doctest.h"
#include "tests/server/base/temp_folder.hpp"

using namespace continuo;
namespace fs = std::filesystem;

namespace {

Config with(const fs::path& takes, const fs::path& second = {}) {
  Config config;
  config.take_folder = takes;
  config.second_take_folder = second;
  return config;
}

void refused(const Config& config, const std::string& setting) {
  CAPTURE(config.take_folder);
  CAPTURE(config.second_take_folder);
  const auto made = make_take_folders(config);
  REQUIRE_FALSE(made);
  CHECK(made.error().kind == ErrorKind::configuration);
  CHECK(made.error().message.find(setting) != std::string::npos);
}

}  // namespace

TEST_CASE("take folders are made, and nothing is left in them") {
  const TempFolder folder;
  const auto made = make_take_folders(with(folder.path() / "a/takes", folder.path() / "b/takes"));
  REQUIRE(made);
  CHECK(made->empty());
  CHECK(fs::is_empty(folder.path() / "a/takes"));
  CHECK(fs::is_empty(folder.path() / "b/takes"));
  CHECK(make_take_folders(with(folder.path() / "a/takes", folder.path() / "a/takes2")));  // a name that only begins so
}

TEST_CASE("a second take folder that is the first, in it or around it, is refused by its setting, and not made") {
  const TempFolder folder;
  const fs::path takes = folder.path() / "takes";
  fs::create_directories(folder.path() / "elsewhere");
  fs::create_directory_symlink(folder.path() / "elsewhere", folder.path() / "link");
  const std::string setting = "media.second_take_folder";
  refused(with(takes, takes), setting);
  refused(with(takes, takes / ""), setting);
  refused(with(takes, takes / "."), setting);
  refused(with(takes, takes / "second"), setting);
  refused(with(takes, folder.path()), setting);
  refused(with(takes, folder.path() / "x/../takes"), setting);
  CHECK_FALSE(fs::exists(takes));
  // Through links, of a folder that is there and of one that will be.
  refused(with(folder.path() / "elsewhere", folder.path() / "link"), setting);
  refused(with(folder.path() / "elsewhere/new", folder.path() / "link/new"), setting);
  refused(with(folder.path() / "elsewhere/new", folder.path() / "link"), setting);
  refused(with(folder.path() / "link", folder.path() / "elsewhere/below"), setting);
  CHECK(fs::is_empty(folder.path() / "elsewhere"));
}

TEST_CASE("a take folder that cannot be made or written to is an error, a second one a warning") {
  const TempFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  refused(with(folder.path() / "file"), "media.take_folder");
  refused(with(folder.path() / "file/below"), "media.take_folder");
  refused(with("/proc/self"), "media.take_folder");  // there, and nobody can make a file in it
  for (const fs::path& second : {folder.path() / "file", folder.path() / "file/below", fs::path("/proc/self")}) {
    const auto made = make_take_folders(with(folder.path() / "takes", second));
    REQUIRE(made);
    CHECK(made->find("media.second_take_folder") != std::string::npos);
    CHECK(made->find(second.string()) != std::string::npos);
  }
}
