#include "server/base/check.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "server/base/log.hpp"
#include "tests/server/base/temp_folder.hpp"

namespace continuo {
namespace {

TEST_CASE("a broken invariant aborts, in every build, and says which") {
  CONTINUO_CHECK(1 + 1 == 2, "arithmetic");
  const TempFolder folder;
  const auto file = folder.path() / "log";
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report it as a test that failed
    static_cast<void>(log::start({log::Level::info, file}));
    CONTINUO_CHECK(1 + 1 == 3, "arithmetic is what all rests on");
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  CHECK(line.find("check_test.cpp") != std::string::npos);
  CHECK(line.find("arithmetic is what all rests on (1 + 1 == 3)") != std::string::npos);
}

}  // namespace
}  // namespace continuo
