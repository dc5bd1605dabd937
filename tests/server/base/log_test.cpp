#include "server/base/log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/server/base/temp_folder.hpp"

namespace continuo {
namespace {

std::string read(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST_CASE("the log writes a line a call at its level and above, and opens its file anew") {
  const TempFolder folder;
  const auto file = folder.path() / "c.log";
  REQUIRE(log::start({log::Level::warning, file}));
  log::info("not this {}", 1);
  log::warning("this {}", 2);
  log::write(log::Level::error, "a client's\nname\r");  // must not pass for a line of ours
  log::flush();
  const std::string text = read(file);
  CHECK(text.find("not this") == std::string::npos);
  CHECK(text.find("this 2\n") != std::string::npos);
  CHECK(text.find("a client's name \n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);

  std::filesystem::rename(file, folder.path() / "old.log");
  log::reopen();
  log::error("after");
  CHECK(read(file).find("after") != std::string::npos);
  CHECK(read(folder.path() / "old.log").find("after") == std::string::npos);

  const auto refused = log::start({log::Level::info, folder.path() / "old.log" / "below"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().field == "log.file");
  log::error("still here");
  CHECK(read(file).find("still here") != std::string::npos);
}

TEST_CASE("levels have names") {
  CHECK(log::level_from("warning") == log::Level::warning);
  CHECK_FALSE(log::level_from("loud"));
}

}  // namespace
}  // namespace continuo
