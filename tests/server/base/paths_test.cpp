#include "server/base/paths.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "server/base/lock_file.hpp"
#include "tests/server/base/temp_folder.hpp"

namespace continuo {
namespace {

Environment fixed(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST_CASE("root by hand has the system's places, and its own home") {
  const Places places = default_places(fixed({{"HOME", "/root"}}), 0);
  CHECK(places.state_folder == "/var/lib/continuo");
  CHECK(places.socket == "/run/continuo/continuo.sock");
  CHECK(places.config_files == std::vector<std::filesystem::path>{"/etc/continuo/continuod.toml"});
  CHECK(places.home == "/root");
}

TEST_CASE("a service of systemd has the folders that it was given, and no home") {
  const Places places = default_places(
      fixed({{"HOME", "/"}, {"STATE_DIRECTORY", "/var/lib/continuo"}, {"RUNTIME_DIRECTORY", "/run/continuo"}}), 999);
  CHECK(places.state_folder == "/var/lib/continuo");
  CHECK(places.socket == "/run/continuo/continuo.sock");
  CHECK(places.home.empty());
}

TEST_CASE("a user has the XDG places") {
  Places places = default_places(fixed({{"HOME", "/users/ada"}, {"XDG_RUNTIME_DIR", "/run/user/1000"}}), 1000);
  CHECK(places.state_folder == "/users/ada/.local/state/continuo");
  CHECK(places.socket == "/run/user/1000/continuo/continuo.sock");
  CHECK(places.config_files.front() == "/users/ada/.config/continuo/continuod.toml");
  CHECK(places.config_files.back() == "/etc/continuo/continuod.toml");

  places =
      default_places(fixed({{"HOME", "/users/ada"}, {"XDG_STATE_HOME", "/s"}, {"XDG_CONFIG_HOME", "relative"}}), 1000);
  CHECK(places.state_folder == "/s/continuo");
  CHECK(places.socket == "/tmp/continuo-1000/continuo.sock");
  CHECK(places.config_files.front() == "/users/ada/.config/continuo/continuod.toml");
}

TEST_CASE("a folder of ours alone is refused where somebody else may write, or where it is a link") {
  const TempFolder folder;
  const auto ours = folder.path() / "a" / "b";
  REQUIRE(make_folder(ours, 0700, true, "x"));
  REQUIRE(make_folder(ours, 0700, true, "x"));
  REQUIRE(chmod(ours.c_str(), 0770) == 0);
  CHECK_FALSE(make_folder(ours, 0700, true, "x"));
  CHECK(make_folder(ours, 0700, false, "x"));

  std::filesystem::create_directory_symlink("/", folder.path() / "link");
  CHECK_FALSE(make_folder(folder.path() / "link", 0700, true, "x"));
  folder.write("file", "");
  CHECK_FALSE(make_folder(folder.path() / "file", 0700, false, "x"));
  const auto below = make_folder(folder.path() / "file" / "c", 0700, false, "state.folder");
  REQUIRE_FALSE(below);
  CHECK(below.error().field == "state.folder");
}

TEST_CASE("a lock is held by one, names its holder, and is free again after it") {
  const TempFolder folder;
  const auto file = folder.path() / "lock";
  {
    const auto first = LockFile::claim(file, "the thing");
    REQUIRE(first);
    const auto second = LockFile::claim(file, "the thing");
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::already_exists);
    CHECK(second.error().message == "another continuod (process " + std::to_string(getpid()) + ") has the thing");
  }
  CHECK(LockFile::claim(file, "the thing"));
  CHECK_FALSE(LockFile::claim(folder.path() / "none" / "lock", "x"));
  // A link that somebody laid in our way is not followed.
  std::filesystem::create_symlink(folder.path() / "target", folder.path() / "link");
  CHECK_FALSE(LockFile::claim(folder.path() / "link", "x"));
}

}  // namespace
}  // namespace continuo
