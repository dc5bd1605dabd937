// THREAD: disk - sound as frames of FLAC, by libFLAC
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "server/media/flac_format.hpp"

namespace continuo::media {

using FlacMd5 = std::array<std::byte, 16>;  // of all samples, as STREAMINFO has it; zeros: not known

/// Frames alone, lossless to the bit: what stands in front of them is flac_head()'s. At most one block waits in here,
/// for the first frame of sound that follows it.
class FlacEncoder {
 public:
  /// A whole frame of FLAC, and the frames of sound in it: each the format's block, but the last. False: it could not
  /// be kept, and nothing follows it.
  using Write = std::function<bool(std::span<const std::byte> bytes, std::uint32_t frames)>;

  FlacEncoder(const FlacFormat& format, Write write);
  ~FlacEncoder();
  FlacEncoder(const FlacEncoder&) = delete;
  FlacEncoder& operator=(const FlacEncoder&) = delete;

  /// Whole frames of sound, interleaved, each sample in the format's bits. False once `write` said so.
  [[nodiscard]] bool encode(std::span<const std::int32_t> samples);
  /// Writes what waits, and is done: nothing may be encoded any more.
  [[nodiscard]] bool finish();
  /// After finish(): of all that was encoded. Zeros where a write failed.
  [[nodiscard]] const FlacMd5& md5() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
