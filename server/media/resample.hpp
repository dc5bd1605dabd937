// THREAD: disk - libsoxr, held so that a start anywhere gives the very samples of having played there
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace continuo::media {

/// Files have whole rates and soxr's phase is exact only for ratios of whole numbers: a device that calls itself
/// 44100.02 Hz is 44100 Hz here.
[[nodiscard]] std::uint32_t rounded_rate(double hz);

/// `frames` of one rate in frames of another, to the nearest (a half goes up). Exact at any length.
[[nodiscard]] std::int64_t scale_frames(std::int64_t frames, std::uint32_t from_hz, std::uint32_t to_hz);

/// What comes of an input depends on what follows it up to so many frames of the output on, and on nothing later (measured:
/// at most a fifth of it).
[[nodiscard]] std::int64_t converter_reach(std::uint32_t in_hz, std::uint32_t out_hz);

/// Very high quality conversion of an endless input, of which any part may be asked for. The output is cut into chunks
/// of kChunkSeconds; each chunk comes from a soxr of its own that starts at a fixed input frame, the run-in, before it.
/// So whatever soxr carries along (the phase of its blocks, the rounding of an odd ratio) depends on the place alone,
/// never on where the playing began. While one chunk ends the next one's run-in hears the same input: each input frame
/// is read once.
class Resampler {
 public:
  static constexpr std::int64_t kChunkSeconds = 2;

  Resampler(std::uint32_t in_hz, std::uint32_t out_hz, std::uint32_t channels);
  ~Resampler();

  /// The next output frame is `out_frame` (0 or more). Returns the input frame from which push() must be fed.
  std::int64_t start(std::int64_t out_frame);
  /// The next input frames, interleaved.
  void push(std::span<const float> samples);
  /// Nothing follows but silence: what is still inside comes out.
  void end();
  /// Frames that read() would give.
  [[nodiscard]] std::size_t available() const noexcept;
  std::size_t read(float* out, std::size_t frames);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
