#include "server/render/digest.hpp"

#include <algorithm>
#include <bit>

namespace continuo::render {

void Checksums::add(std::span<const float> samples) {
  constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ull;
  const std::int64_t full = kFrames * channels_;
  while (!samples.empty()) {
    const auto n = static_cast<std::size_t>(std::min<std::int64_t>(full - filled_, std::ssize(samples)));
    for (const float sample : samples.first(n))
      current_ = std::rotl((current_ ^ std::bit_cast<std::uint32_t>(sample)) * kMultiplier, 29);
    samples = samples.subspan(n);
    filled_ += static_cast<std::int64_t>(n);
    if (filled_ < full) return;
    done_.push_back(current_);
    filled_ = 0;
    current_ = 0;
  }
}

std::vector<std::uint64_t> Checksums::all() const {
  std::vector<std::uint64_t> sums = done_;
  if (filled_ > 0) sums.push_back(current_);
  return sums;
}

}  // namespace continuo::render
