// THREAD: job - where a tail has faded away
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace continuo::render {

/// What sounds on after the end of a render, frame by frame. A frame is loud where any channel reaches kSilenceDb. The
/// tail is over after 1 s without a loud frame, or after 60 s, and is kept up to its last loud frame. It follows from
/// the frames alone, not from how they come in portions.
class Tail {
 public:
  static constexpr double kSilenceDb = -100.0;  // below 1e-5, on every channel
  static constexpr std::int64_t kSilentSeconds = 1;
  static constexpr std::int64_t kMaxSeconds = 60;

  Tail(std::uint32_t channels, std::uint32_t rate_hz) : channels_(channels), rate_hz_(rate_hz) {}

  /// The tail's next frames, interleaved. Gives those that are known to be kept by now: valid until the next call.
  /// Silence is held back (at most kSilentSeconds of it) until something loud follows.
  [[nodiscard]] std::span<const float> push(std::span<const float> samples);

  [[nodiscard]] bool over() const noexcept { return cut_ || silent_ >= kSilentSeconds * rate_hz_; }
  /// It was still sounding after kMaxSeconds.
  [[nodiscard]] bool cut() const noexcept { return cut_; }

 private:
  const std::uint32_t channels_;
  const std::int64_t rate_hz_;
  std::int64_t frames_ = 0;
  std::int64_t silent_ = 0;  // frames since the last loud one
  bool cut_ = false;
  std::vector<float> held_;  // the last `silent_` frames
  std::vector<float> given_;
};

}  // namespace continuo::render
