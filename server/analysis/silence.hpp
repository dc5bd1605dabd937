// THREAD: any, one at a time - where nothing is to be heard
#pragma once

#include <cstdint>

#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// A frame is quiet where no channel is above the threshold. Quiet frames in a row are a silence from `seconds` on.
class SilenceDetector {
 public:
  /// `threshold_db`: of full scale, of sample peaks; -150 and below: exactly 0 alone is quiet.
  SilenceDetector(double sample_rate_hz, std::uint32_t channels, double threshold_db = -60.0, double seconds = 1.0);

  void feed(const Frames& frames) noexcept;

  /// It lasts now.
  [[nodiscard]] bool silent() const noexcept { return quiet_ >= least_; }
  /// Quiet frames up to now, in a row, however few; at the end of a file: the quiet at its end.
  [[nodiscard]] std::uint64_t quiet_frames() const noexcept { return quiet_; }
  /// Quiet frames before the first that is not; all, where there is none.
  [[nodiscard]] std::uint64_t leading_frames() const noexcept { return heard_ ? leading_ : quiet_; }
  /// The one that lasts now is among the following.
  [[nodiscard]] std::uint64_t silences() const noexcept { return silences_ + (silent() ? 1u : 0u); }
  [[nodiscard]] std::uint64_t silent_frames() const noexcept { return silent_frames_ + (silent() ? quiet_ : 0u); }
  [[nodiscard]] std::uint64_t longest_frames() const noexcept { return quiet_ > longest_ ? quiet_ : longest_; }

 private:
  void end_quiet() noexcept;

  std::uint32_t channels_;
  float threshold_;
  std::uint64_t least_;
  std::uint64_t quiet_ = 0;
  std::uint64_t leading_ = 0;
  bool heard_ = false;
  std::uint64_t silences_ = 0;  // that are over
  std::uint64_t silent_frames_ = 0;
  std::uint64_t longest_ = 0;
};

}  // namespace continuo::analysis
