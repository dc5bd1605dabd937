// What a person who waits is shown, by a clock of the test's own.
#include "server/render/progress.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace continuo::render;

namespace {

struct Screen {
  std::FILE* file = std::tmpfile();
  ~Screen() { std::fclose(file); }
  [[nodiscard]] std::string text() const {
    std::string all(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    CHECK(std::fread(all.data(), 1, all.size(), file) == all.size());
    return all;
  }
};

}  // namespace

TEST_CASE("progress: elsewhere lines of their own, one a second, the whole once") {
  Screen screen;
  Progress::Clock::time_point now{};
  Progress progress(screen.file, false, [&] { return now; });
  for (int i = 1; i <= 25; ++i) {
    now += std::chrono::milliseconds(100);
    progress.show(i * 4800, 48000 * 3, 48000.0);
  }
  progress.show(48000 * 3, 48000 * 3, 48000.0);
  progress.show(48000 * 3, 48000 * 3, 48000.0);  // a tail goes on
  progress.end();
  CHECK(screen.text() == "33 %, 1.0 times real time\n67 %, 1.0 times real time\n100 %, 1.2 times real time\n");
}

TEST_CASE("progress: on a terminal one line that is rewritten, and left at the end") {
  Screen screen;
  Progress::Clock::time_point now{};
  Progress progress(screen.file, true, [&] { return now; });
  progress.end();  // nothing yet to leave
  now += std::chrono::milliseconds(500);
  progress.show(48000, 96000, 48000.0);
  now += std::chrono::milliseconds(50);
  progress.show(49000, 96000, 48000.0);  // too soon
  now += std::chrono::milliseconds(450);
  progress.show(96000, 96000, 48000.0);
  progress.end();
  progress.end();
  CHECK(screen.text() == "\r\x1b[K50 %, 2.0 times real time\r\x1b[K100 %, 2.0 times real time\n");
}

TEST_CASE("progress: a line of JSON for a program, ten a second, until nobody reads") {
  Screen screen;
  Progress::Clock::time_point now{};
  ProgressLines lines(screen.file, [&] { return now; });
  for (int i = 0; i <= 20; ++i) {
    CHECK(lines.show(i, 40));
    now += std::chrono::milliseconds(50);
  }
  CHECK(lines.show(0, 0));
  CHECK(screen.text().starts_with("{\"progress\":0.0000}\n{\"progress\":0.0500}\n{\"progress\":0.1000}\n"));
  std::FILE* const full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  ProgressLines unread(full);
  CHECK_FALSE(unread.show(1, 2));
  std::fclose(full);
}
