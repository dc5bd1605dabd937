#include "server/render/compare.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "server/render/report.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

TEST_CASE("compare: equal samples are identical, in other formats too") {
  Studio studio;
  const std::vector<float> sound = noise_floats(20'000, 3);
  studio.wav("a.wav", 3, sound);
  std::vector<int> ints;
  for (const float s : sound) ints.push_back(static_cast<int>(std::lrint(s * 0x1p31)));
  media::test::write_ints(studio.dir / "b.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 3, 48000, ints);
  std::vector<float> back;
  for (const int i : ints) back.push_back(static_cast<float>((i & ~0xFF) * 0x1p-31));
  studio.wav("c.wav", 3, back);
  const auto same = compare_files(studio.dir / "b.flac", studio.dir / "c.wav");
  REQUIRE(same);
  CHECK(same->identical);
  CHECK(same->first_frame == -1);
  CHECK(same->a.info.frames == 20'000);
  CHECK(same->b.info.channels == 3);
  CHECK(same->a.peak > 0.4f);
  CHECK(compare_text(*same, "b", "c").find("identical") != std::string::npos);
  CHECK(compare_json(*same).find("\"identical\":true") != std::string::npos);
}

TEST_CASE("compare: the first difference and the greatest are named") {
  Studio studio;
  std::vector<float> sound = noise_floats(20'000, 2);
  studio.wav("a.wav", 2, sound);
  sound[2 * 9000 + 1] += 0.001f;
  sound[2 * 15'000] += 0.125f;
  studio.wav("b.wav", 2, sound);
  const auto found = compare_files(studio.dir / "a.wav", studio.dir / "b.wav");
  REQUIRE(found);
  CHECK_FALSE(found->identical);
  CHECK(found->first_frame == 9000);
  CHECK(found->first_channel == 2);
  CHECK(found->differing == 2);
  CHECK(found->greatest_difference == doctest::Approx(0.125));
  CHECK(compare_json(*found).find("\"greatest_difference_db\":-18.06") != std::string::npos);

  // The least that there is, and what is no number.
  sound = noise_floats(20'000, 2);
  sound.back() = std::nextafter(sound.back(), 1.0f);
  studio.wav("c.wav", 2, sound);
  CHECK(compare_files(studio.dir / "a.wav", studio.dir / "c.wav")->first_frame == 19'999);
  sound.back() = std::numeric_limits<float>::quiet_NaN();
  studio.wav("d.wav", 2, sound);
  const auto nan = compare_files(studio.dir / "a.wav", studio.dir / "d.wav");
  CHECK_FALSE(nan->identical);
  CHECK(compare_json(*nan).find("nan") == std::string::npos);
  CHECK(compare_json(*nan).find("inf") == std::string::npos);
  CHECK(compare_files(studio.dir / "d.wav", studio.dir / "d.wav")->identical);
}

TEST_CASE("compare: other lengths, channels and rates are different") {
  Studio studio;
  const std::vector<float> sound = noise_floats(10'000, 2);
  studio.wav("a.wav", 2, sound);
  studio.wav("short.wav", 2, {sound.begin(), sound.end() - 2});
  studio.wav("mono.wav", 1, std::vector<float>(10'000, 0.0f));
  studio.wav("rate.wav", 2, sound, 44100);
  for (const char* other : {"short.wav", "mono.wav", "rate.wav"}) {
    CAPTURE(std::string(other));
    const auto result = compare_files(studio.dir / "a.wav", studio.dir / other);
    REQUIRE(result);
    CHECK_FALSE(result->identical);
  }
  CHECK(compare_files(studio.dir / "a.wav", studio.dir / "short.wav")->first_frame == -1);
  CHECK(compare_files(studio.dir / "none.wav", studio.dir / "a.wav").error().kind == ErrorKind::not_found);
  CHECK(compare_files(studio.dir / "a.wav", studio.dir.path()).error().kind == ErrorKind::invalid_argument);
}

TEST_CASE("report: levels have no infinity, texts are JSON whatever they hold") {
  CHECK(level_db(0.0) == -150.0);
  CHECK(level_db(1.0) == 0.0);
  CHECK(level_db(0.5) == doctest::Approx(-6.0206));
  CHECK(level_db(std::numeric_limits<double>::quiet_NaN()) == -150.0);
  CHECK(std::isfinite(level_db(std::numeric_limits<double>::infinity())));
  CHECK(json_string("a\"b\\c\nd\x7f") == R"("a\"b\\c\u000ad\u007f")");
  CHECK(json_string("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB5") == "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB5\"");
  CHECK(json_string("x\xC3") == "\"x\xEF\xBF\xBD\"");
  CHECK(json_string("\xED\xA0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(json_string("\xC0\xAF") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  CHECK(json_string("\xF4\x90\x80\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  const Error error = make_error(ErrorKind::not_found, "WHY", "a.b", "two\nlines");
  CHECK(error_text(error) == "two lines (WHY, a.b)");
  CHECK(error_json(error, 66) ==
        R"({"error":{"reason":"WHY","field":"a.b","message":"two\u000alines","exit_code":66}})");
}
