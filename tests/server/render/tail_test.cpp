// Where a tail ends: by its frames alone.
#include "server/render/tail.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace continuo::render;

namespace {

constexpr std::uint32_t kRate = 100;

struct Kept {
  std::vector<float> samples;
  bool over = false;
  bool cut = false;
};
Kept feed(const std::vector<float>& samples, std::uint32_t channels, std::size_t portion) {
  Tail tail(channels, kRate);
  Kept kept;
  for (std::size_t at = 0; at < samples.size(); at += portion * channels) {
    const auto part = std::span(samples).subspan(at, std::min(portion * channels, samples.size() - at));
    const auto got = tail.push(part);
    kept.samples.insert(kept.samples.end(), got.begin(), got.end());
  }
  kept.over = tail.over();
  kept.cut = tail.cut();
  return kept;
}

}  // namespace

TEST_CASE("tail: kept to its last loud frame, over after a second of silence, in portions of any size") {
  std::vector<float> samples(2 * 1000, 1e-9f);
  samples[2 * 50 + 1] = 0.5f;       // on one channel alone
  samples[2 * 149] = -1e-5f;        // just reaches -100 dBFS, after 98 silent frames
  samples[2 * 249 + 1] = 0.99e-5f;  // just does not
  samples[2 * 300] = 1.0f;          // comes after a second of silence
  for (const std::size_t portion : {1u, 3u, 64u, 99u, 100u, 101u, 1000u}) {
    CAPTURE(portion);
    const Kept kept = feed(samples, 2, portion);
    CHECK(kept.samples == std::vector<float>(samples.begin(), samples.begin() + 300));
    CHECK(kept.over);
    CHECK_FALSE(kept.cut);
  }
}

TEST_CASE("tail: silent at once it is empty, and not over before its second has passed") {
  const std::vector<float> silence(99);
  Kept kept = feed(silence, 1, 10);
  CHECK(kept.samples.empty());
  CHECK_FALSE(kept.over);
  kept = feed(std::vector<float>(100), 1, 10);
  CHECK(kept.samples.empty());
  CHECK(kept.over);
}

TEST_CASE("tail: still sounding after a minute it is cut there, no number is no silence") {
  for (const float loud : {0.1f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    const Kept kept = feed(std::vector<float>(3 * 60 * kRate + 3 * 500, loud), 3, 77);
    CHECK(kept.samples.size() == 3 * 60 * kRate);
    CHECK(kept.over);
    CHECK(kept.cut);
  }
  // Silent in the very last second: not cut.
  std::vector<float> samples(60 * kRate, 0.1f);
  std::fill(samples.end() - kRate, samples.end(), 0.0f);
  const Kept kept = feed(samples, 1, 64);
  CHECK(kept.samples.size() == 59 * kRate);
  CHECK(kept.over);
  CHECK_FALSE(kept.cut);
}
