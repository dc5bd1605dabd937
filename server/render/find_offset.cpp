#include "server/render/find_offset.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "server/media/decode.hpp"

namespace continuo::render {
namespace {

using Prints = std::vector<std::uint64_t>;  // of frames: equal samples, equal prints

constexpr std::size_t kRun = 256;         // frames that must be the same to be a candidate
constexpr std::size_t kTold = 32;         // different frames among them, that they can be told from others
constexpr std::int64_t kHeadSeconds = 6;  // that are looked at
constexpr std::size_t kBlock = 8192;

Prints prints_of(media::Decoder& decoder, std::uint32_t channels, std::int64_t frames) {
  const std::uint32_t wide = decoder.info().channels;
  std::vector<float> block(kBlock * wide);
  Prints prints;
  while (std::ssize(prints) < frames) {
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(kBlock, frames - std::ssize(prints)));
    const std::size_t n = decoder.read(block.data(), want);
    for (std::size_t i = 0; i < n; ++i) {
      std::uint64_t print = 0xCBF2'9CE4'8422'2325;
      for (std::uint32_t c = 0; c < channels; ++c) {
        const std::uint32_t bits = std::bit_cast<std::uint32_t>(block[i * wide + c] + 0.0f);  // -0 and 0 are one
        print = (print ^ bits) * 0x9E37'79B9'7F4A'7C15;
        print ^= print >> 29;
      }
      prints.push_back(print);
    }
    if (n < want) break;
  }
  return prints;
}

/// Where runs begin that are worth looking for: the first that can be told (it has an onset, if there is one), and more
/// behind it, for the other file may begin later or fade in.
std::vector<std::size_t> starts_of(const Prints& a, std::size_t step) {
  std::vector<std::size_t> starts;
  for (std::size_t at = 0; at + kRun <= a.size();) {
    const auto run = std::span(a).subspan(at, kRun);
    const bool told = std::set<std::uint64_t>(run.begin(), run.end()).size() >= kTold;
    if (told) starts.push_back(at);
    at += told ? step : kRun / 2;
  }
  return starts;
}

/// Frames that are the same at this offset; counted no further once they cannot be more than `best`.
std::size_t equal_frames(const Prints& a, const Prints& b, std::int64_t offset, std::size_t best) {
  const auto from = static_cast<std::size_t>(std::max<std::int64_t>(0, -offset));
  const auto to = static_cast<std::size_t>(
      std::clamp<std::int64_t>(std::ssize(b) - offset, static_cast<std::int64_t>(from), std::ssize(a)));
  std::size_t possible = to - from;
  for (std::size_t i = from; i < to && possible > best; ++i)
    possible -= a[i] != b[static_cast<std::size_t>(static_cast<std::int64_t>(i) + offset)] ? 1 : 0;
  return possible;
}

}  // namespace

Result<std::optional<std::int64_t>> find_offset(const std::filesystem::path& a, const std::filesystem::path& b) {
  auto first = media::Decoder::open(a);
  if (!first) return first.error();
  auto second = media::Decoder::open(b);
  if (!second) return second.error();
  const std::int64_t most = (*first)->info().sample_rate_hz;
  const std::uint32_t channels = std::min((*first)->info().channels, (*second)->info().channels);
  const Prints x = prints_of(**first, channels, kHeadSeconds * most);
  const Prints y = prints_of(**second, channels, (kHeadSeconds + 1) * most);

  std::set<std::int64_t> candidates;
  for (const std::size_t start : starts_of(x, static_cast<std::size_t>(most / 2))) {
    const auto run = std::span(x).subspan(start, kRun);
    const auto at = static_cast<std::int64_t>(start);
    const std::int64_t last = std::min(at + most, std::ssize(y) - static_cast<std::int64_t>(kRun));
    for (std::int64_t i = std::max<std::int64_t>(0, at - most); i <= last; ++i) {
      if (std::ranges::equal(run, std::span(y).subspan(static_cast<std::size_t>(i), kRun))) candidates.insert(i - at);
    }
  }
  std::vector<std::int64_t> order(candidates.begin(), candidates.end());
  // The smallest shift first; not stable_sort, whose buffer clang calls deprecated.
  std::ranges::sort(order, {}, [](std::int64_t offset) { return std::pair(offset < 0 ? -offset : offset, offset); });
  std::optional<std::int64_t> best;
  std::size_t most_equal = 0;
  for (const std::int64_t offset : order) {
    const std::size_t count = equal_frames(x, y, offset, most_equal);
    if (count <= most_equal) continue;
    most_equal = count;
    best = offset;
  }
  return best;
}

}  // namespace continuo::render
