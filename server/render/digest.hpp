// THREAD: job - what identifies a render: SHA-256 of its samples, and checksums that say where two renders part
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/media/sha256.hpp"

namespace continuo::render {

using media::Sha256;

/// One number for each kFrames frames, of the floats bit by bit. Not against malice.
class Checksums {
 public:
  static constexpr std::int64_t kFrames = 65536;
  explicit Checksums(std::uint32_t channels) : channels_(channels) {}
  void add(std::span<const float> samples);
  /// With the last, which may cover fewer frames.
  [[nodiscard]] std::vector<std::uint64_t> all() const;

 private:
  const std::uint32_t channels_;
  std::int64_t filled_ = 0;  // samples in `current_`
  std::uint64_t current_ = 0;
  std::vector<std::uint64_t> done_;
};

}  // namespace continuo::render
