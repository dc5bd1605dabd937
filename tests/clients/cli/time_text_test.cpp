#include "clients/cli/time_text.hpp"

#include <doctest/doctest.h>

#include "clients/cli/failure.hpp"
#include "clients/cli/when_text.hpp"

using namespace continuo;
using namespace continuo::cli;

TEST_CASE("a time in each of its forms becomes the right frame") {
  CHECK(parse_time("1:02.5", "T").to_frames(48000) == 3000000);
  CHECK(parse_time("62.5s", "T").to_frames(48000) == 3000000);
  CHECK(parse_time("62500ms", "T").to_frames(48000) == 3000000);
  CHECK(parse_time("48000f", "T").to_frames(44100) == 48000);
  CHECK(parse_time("1:02:03.25", "T").to_frames(1000) == 3723250);
  CHECK(parse_time("90:00", "T").to_frames(1) == 5400);
  CHECK(parse_time("0", "T").to_frames(48000) == 0);
  CHECK(parse_time("0:00", "T").to_frames(48000) == 0);
  CHECK(parse_time("0.00001s", "T").to_frames(48000) == 0);
  CHECK(parse_time("0.1s", "T").to_frames(44100) == 4410);
  CHECK(parse_time("9007199254740992f", "T").to_frames(1) == 9007199254740992);
}

TEST_CASE("what is no time is refused as usage, and named") {
  for (const std::string text : {"",
                                 "5",
                                 "62.5",
                                 "-1s",
                                 "1:60",
                                 "1:2:60",
                                 "1:60:00",
                                 ":5",
                                 "1:",
                                 "1::2",
                                 "s",
                                 "f",
                                 "1.5f",
                                 "1e3s",
                                 "nan",
                                 "infs",
                                 "0x10s",
                                 "1:02.5s",
                                 "1,5s",
                                 " 1s",
                                 "1 s",
                                 "9007199254740993f",
                                 "99999999999999999999f",
                                 "1..5s",
                                 ".5s",
                                 "--5s"}) {
    CAPTURE(text);
    try {
      (void)parse_time(text, "--for");
      FAIL("accepted");
    } catch (const Failure& failure) {
      CHECK(failure.exit_code == kUsage);
      CHECK(failure.reason == "BAD_TIME");
      CHECK(failure.field == "--for");
    }
  }
}

TEST_CASE("a time beyond what a frame count holds is refused") {
  CHECK_THROWS_AS((void)parse_time("99999999999999s", "T").to_frames(48000), Failure);
}

TEST_CASE("a length in frames becomes seconds at the rate") {
  CHECK(parse_time("24000f", "T").to_seconds(48000) == doctest::Approx(0.5));
  CHECK(parse_time("250ms", "T").to_seconds(0) == doctest::Approx(0.25));
  CHECK(parse_time("24000f", "T").to_seconds(0) == 0.0);
}

TEST_CASE("a position reads as a clock, never ahead of itself") {
  CHECK(time_text(0, 48000) == "0:00.000");
  CHECK(time_text(3000000, 48000) == "1:02.500");
  CHECK(time_text(47999, 48000) == "0:00.999");
  CHECK(time_text(3723250, 1000) == "1:02:03.250");
  CHECK(time_text(-24000, 48000) == "-0:00.500");
  CHECK(time_text(7, 0) == "7f");
}

TEST_CASE("a moment in each of its forms") {
  CHECK(parse_when("+3s", 0).after_seconds() == 3.0);
  CHECK(parse_when("@2026-11-20T12:00:00Z", 0).utc() == "2026-11-20T12:00:00Z");
  CHECK(parse_when("1:02.5", 48000).timeline_frame() == 3000000);
  CHECK(parse_when("48000f", 0).timeline_frame() == 48000);
  CHECK(when_needs_rate("1:02.5"));
  CHECK_FALSE(when_needs_rate("+3s"));
  CHECK_FALSE(when_needs_rate("@2026-11-20T12:00:00Z"));
  CHECK_FALSE(when_needs_rate("48000f"));
  for (const std::string text : {"", "+", "+48000f", "@", "@noon", "@2026-13-40T12:00:00Z", "now"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)parse_when(text, 48000), Failure);
  }
}
