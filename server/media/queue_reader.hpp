// THREAD: disk - a queue's sound from any place on: runs, one after the other and into one another
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/media/decode.hpp"
#include "server/media/queue_layout.hpp"
#include "server/media/run_reader.hpp"

namespace continuo::media {

/// From any frame on the sound is identical to having played there from the start. In a crossfade each of the two is
/// multiplied with its curve and they are added, in double, and rounded once: frame i of n has i / n of what comes in
/// and (n - i) / n of what goes out, or the square roots of these. Elsewhere samples are the run's, bit for bit.
class QueueReader {
 public:
  /// At least one segment, with `channels` or fewer; none without frames.
  QueueReader(std::vector<Segment> segments, std::uint32_t engine_rate_hz, std::uint32_t channels, bool loop,
              std::optional<Entrance> entrance = {});

  [[nodiscard]] const QueueLayout& layout() const noexcept { return layout_; }
  /// `decoder`: of the first segment's file, open already, where that is what sounds there.
  void seek(rt::FrameCount frame, std::unique_ptr<Decoder> decoder = nullptr);
  /// All of `frames`, which the queue has.
  void read(float* out, std::int64_t frames);

  /// Filling is work: a codec, another rate, two things at once.
  [[nodiscard]] bool costly() const noexcept;
  /// Of the first file that could not be read; empty while all is well.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  /// The segments whose files could not be read, each once.
  [[nodiscard]] const std::vector<std::size_t>& broken() const noexcept { return broken_; }
  [[nodiscard]] std::uint64_t non_finite() const noexcept;

 private:
  /// A run that sounds.
  struct Voice {
    std::unique_ptr<RunReader> reader;
    std::size_t first = SIZE_MAX;  // of its segments; SIZE_MAX: of none that the queue has
    rt::FrameCount begin = 0;  // of its crossfade in
    rt::FrameCount in_frames = 0;
    FadeCurve in_curve = FadeCurve::linear;
    rt::FrameCount out_from = rt::kEndless;
    rt::FrameCount out_frames = 0;
    FadeCurve out_curve = FadeCurve::linear;
  };
  [[nodiscard]] std::vector<Segment> segments_of_run(const Run& run) const;
  [[nodiscard]] Voice voice(std::size_t run) const;
  void enter_next();
  void drop_what_is_over();
  void read_voices(float* out, std::int64_t frames);
  void mix(float* out, std::int64_t frames);
  void note(const Voice& voice);
  void note_broken(const Voice& voice);

  std::vector<Segment> segments_;
  QueueLayout layout_;
  std::uint32_t rate_hz_;
  std::uint32_t channels_;
  std::optional<Entrance> entrance_;
  std::vector<Voice> voices_;  // in the order in which they came; the last one is `run_`
  std::size_t run_ = 0;
  rt::FrameCount at_ = 0;
  rt::FrameCount next_begin_ = rt::kEndless;  // of the run behind
  std::vector<float> one_;
  std::vector<double> sum_;
  std::vector<float> cycle_;  // all of it, where it is short
  std::int64_t kept_ = 0;     // frames of it
  rt::FrameCount keep_from_ = 0;
  std::string error_;
  std::vector<std::size_t> broken_;
  std::uint64_t non_finite_ = 0;  // of runs that are over
};

}  // namespace continuo::media
