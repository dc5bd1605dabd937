// THREAD: disk - parts of files, one after the other, as one run of frames
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rt/types.hpp"

namespace continuo::media {

class Decoder;

enum class FadeCurve : std::uint8_t { linear, equal_power };  // equal power: the square root of the line

/// The factor of frame `at` of a fade over `of` frames: 0 at its first one. Out: `of - at` in its place.
[[nodiscard]] double fade_factor(FadeCurve curve, std::int64_t at, std::int64_t of);

/// So long is "for ever": what follows has a place, too, and sums of a thousand such stay far from the end of 64 bits.
inline constexpr std::int64_t kForEverSeconds = std::int64_t{1} << 30;

/// A part of a file, as often as it is to be heard. Frames are the file's own; what an earlier probe found of the file
/// is part of it, so that a place in a list is known without opening a file.
struct Segment {
  std::filesystem::path file;
  std::uint32_t sample_rate_hz = 0;
  std::uint32_t channels = 0;
  std::int64_t file_frames = 0;
  std::int64_t begin = 0;
  std::int64_t end = 0;    // behind `begin`, at most file_frames
  std::int64_t loops = 1;  // 0: for ever
  double gain = 1.0;
  std::int64_t fade_in = 0;  // frames; of the first round, and of the last
  std::int64_t fade_out = 0;
  FadeCurve fade_in_curve = FadeCurve::linear;
  FadeCurve fade_out_curve = FadeCurve::linear;
  double crossfade_ms = 0.0;  // of its first frames with what comes before it (queue_layout.hpp)
  FadeCurve crossfade_curve = FadeCurve::linear;

  /// All rounds.
  [[nodiscard]] std::int64_t frames() const noexcept {
    return loops == 0 ? kForEverSeconds * sample_rate_hz : (end - begin) * loops;
  }
};

/// Of a queue's item as the compiler has it (session::CompiledItem), whose file is `file`.
template <class Item>
[[nodiscard]] Segment segment_of(const Item& item, std::filesystem::path file) {
  using Curve = decltype(item.fade_in_curve);
  const auto curve = [](Curve given) { return given == Curve::linear ? FadeCurve::linear : FadeCurve::equal_power; };
  return {.file = std::move(file),
          .sample_rate_hz = item.facts.sample_rate_hz,
          .channels = item.facts.channels,
          .file_frames = item.facts.frames,
          .begin = item.begin,
          .end = item.end,
          .loops = item.loops,
          .gain = item.gain,
          .fade_in = item.fade_in,
          .fade_out = item.fade_out,
          .fade_in_curve = curve(item.fade_in_curve),
          .fade_out_curve = curve(item.fade_out_curve),
          .crossfade_ms = item.crossfade_ms,
          .crossfade_curve = curve(item.crossfade_curve)};
}

/// Of a whole queue, but for items without frames. `file_of(item)` is a path.
template <class Items, class FileOf>
[[nodiscard]] std::vector<Segment> segments_of(const Items& items, FileOf&& file_of) {
  std::vector<Segment> segments;
  for (const auto& item : items)
    if (item.end > item.begin) segments.push_back(segment_of(item, file_of(item)));
  return segments;
}

/// Segments of one rate. A join, a loop and a seek are one thing here: from some frame on, another part of a file is
/// read. Files are opened as they are reached, one at a time; one that cannot be read is silence for as long as its
/// segment lasts. Samples at gain 1 outside the fades are the decoder's, bit for bit.
class SegmentInput {
 public:
  /// `channels`: of what is read. A narrower file leaves the others silent, but one of one channel is on the first two.
  /// `loop`: behind the last segment comes the first again.
  SegmentInput(std::vector<Segment> segments, std::uint32_t channels, bool loop = false);
  ~SegmentInput();
  SegmentInput(SegmentInput&&) noexcept;
  SegmentInput& operator=(SegmentInput&&) noexcept;

  /// A decoder of the first segment's file that is open already.
  void adopt(std::unique_ptr<Decoder> decoder);

  void seek(std::int64_t frame);
  /// All of `frames`, but at the end.
  std::int64_t read(float* out, std::int64_t frames);

  /// Reading is little more than copying, as far as is known.
  [[nodiscard]] bool plain() const noexcept;
  /// Of the first file that could not be read; empty while all is well.
  [[nodiscard]] const std::string& error() const noexcept;
  /// The segments whose files could not be read, each once, in the order in which that was found.
  [[nodiscard]] const std::vector<std::size_t>& broken() const noexcept;
  /// Samples that were infinite or NaN and are silence.
  [[nodiscard]] std::uint64_t non_finite() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
