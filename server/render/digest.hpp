// THREAD: job - what identifies a render: SHA-256 of its samples, and checksums that say where two renders part
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace continuo::render {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::span<const std::byte> bytes);
  /// 64 hexadecimal digits, lower case. Once, at the end.
  [[nodiscard]] std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

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
