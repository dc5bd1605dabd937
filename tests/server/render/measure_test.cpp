#include "server/render/measure.hpp"

#include <atomic>
#include <cmath>
#include <limits>

#include "server/analysis/decibel.hpp"
#include "server/render/measure_report.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

TEST_CASE("measure: a float file, with what is no number in it") {
  Studio studio;
  std::vector<float> sound = noise_floats(48000 * 4, 2);
  for (float& x : sound) x *= 0.5f;
  sound[1000] = std::numeric_limits<float>::quiet_NaN();
  sound[50'001] = std::numeric_limits<float>::infinity();
  sound[70'000] = sound[70'002] = sound[70'004] = -1.0f;
  studio.wav("a.wav", 2, sound);
  const auto measure = measure_file(studio.dir / "a.wav", {});
  REQUIRE(measure);
  CHECK(measure->info.frames == 48000 * 4);
  CHECK(measure->layout == "stereo");
  CHECK(measure->non_finite == 2);
  CHECK(measure->clipped_samples == 3);
  CHECK(measure->clipped_runs == 1);
  CHECK(measure->peak_db() == 0.0);
  CHECK(measure->peaks_db.size() == 2);
  CHECK(measure->peaks_db[1] < 0.0);
  CHECK(measure->loudness.true_peak_db() >= 0.0);
  REQUIRE(measure->loudness.integrated_lufs.has_value());
  CHECK(std::isfinite(*measure->loudness.integrated_lufs));
  CHECK(measure->loudness.range_lu.has_value());
  CHECK(measure->silence_s == 0.0);
  const std::string json = measure_json("a\n\"b.wav", *measure);
  CHECK(json.find('\n') == std::string::npos);
  CHECK(json.find("nan") == std::string::npos);
  CHECK(json.find("inf") == std::string::npos);
  CHECK(measure_row("a\nb", *measure).find('\n') == std::string::npos);
}

TEST_CASE("measure: full scale is the largest number of the file's format") {
  Studio studio;
  for (const auto& [format, bits] : {std::pair(SF_FORMAT_PCM_16, 16), std::pair(SF_FORMAT_PCM_24, 24)}) {
    std::vector<int> ints(20'000, 0);
    for (int i = 100; i < 103; ++i) ints[static_cast<std::size_t>(i)] = std::numeric_limits<int>::max();
    ints[200] = std::numeric_limits<int>::min();
    ints[300] = std::numeric_limits<int>::max() - (2 << (32 - bits));
    media::test::write_ints(studio.dir / "a.wav", SF_FORMAT_WAV | format, 1, 48000, ints);
    const auto measure = measure_file(studio.dir / "a.wav", {});
    REQUIRE(measure);
    CAPTURE(bits);
    CHECK(measure->clipped_samples == 4);
    CHECK(measure->clipped_runs == 1);
  }
}

TEST_CASE("measure: what is too short has no loudness, and says so by saying nothing") {
  Studio studio;
  studio.wav("short.wav", 1, noise_floats(19'000, 1));
  studio.wav("middle.wav", 1, noise_floats(40'000, 1));
  const auto small = measure_file(studio.dir / "short.wav", {});
  const auto middle = measure_file(studio.dir / "middle.wav", {});
  REQUIRE(small);
  REQUIRE(middle);
  CHECK_FALSE(small->loudness.integrated_lufs.has_value());
  CHECK(middle->loudness.integrated_lufs.has_value());
  CHECK_FALSE(middle->loudness.range_lu.has_value());
  CHECK(measure_json("x", *small).find("integrated") == std::string::npos);
  CHECK(measure_json("x", *middle).find("range") == std::string::npos);
}

TEST_CASE("measure: errors") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(2000, 2));
  studio.wav("slow.wav", 1, noise_floats(2000, 1), 4000);
  const auto reason = [&](const char* file, const MeasureOptions& options) {
    const auto measure = measure_file(studio.dir / file, options);
    REQUIRE_FALSE(measure);
    return measure.error().reason;
  };
  CHECK(reason("none.wav", {}) == "FILE_NOT_FOUND");
  CHECK(reason("a.wav", {.layout = "5.1"}) == "LAYOUT");
  CHECK(reason("slow.wav", {}) == "RATE");
  const std::atomic<bool> stop{true};
  CHECK(reason("a.wav", {.cancelled = &stop}) == "INTERRUPTED");
}

TEST_CASE("measure: the loudness of a render is that of its file, the same bits with other blocks and threads") {
  Studio studio;
  std::vector<float> sound = noise_floats(48000 * 5, 2);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] *= 0.25f + 0.2f * std::sin(static_cast<float>(i) * 1e-4f);
  studio.wav("a.wav", 2, sound);
  const auto document = studio.document(session_text(track("t", player("p", "a.wav")), edge("t", "out")));
  RenderOptions options = studio.options();
  options.overwrite = true;
  const auto without = studio.attempt(document, options);
  REQUIRE(without);
  CHECK_FALSE(without->loudness.has_value());
  options.loudness = true;
  const auto file = measure_file(studio.dir / "a.wav", {});
  REQUIRE(file);
  for (const std::uint32_t block : {64u, 333u, 4096u}) {
    options.block_frames = block;
    options.threads = block == 333 ? 2 : 1;
    const auto result = studio.attempt(document, options);
    REQUIRE(result);
    REQUIRE(result->loudness.has_value());
    const LoudnessReport& a = *result->loudness;
    const LoudnessReport& b = file->loudness;
    CHECK(*a.integrated_lufs == *b.integrated_lufs);
    CHECK(*a.range_lu == *b.range_lu);
    CHECK(a.max_momentary_lufs == b.max_momentary_lufs);
    CHECK(a.max_short_term_lufs == b.max_short_term_lufs);
    CHECK(a.true_peaks_db == b.true_peaks_db);
  }
}
