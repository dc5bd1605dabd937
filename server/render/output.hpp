// THREAD: job - from the recorder's ring to the file: skips, trims, dithers, encodes, measures, writes
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rt/sink.hpp"
#include "server/base/result.hpp"
#include "server/media/sample_writer.hpp"
#include "server/render/digest.hpp"
#include "server/render/measure.hpp"
#include "server/render/tail.hpp"

namespace continuo::render {

struct OutputRequest {
  media::WavFormat format;
  media::Dither dither = media::Dither::none;
  std::int64_t skip = 0;         // frames of the recording before the render's first: the engine's latency
  std::int64_t frames = 0;       // to the end, the tail not counted
  bool trimmed_tail = false;     // then a Tail follows
  std::int64_t first_frame = 0;  // of the timeline: where the dither begins, so that a part is a part of the whole
  std::int64_t ring_frames = 0;  // that are pushed between two drains
  bool digest = false;
  bool checksums = false;
  bool loudness = false;
};

/// One render's way out. Whoever pushes to sink() calls drain() before the ring can be full.
class Output {
 public:
  /// `writer` null: to nowhere.
  Output(const OutputRequest& request, std::unique_ptr<media::SampleWriter> writer);
  ~Output();

  [[nodiscard]] rt::Sink& sink() noexcept { return sink_; }
  /// Takes all that the ring holds, and writes.
  [[nodiscard]] Result<> drain();
  /// Nothing that follows can still be kept.
  [[nodiscard]] bool complete() const noexcept;
  /// What is left, and the file its name.
  [[nodiscard]] Result<> write_rest();
  [[nodiscard]] Result<> publish();
  /// Instead: nothing is left, at once. What is pushed from here on goes nowhere.
  void discard() { writer_.reset(); }

  [[nodiscard]] std::int64_t frames() const noexcept { return kept_; }  // with the tail
  [[nodiscard]] std::int64_t tail_frames() const noexcept { return kept_ - std::min(kept_, request_.frames); }
  [[nodiscard]] bool tail_cut() const noexcept { return tail_ && tail_->cut(); }
  [[nodiscard]] float peak() const noexcept { return peak_; }
  [[nodiscard]] std::string sha256() { return sha256_ ? sha256_->hex() : std::string(); }
  [[nodiscard]] std::vector<std::uint64_t> checksums() const;
  /// Once, at the end.
  [[nodiscard]] std::optional<LoudnessReport> loudness();

 private:
  [[nodiscard]] Result<> take(std::span<const float> samples);
  [[nodiscard]] Result<> keep(std::span<const float> samples);
  [[nodiscard]] Result<> flush();

  const OutputRequest request_;
  const std::uint32_t channels_;
  std::unique_ptr<media::SampleWriter> writer_;
  rt::Sink sink_;
  rt::RingReader<float> ring_;
  rt::RingReader<rt::Gap> gaps_;
  std::int64_t at_ = 0;    // frames of the recording that were seen
  std::int64_t kept_ = 0;  // frames of the file
  float peak_ = 0.0f;
  std::optional<Tail> tail_;
  std::optional<Sha256> sha256_;
  std::optional<Checksums> checksums_;
  std::optional<LoudnessTap> loudness_;
  std::vector<std::byte> bytes_;  // encoded, not yet written
};

}  // namespace continuo::render
