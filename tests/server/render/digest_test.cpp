// SHA-256 against the standard's own examples; checksums that say where.
#include "server/render/digest.hpp"

#include <doctest/doctest.h>

#include <string_view>

using namespace continuo::render;

TEST_CASE("digest: the examples of FIPS 180-4, in any portions") {
  const auto digest = [](std::string_view text, std::size_t portion) {
    Sha256 sha;
    for (std::size_t at = 0; at < text.size(); at += portion)
      sha.add(std::as_bytes(std::span(text.substr(at, portion))));
    return sha.hex();
  };
  CHECK(digest("", 1) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc", 1) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string million(1'000'000, 'a');
  for (const std::size_t portion : {1000u, 1'000'000u})
    CHECK(digest(million, portion) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("checksums: one for each stretch, of the bits, whatever the portions") {
  constexpr std::size_t kFrames = 3 * static_cast<std::size_t>(Checksums::kFrames) + 100;
  std::vector<float> samples(2 * kFrames);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(i % 1000);
  const auto sums = [](const std::vector<float>& all, std::size_t portion) {
    Checksums made(2);
    for (std::size_t at = 0; at < all.size(); at += portion)
      made.add(std::span(all).subspan(at, std::min(portion, all.size() - at)));
    return made.all();
  };
  const auto expected = sums(samples, samples.size());
  CHECK(expected.size() == 4);
  CHECK(sums(samples, 2 * 333) == expected);
  CHECK(sums({samples.begin(), samples.begin() + 4 * Checksums::kFrames}, 64).size() == 2);
  CHECK(Checksums(2).all().empty());
  for (const std::size_t stretch : {0u, 2u, 3u}) {
    std::vector<float> other = samples;
    float& changed = other[2 * stretch * static_cast<std::size_t>(Checksums::kFrames) + 17];
    changed = changed == 0.0f ? -0.0f : -changed;  // the sign of a zero, too
    const auto found = sums(other, 1000);
    for (std::size_t i = 0; i < 4; ++i) CHECK((found[i] == expected[i]) == (i != stretch));
  }
}
