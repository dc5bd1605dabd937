// The loudness of stems: what it is, which stretch it is of, and that nothing depends on it or on how it was rendered.
#include "server/render/stems.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "server/render/measure_report.hpp"
#include "server/render/report.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

const StemWish kAll{{}, true};

/// A stereo sine of 1 kHz, in phase.
std::vector<float> tone(double db, double seconds) {
  std::vector<float> samples;
  for (int i = 0; i < static_cast<int>(seconds * 48000.0); ++i) {
    const double s = std::pow(10.0, db / 20.0) * std::sin(2.0 * std::numbers::pi * i / 48.0);
    samples.insert(samples.end(), 2, static_cast<float>(s));
  }
  return samples;
}

/// Its own loudness all along.
std::vector<float> uneven_noise(std::int64_t frames, std::uint32_t seed) {
  std::vector<float> sound = noise_floats(frames, 2, seed);
  for (std::size_t i = 0; i < sound.size(); ++i)
    sound[i] *= 0.2f + 0.15f * std::sin(static_cast<float>(i) * 2e-5f * static_cast<float>(seed));
  return sound;
}

RenderResult must(const Result<RenderResult>& result) {
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  return *result;
}

const StemReport& stem(const RenderResult& result, const std::string& node) {
  const auto found = std::ranges::find(result.stems, node, &StemReport::node);
  REQUIRE_MESSAGE(found != result.stems.end(), node);
  return *found;
}

bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }
bool same(const std::optional<double>& a, const std::optional<double>& b) {
  return a.has_value() == b.has_value() && (!a || same(*a, *b));
}
bool same(const LoudnessReport& a, const LoudnessReport& b) {
  return same(a.integrated_lufs, b.integrated_lufs) && same(a.range_lu, b.range_lu) &&
         same(a.max_momentary_lufs, b.max_momentary_lufs) && same(a.max_short_term_lufs, b.max_short_term_lufs) &&
         a.true_peaks_db == b.true_peaks_db;
}

/// Of interleaved stereo.
LoudnessReport loudness_of(const Studio& studio, const std::vector<float>& sound) {
  studio.wav("measured.wav", 2, sound);
  const auto measure = measure_file(studio.dir / "measured.wav", {});
  REQUIRE(measure);
  return measure->loudness;
}
std::vector<float> part(const std::vector<float>& sound, std::size_t from, std::size_t to) {
  std::vector<float> cut(sound.begin() + static_cast<std::ptrdiff_t>(2 * from),
                         sound.begin() + static_cast<std::ptrdiff_t>(std::min(2 * to, sound.size())));
  cut.resize(2 * (to - from));
  return cut;
}

}  // namespace

TEST_CASE("stems: a sine of known level in a track, behind faders, mute and a bus") {
  Studio studio;
  studio.wav("a.wav", 2, tone(-23.0, 5.0));
  const auto document = studio.document(session_text(
      track("a", player("p", "a.wav") + R"(,{"id": "m", "type": "meter"})", R"("gain_db": -10)") + "," +
          track("off", player("p", "a.wav"), R"("mute": true)") + "," + track("empty", "") +
          R"(,{"id": "sum", "type": "bus", "params": {"gain_db": 6}})",
      edge("a", "sum") + "," + edge("off", "sum") + "," + edge("empty", "sum") + "," + edge("sum", "out")));
  RenderOptions options = studio.options();
  options.loudness = true;
  options.stems = {{"a/m", "a/p", "out"}, true};
  const RenderResult result = must(Studio::attempt(document, options));
  std::vector<std::string> nodes;
  for (const StemReport& one : result.stems) nodes.push_back(one.node);
  CHECK(nodes == std::vector<std::string>{"a", "a/p", "a/m", "off", "empty", "sum", "out"});

  for (const auto& [node, level] :
       {std::pair("a/p", -23.0), std::pair("a/m", -23.0), std::pair("a", -33.0), std::pair("sum", -27.0)}) {
    CAPTURE(std::string(node));
    const StemReport& one = stem(result, node);
    CHECK(one.channels == 2);
    REQUIRE(one.loudness.integrated_lufs.has_value());
    CHECK(std::abs(*one.loudness.integrated_lufs - level) < 0.05);
    CHECK(std::abs(one.loudness.true_peak_db() - level) < 0.05);
    REQUIRE(one.loudness.range_lu.has_value());
    CHECK(*one.loudness.range_lu < 0.1);
  }
  for (const char* node : {"off", "empty"}) {
    CAPTURE(std::string(node));
    const StemReport& silent = stem(result, node);
    CHECK_FALSE(silent.loudness.integrated_lufs.has_value());
    CHECK(silent.loudness.true_peak_db() == -150.0);
    CHECK(silent.loudness.max_momentary_lufs == -150.0);
  }
  CHECK(same(stem(result, "out").loudness, *result.loudness));

  const std::string text = render_text(result);
  CHECK(std::ranges::count(text, '\n') == 7);
  CHECK(text.find("\n  sum: -27.0 LUFS, range 0.0 LU, true peak -27.0 dBTP") != std::string::npos);
  CHECK(text.find("\n  off: too short or too quiet for a loudness, range 0.0 LU, true peak -150.0 dBTP") !=
        std::string::npos);
  const std::string json = render_json(result, {});
  CHECK(json.find('\n') == std::string::npos);
  CHECK(json.find(R"("stems":[{"node":"a","channels":2,"integrated_lufs":-3)") != std::string::npos);
  CHECK(json.find(R"({"node":"off","channels":2,"range_lu":0.00,"max_momentary_lufs":-150.00,)") != std::string::npos);
}

TEST_CASE("stems: those that are wished for, once each, and none without a wish") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(1000, 2));
  const auto document =
      studio.document(session_text(R"({"id": "band", "type": "container", "children": [)" +
                                       track("a", player("p", "a.wav")) + "," + track("b", player("p", "a.wav")) + "]}",
                                   edge("band/a", "out") + "," + edge("band/b", "out")));
  const auto nodes = [&](const StemWish& wish) {
    RenderOptions options = studio.options();
    options.overwrite = true;
    options.stems = wish;
    const RenderResult result = must(Studio::attempt(document, options));
    CHECK_FALSE(result.loudness.has_value());  // that is another wish
    std::vector<std::string> names;
    for (const StemReport& one : result.stems) names.push_back(one.node);
    return names;
  };
  using Names = std::vector<std::string>;
  CHECK(nodes({}) == Names{});
  CHECK(nodes(kAll) == Names{"band/a", "band/b"});
  CHECK(nodes({{"band/b"}, true}) == Names{"band/a", "band/b"});
  CHECK(nodes({{"band/b", "band/b"}, false}) == Names{"band/b"});
}

TEST_CASE("stems: a node that is not there, or gives no sound, is an error before anything is rendered") {
  Studio studio;
  const auto document = studio.document(
      session_text(R"({"id": "band", "type": "container", "children": [)" + track("a", player("p", "none.wav")) + "]}",
                   edge("band/a", "out")));
  RenderOptions options = studio.options();
  options.to = at_frame(1000);
  const auto refused = [&](const char* node) {
    options.stems = {{"band/a", node}, true};
    const auto result = Studio::attempt(document, options);
    REQUIRE_FALSE(result);
    CHECK(studio.tidy());
    CHECK(result.error().field == node);
    CHECK(result.error().message.find(node) != std::string::npos);
    return result.error().reason;
  };
  CHECK(refused("drums") == "UNKNOWN_NODE");  // rather than the file that is missing, too
  CHECK(refused("band/drums") == "UNKNOWN_NODE");
  CHECK(refused("") == "UNKNOWN_NODE");
  options.silent_missing = true;
  CHECK(refused("band") == "NO_SOUND");
  CHECK(refused("in") == "NO_SOUND");
}

TEST_CASE("stems: the device's inputs are one, where a file brings them") {
  Studio studio;
  const std::vector<float> sound = uneven_noise(48000 * 4, 3);
  studio.wav("in.wav", 2, sound);
  const auto document = studio.document(session_text(track("a", ""), edge("in", "a")));  // and out is silent
  RenderOptions options = studio.options();
  options.given.device_input = studio.dir / "in.wav";
  options.stems = {{"in", "a"}, false};
  const RenderResult result = must(Studio::attempt(document, options));
  CHECK(same(stem(result, "in").loudness, loudness_of(studio, sound)));
  CHECK(same(stem(result, "a").loudness, stem(result, "in").loudness));
}

TEST_CASE("stems: the same stretch as the file, whatever its latency, where it begins and how it is rendered") {
  // "late" is late, and never comes to "out"; what does is later than "plain".
  Studio studio;
  const std::vector<float> sound = uneven_noise(48000 * 6, 5);
  studio.wav("a.wav", 2, sound);
  const auto delayed = [](const char* ms) {
    return R"(,{"id": "c", "type": "compressor", "params": {"bypass": true, "lookahead_ms": )" + std::string(ms) + "}}";
  };
  const auto document = studio.document(session_text(
      track("plain", player("p", "a.wav")) + "," + track("mixed", player("p", "a.wav") + delayed("5")) + "," +
          track("late", player("p", "a.wav") + delayed("20") +
                            R"(,{"id": "c2", "type": "compressor", "params": {"bypass": true, "lookahead_ms": 20}})"),
      edge("plain", "out") + "," + edge("mixed", "out")));
  for (const auto& [from, to] : {std::pair(0, 288'000), std::pair(12'345, 288'000), std::pair(12'345, 212'346),
                                 std::pair(100'000, 320'001), std::pair(777, 20'000)}) {
    const LoudnessReport expected =
        loudness_of(studio, part(sound, static_cast<std::size_t>(from), static_cast<std::size_t>(to)));
    for (const auto& [block, threads] : {std::pair(1024u, 1u), std::pair(1u, 2u), std::pair(63u, 1u),
                                         std::pair(333u, 3u), std::pair(8192u, 2u), std::pair(65536u, 1u)}) {
      if (block == 1 && to - from > 100'000) continue;  // enough is enough
      CAPTURE(from);
      CAPTURE(to);
      CAPTURE(block);
      RenderOptions options = studio.options();
      options.overwrite = true;
      options.from = at_frame(from);
      options.to = at_frame(to);
      options.block_frames = block;
      options.threads = threads;
      options.stems = kAll;
      const RenderResult result = must(Studio::attempt(document, options));
      CHECK(result.frames == to - from);
      REQUIRE(result.stems.size() == 3);
      for (const StemReport& one : result.stems) {
        CAPTURE(one.node);
        CHECK(same(one.loudness, expected));
      }
    }
  }
}

TEST_CASE("stems: an automatic tail ends for them where it ends for the file") {
  // "a" is all that the output has; "b" plays on for ever, unheard. The tail is kept to the last frame that sounds.
  Studio studio;
  constexpr std::size_t kEnd = 48'000 * 3 + 1234;
  std::vector<float> sound = uneven_noise(kEnd, 2);
  std::fill(sound.begin() + 2 * 100'000, sound.begin() + 2 * 120'000, 0.0f);  // not for a second
  const std::vector<float> loop = uneven_noise(48'000 * 8, 7);
  studio.wav("a.wav", 2, sound);
  studio.wav("b.wav", 2, loop);
  const auto document = studio.document(session_text(
      track("a", player("p", "a.wav")) + "," +
          track("b", player("p", "b.wav", R"("loop": true)") +
                         R"(,{"id": "c", "type": "compressor", "params": {"bypass": true, "lookahead_ms": 20}})"),
      edge("a", "out")));
  for (const auto& [block, threads] : {std::pair(1024u, 1u), std::pair(333u, 2u), std::pair(50'000u, 3u)}) {
    CAPTURE(block);
    RenderOptions options = studio.options();
    options.overwrite = true;
    options.to = at_frame(48'000);
    options.tail_auto = true;
    options.loudness = true;
    options.block_frames = block;
    options.threads = threads;
    options.stems = kAll;
    const RenderResult result = must(Studio::attempt(document, options));
    REQUIRE(result.frames == static_cast<std::int64_t>(kEnd));
    CHECK(result.tail_frames == result.frames - 48'000);
    CHECK(same(stem(result, "a").loudness, *result.loudness));
    CHECK(same(stem(result, "b").loudness, loudness_of(studio, part(loop, 0, kEnd))));
  }
  RenderOptions options = studio.options();
  options.overwrite = true;
  options.tail = at_frame(999);
  options.stems = kAll;
  const RenderResult result = must(Studio::attempt(document, options));
  CHECK(same(stem(result, "b").loudness, loudness_of(studio, part(loop, 0, kEnd + 999))));
}

TEST_CASE("stems: no sample and no digit depends on them, on blocks or on threads") {
  Studio studio;
  constexpr int kTracks = 12;
  std::string nodes, edges;
  for (int k = 0; k < kTracks; ++k) {
    const std::string id = "t" + std::to_string(k);
    studio.wav(id + ".wav", k % 2 + 1, noise_floats(48'000 * 2, k % 2 + 1, static_cast<std::uint32_t>(k + 1)),
               k % 3 == 0 ? 44'100 : 48'000);
    nodes += track(id, player("p", id + ".wav") +
                           R"(,{"id": "e", "type": "eq", "params": {"band1.type": "peak", "band1.gain_db": 3}},)"
                           R"({"id": "c", "type": "compressor", "params": {"lookahead_ms": )" +
                           std::to_string(k) + "}}") +
             ",";
    edges += edge(id, "bus", R"("gain_db": -20)") + ",";
  }
  nodes +=
      R"({"id": "bus", "type": "bus", "children": [{"id": "r", "type": "reverb"}, {"id": "l", "type": "limiter"}]})";
  edges += edge("bus", "out");
  const auto document = studio.document(session_text(nodes, edges));
  RenderOptions options = studio.options();
  options.overwrite = true;
  options.tail_auto = true;
  const RenderResult bare = must(Studio::attempt(document, options));
  const std::vector<float> samples = studio.take(options.output);
  RenderResult reference;
  for (const std::uint32_t threads : {1u, 2u, 4u}) {
    for (const std::uint32_t block : {64u, 17u, 1000u, 4096u, 20'000u}) {
      CAPTURE(threads);
      CAPTURE(block);
      options.threads = threads;
      options.block_frames = block;
      options.stems = {{"t3/c", "t4/p", "bus/r"}, true};
      const RenderResult result = must(Studio::attempt(document, options));
      CHECK(result.frames == bare.frames);
      const std::vector<float> all = studio.take(options.output);
      REQUIRE(all.size() == samples.size());
      CHECK(std::equal(all.begin(), all.end(), samples.begin(), [](float a, float b) {
        return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
      }));
      REQUIRE(result.stems.size() == kTracks + 1 + 3);
      if (reference.stems.empty()) reference = result;
      for (std::size_t i = 0; i < result.stems.size(); ++i) {
        CAPTURE(result.stems[i].node);
        CHECK(result.stems[i].node == reference.stems[i].node);
        CHECK(same(result.stems[i].loudness, reference.stems[i].loudness));
        CHECK(result.stems[i].loudness.integrated_lufs.has_value());
      }
    }
  }
}
