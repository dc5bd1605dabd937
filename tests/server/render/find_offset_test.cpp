#include "server/render/find_offset.hpp"

#include "server/render/compare.hpp"
#include "server/render/report.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

/// `silence` frames of nothing, then `sound` from its frame `from` on.
std::vector<float> later(const std::vector<float>& sound, std::size_t channels, std::size_t silence,
                         std::size_t from = 0) {
  std::vector<float> result(silence * channels);
  result.insert(result.end(), sound.begin() + static_cast<std::ptrdiff_t>(from * channels), sound.end());
  return result;
}

}  // namespace

TEST_CASE("an offset is found to either side, up to a second, in noise, tones and behind a silent beginning") {
  Studio studio;
  const auto check = [&](const std::vector<float>& sound, std::size_t from) {
    for (const std::size_t frames : {0, 1, 256, 3057, 48'000}) {
      CAPTURE(frames);
      studio.wav("a.wav", 2, later(sound, 2, from));
      studio.wav("b.wav", 2, later(sound, 2, from + frames));
      const auto there = find_offset(studio.dir / "a.wav", studio.dir / "b.wav");
      REQUIRE(there);
      CHECK(*there == static_cast<std::int64_t>(frames));
      const auto back = find_offset(studio.dir / "b.wav", studio.dir / "a.wav");
      REQUIRE(back);
      CHECK(*back == -static_cast<std::int64_t>(frames));
    }
  };
  check(noise_floats(100'000, 2), 0);
  check(noise_floats(100'000, 2), 20'000);
  check(sine(100'000, 2, 1000.0, 48'000.0), 500);  // every period looks alike, the onset does not
}

TEST_CASE("one that begins in the middle of the other, or differs here and there, is found; what is not there is not") {
  Studio studio;
  std::vector<float> sound = noise_floats(300'000, 1);
  studio.wav("a.wav", 1, sound);
  studio.wav("b.wav", 1, later(sound, 1, 0, 40'000));
  CHECK(*find_offset(studio.dir / "a.wav", studio.dir / "b.wav") == -40'000);
  for (std::size_t i = 0; i < 30'000; i += 100) sound[i] *= 0.5f;  // faded in
  studio.wav("c.wav", 1, later(sound, 1, 777));
  CHECK(*find_offset(studio.dir / "a.wav", studio.dir / "c.wav") == 777);
  studio.wav("d.wav", 1, later(sound, 1, 48'001));
  CHECK_FALSE(find_offset(studio.dir / "a.wav", studio.dir / "d.wav")->has_value());
  studio.wav("e.wav", 1, noise_floats(300'000, 1, 7));
  CHECK_FALSE(find_offset(studio.dir / "a.wav", studio.dir / "e.wav")->has_value());
  studio.wav("f.wav", 1, std::vector<float>(300'000));
  CHECK_FALSE(find_offset(studio.dir / "f.wav", studio.dir / "f.wav")->has_value());
  CHECK_FALSE(find_offset(studio.dir / "a.wav", studio.dir / "none.wav"));
}

TEST_CASE("compare: with an offset the frames that both have decide") {
  Studio studio;
  std::vector<float> sound = noise_floats(100'000, 2);
  studio.wav("a.wav", 2, sound);
  studio.wav("b.wav", 2, later(sound, 2, 300));
  const auto compare = [&](const char* a, const char* b, const Offset& offset) {
    auto result = compare_files(studio.dir / a, studio.dir / b, offset);
    REQUIRE(result);
    return *result;
  };
  CHECK_FALSE(compare("a.wav", "b.wav", {}).identical);
  for (const Offset& offset : {Offset(std::int64_t{300}), Offset(FindOffset{})}) {
    const Comparison same = compare("a.wav", "b.wav", offset);
    CHECK(same.identical);
    CHECK(same.offset == 300);
    CHECK(same.compared == 100'000);
    CHECK(compare_text(same, "a", "b").find("b begins 300 frames later") != std::string::npos);
    CHECK(compare_json(same).find("\"offset_frames\":300") != std::string::npos);
  }
  CHECK(compare("b.wav", "a.wav", std::int64_t{-300}).identical);
  CHECK_FALSE(compare("a.wav", "b.wav", std::int64_t{299}).identical);
  const Comparison none = compare("a.wav", "b.wav", std::int64_t{200'000});
  CHECK_FALSE(none.identical);
  CHECK(none.compared == 0);
  CHECK(compare_text(none, "a", "b").find("no frame in common") != std::string::npos);
  sound[2 * 9'000 + 1] += 0.125f;
  studio.wav("c.wav", 2, later(sound, 2, 300));
  const Comparison other = compare("a.wav", "c.wav", FindOffset{});
  CHECK_FALSE(other.identical);
  CHECK(other.offset == 300);
  CHECK(other.first_frame == 9'000);  // of a
  CHECK(other.first_channel == 2);
  CHECK(compare("c.wav", "a.wav", FindOffset{}).first_frame == 9'300);
  studio.wav("d.wav", 2, noise_floats(1'000, 2, 9));
  CHECK_FALSE(compare("a.wav", "d.wav", FindOffset{}).offset_found);
}
