#include "server/render/time_text.hpp"

#include <doctest/doctest.h>

using namespace continuo;
using namespace continuo::render;

TEST_CASE("time: every way to write one") {
  struct Case {
    const char* text;
    double seconds;
  };
  for (const Case& c : {Case{"0", 0.0}, Case{"1:02.5", 62.5}, Case{"0:00", 0.0}, Case{"1:5", 65.0},
                        Case{"1:02:03.5", 3723.5}, Case{"90:00", 5400.0}, Case{"62.5s", 62.5}, Case{"0s", 0.0},
                        Case{".5s", 0.5}, Case{"250ms", 0.25}, Case{"0:59.999", 59.999}, Case{"1:2.25", 62.25}}) {
    CAPTURE(std::string(c.text));
    const auto time = parse_time(c.text, "--from");
    REQUIRE(time);
    CHECK_FALSE(time->is_frames);
    CHECK(time->seconds == doctest::Approx(c.seconds));
  }
  const auto frames = parse_time("48000f", "--from");
  REQUIRE(frames);
  CHECK(frames->is_frames);
  CHECK(frames->frames == 48000);
}

TEST_CASE("time: what is none is refused and named") {
  for (const char* text : {"",
                           "5",
                           "1.5",
                           "-1s",
                           "+1s",
                           "1:60",
                           "1:-2",
                           "1:2:3:4",
                           "1:",
                           ":1",
                           "1.5:00",
                           "1:02.5:03",
                           "1:002",
                           "s",
                           "f",
                           "ms",
                           "1e3s",
                           "infs",
                           "nans",
                           "1.5f",
                           "-1f",
                           "48000 f",
                           "1:02.5s",
                           "0x10f",
                           "99999999999999999999f",
                           "1:02,5",
                           "now",
                           "1000001s",
                           "1099511627777f"}) {
    CAPTURE(std::string(text));
    const auto time = parse_time(text, "--from");
    REQUIRE_FALSE(time);
    CHECK(time.error().field == "--from");
    CHECK(time.error().reason == "BAD_TIME");
  }
}

TEST_CASE("time: one that is too long is told as it was typed") {
  for (const char* text : {"99999:00:00", "1000001s", "1099511627777f"}) {
    const auto time = parse_time(text, "--to");
    REQUIRE_FALSE(time);
    CHECK(time.error().message ==
          "--to: \"" + std::string(text) + "\" is too long; at most 1000000s or 1099511627776f");
  }
}

TEST_CASE("time: to frames of the engine, by way of seconds where the rates differ") {
  CHECK(parse_time("48000f", "")->to_frames(48000.0, 48000.0) == 48000);
  CHECK(parse_time("48001f", "")->to_frames(44100.0, 48000.0) == 44101);
  CHECK(parse_time("1s", "")->to_frames(44100.0, 48000.0) == 44100);
  CHECK(parse_time("0:00.00001", "")->to_frames(48000.0, 48000.0) == 0);
  CHECK(parse_time("1099511627776f", "")->to_frames(48000.0, 48000.0) == 1099511627776);
}
