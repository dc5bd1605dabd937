// THREAD: disk - segments of one rate, as frames of the engine
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/media/decode.hpp"
#include "server/media/resample.hpp"
#include "server/media/segment_input.hpp"

namespace continuo::media {

/// From any frame on the sound is identical to having read there from the start.
class RunReader {
 public:
  /// `segments` of one rate. `endless`: round and round.
  RunReader(std::vector<Segment> segments, bool endless, std::uint32_t engine_rate_hz, std::uint32_t channels);

  /// A decoder of the first segment's file that is open already.
  void adopt(std::unique_ptr<Decoder> decoder) { input_.adopt(std::move(decoder)); }
  void seek(rt::FrameCount frame);
  /// All of `frames`; silence behind the end.
  void read(float* out, std::int64_t frames);

  [[nodiscard]] bool converts() const noexcept { return from_hz_ != to_hz_; }
  [[nodiscard]] bool plain() const noexcept { return !converts() && input_.plain(); }
  [[nodiscard]] const std::string& error() const noexcept { return input_.error(); }
  [[nodiscard]] const std::vector<std::size_t>& broken() const noexcept { return input_.broken(); }
  /// Samples that were infinite or NaN and are silence.
  [[nodiscard]] std::uint64_t non_finite() const noexcept { return input_.non_finite() + overflown_; }

 private:
  SegmentInput input_;
  std::uint32_t from_hz_;
  std::uint32_t to_hz_;
  std::uint32_t channels_;
  std::unique_ptr<Resampler> resampler_;  // null where the rates are equal
  std::vector<float> fed_;
  std::uint64_t overflown_ = 0;  // made by the converter of numbers too large for it
};

}  // namespace continuo::media
