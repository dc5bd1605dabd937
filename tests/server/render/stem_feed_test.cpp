// A stem's way from the meter's feed, without an engine: which frames are its own, and that none is lost unseen.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "server/render/stems.hpp"

using namespace continuo;
using namespace continuo::render;

TEST_CASE("stems: from the first frame of the file to its last, however the meter's pieces lie") {
  for (const std::uint32_t size : {1u, 7u, 64u}) {
    CAPTURE(size);
    const auto slots = std::make_shared<rt::MeterSlots>(1);
    Stems stems({{1, true, "a", "", 1, slots, 100}}, 48000, 24'000, size);
    CHECK(stems.latency() == 100);
    rt::MeterFeed* feed = slots->fed();
    REQUIRE(feed != nullptr);
    // What is not the file's is very loud.
    for (std::uint32_t at = 0; at < 24'500; at += size) {
      float samples[64];
      for (std::uint32_t i = 0; i < size; ++i) samples[i] = at + i < 100 || at + i >= 24'100 ? 1000.0f : 0.001f;
      feed->push(at, size, [&](std::uint32_t) { return samples; });
      stems.drain(size);
      stems.allow(std::min<std::int64_t>(at, 23'000));
      stems.measure(0);
      CHECK(stems.heard(std::min<std::int64_t>(at + size, 24'100) - 100));
    }
    CHECK_FALSE(stems.heard(24'001));
    const auto reports = stems.finish(24'000);
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].loudness.true_peak_db() < -58.0);  // a step overshoots a little
    CHECK(reports[0].loudness.true_peak_db() > -60.5);
  }
}

TEST_CASE("stems: a frame that is lost, at the feed's bound or behind it, ends the render") {
  const auto ends = [](std::uint32_t pushed, std::uint32_t told) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report it as a test that failed
      const auto slots = std::make_shared<rt::MeterSlots>(1);
      Stems stems({{1, true, "a", "", 1, slots, 0}}, 48000, 24'000, 2048);
      rt::MeterFeed* feed = slots->fed();
      for (std::uint32_t at = 0; at < pushed; at += 64)
        feed->push(at, 64, [](std::uint32_t) { return static_cast<const float*>(nullptr); });
      stems.drain(told);
      ::_exit(0);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  };
  CHECK_FALSE(ends(2048, 2048));
  CHECK(ends(2048 + 64, 2048 + 64));  // no room
  CHECK(ends(1024, 1088));            // the plan ran on without the meter
}
