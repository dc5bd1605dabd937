// THREAD: audio fills, one other thread drains - a meter's sound itself, for what is too heavy for the audio thread
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

#include "rt/annotations.hpp"
#include "rt/spsc_ring.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// Pieces of a meter's sound, channel after channel, each with the engine frame that it begins at. Bound: `frames`
/// frames and as many pieces as they can be cut into; where it is full the newcomer is lost, and the next piece that
/// fits says how many frames were.
class MeterFeed {
 public:
  struct Piece {
    FrameCount first_frame = 0;  // engine frame
    std::uint32_t frames = 0;    // at most kBlockFrames
    std::uint32_t lost = 0;      // frames just before it that found no room
  };

  /// Control thread.
  MeterFeed(std::uint32_t channels, std::size_t frames) : channels_(channels) {
    std::tie(samples_in_, samples_out_) = make_ring<float>(frames * channels);
    std::tie(pieces_in_, pieces_out_) = make_ring<Piece>(frames / kLeastPiece);
  }

  [[nodiscard]] std::uint32_t channels() const noexcept RT_NONBLOCKING { return channels_; }

  /// Audio thread. Wait-free. `from(channel)`: where that channel's `frames` samples lie, at most kBlockFrames of them;
  /// null: silence.
  template <class From>
  void push(FrameCount first_frame, std::uint32_t frames, const From& from) noexcept RT_NONBLOCKING {
    const std::size_t count = std::size_t{frames} * channels_;
    if (samples_in_.space() < count || pieces_in_.space() == 0) {
      lost_ = lost_ > std::numeric_limits<std::uint32_t>::max() - frames ? std::numeric_limits<std::uint32_t>::max()
                                                                         : lost_ + frames;
      return;
    }
    const auto [head, tail] = samples_in_.room(count);
    for (std::uint32_t channel = 0; channel < channels_; ++channel) {
      const std::size_t at = std::size_t{channel} * frames;
      const float* const samples = from(channel);
      const std::size_t first = at < head.size() ? std::min<std::size_t>(frames, head.size() - at) : 0;
      if (first > 0) copy(samples, first, head.data() + at);
      if (first == frames) continue;
      copy(samples == nullptr ? nullptr : samples + first, frames - first, tail.data() + (at + first - head.size()));
    }
    samples_in_.publish(count);
    static_cast<void>(pieces_in_.try_push({first_frame, frames, std::exchange(lost_, 0)}));  // there is room
  }

  /// The other thread. Wait-free. False where nothing is ready. `samples` holds kBlockFrames of every channel; channel
  /// c's lie from c * piece.frames on.
  [[nodiscard]] bool try_pop(Piece& piece, std::span<float> samples) noexcept {
    if (!pieces_out_.try_pop(piece)) return false;
    samples_out_.read(samples.first(std::size_t{piece.frames} * channels_));
    return true;
  }
  /// The other thread: what is old and is nobody's.
  void clear() noexcept {
    Piece piece;
    while (pieces_out_.try_pop(piece)) samples_out_.skip(std::size_t{piece.frames} * channels_);
  }

 private:
  static constexpr std::size_t kLeastPiece = 8;  // frames; of smaller ones fewer fit

  static void copy(const float* from, std::size_t count, float* to) noexcept RT_NONBLOCKING {
    if (from == nullptr)
      std::fill_n(to, count, 0.0f);
    else
      std::copy_n(from, count, to);
  }

  const std::uint32_t channels_;
  RingWriter<float> samples_in_;
  RingWriter<Piece> pieces_in_;
  std::uint32_t lost_ = 0;  // the audio thread's
  RingReader<float> samples_out_;
  RingReader<Piece> pieces_out_;
};

}  // namespace continuo::rt
