// What a render reads beside the session's own media: given files, the device's inputs.
#include <doctest/doctest.h>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

std::vector<float> slice(const std::vector<float>& all, std::size_t from, std::size_t to, std::size_t channels) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from * channels),
          all.begin() + static_cast<std::ptrdiff_t>(to * channels)};
}

const std::string kSimple = session_text(track("a", player("p", "a.wav")), edge("a", "out"));

}  // namespace

TEST_CASE("render: given files go before what the roots have, wherever they lie") {
  Studio studio;
  Studio elsewhere;
  const std::vector<float> sound = noise_floats(2000, 2, 1);
  const std::vector<float> other = noise_floats(1000, 2, 2);
  studio.wav("a.wav", 2, sound);
  elsewhere.wav("b.wav", 2, other);
  CHECK(studio.render(kSimple, [&](RenderOptions& o) { o.given.media["a.wav"] = elsewhere.dir / "b.wav"; }) == other);
  CHECK(studio.render(session_text(track("a", player("p", "nowhere:none.wav")), edge("a", "out")),
                      [&](RenderOptions& o) { o.given.media["nowhere:none.wav"] = elsewhere.dir / "b.wav"; }) == other);
  RenderOptions options = studio.options();
  options.given.media["a.wav"] = elsewhere.dir / "none.wav";
  const auto missing = Studio::attempt(studio.document(kSimple), options);
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().field == "a/p.file");
  CHECK(missing.error().message.find((elsewhere.dir / "none.wav").string()) != std::string::npos);
  CHECK(studio.tidy());
}

TEST_CASE("render: a file for the device's inputs, from the first frame on, silent after its end") {
  Studio studio;
  const std::vector<float> sound = noise_floats(5000, 3);
  studio.wav("mic.wav", 3, sound);
  const auto options_for = [&](RenderOptions& o) { o.given.device_input = studio.dir / "mic.wav"; };
  const std::string text = session_text(track("t", ""), edge("in", "out"));
  for (const std::uint32_t block : {1u, 64u, 1000u, 8192u}) {
    CAPTURE(block);
    const std::vector<float> out = studio.render(text, [&](RenderOptions& o) {
      options_for(o);
      o.block_frames = block;
    });
    CHECK(out == sound);  // its end is the render's
  }
  const std::vector<float> later = studio.render(text, [&](RenderOptions& o) {
    options_for(o);
    o.from = at_frame(700);
    o.length = at_frame(6000);
  });
  REQUIRE(later.size() == 3 * 6000);
  CHECK(slice(later, 0, 5000, 3) == sound);
  CHECK(slice(later, 5000, 6000, 3) == std::vector<float>(3 * 1000));
  const std::vector<float> one = studio.render(session_text("", edge("in:2", "out:1")), options_for);
  REQUIRE(one.size() == 2 * 5000);
  for (std::size_t i = 0; i < 5000; ++i) REQUIRE(one[2 * i] == sound[3 * i + 1]);
  RenderOptions options = studio.options();
  options.given.device_input = studio.dir / "none.wav";
  CHECK(Studio::attempt(studio.document(text), options).error().kind == ErrorKind::not_found);
}
