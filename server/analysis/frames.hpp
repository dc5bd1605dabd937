// THREAD: any - samples of several channels that somebody else owns, in either order
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "rt/dsp/finite.hpp"

namespace continuo::analysis {

/// A view. Every measure of this room reads through it, in the order of frames, so that none depends on how a stream
/// was cut into views. Samples that are infinite or NaN read as 0.
class Frames {
 public:
  /// channels[c] + offset on.
  [[nodiscard]] static Frames planar(const float* const* channels, std::uint32_t channel_count, std::size_t frames,
                                     std::size_t offset = 0) noexcept {
    return {channels, nullptr, channel_count, frames, offset};
  }
  [[nodiscard]] static Frames interleaved(const float* samples, std::uint32_t channel_count,
                                          std::size_t frames) noexcept {
    return {nullptr, samples, channel_count, frames, 0};
  }
  [[nodiscard]] static Frames silence(std::uint32_t channel_count, std::size_t frames) noexcept {
    return {nullptr, nullptr, channel_count, frames, 0};
  }

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint32_t channels() const noexcept { return channels_; }

  /// One channel, frames `at` to `at + count`.
  void copy(std::uint32_t channel, std::size_t at, std::uint32_t count, float* out) const noexcept {
    if (silent()) {
      std::fill_n(out, count, 0.0f);
    } else if (planes_ != nullptr) {
      rt::dsp::copy_finite(out, planes_[channel] + offset_ + at, count);
    } else if (channels_ == 1) {
      rt::dsp::copy_finite(out, samples_ + at, count);
    } else {
      const float* from = samples_ + at * channels_ + channel;
      for (std::uint32_t i = 0; i < count; ++i) out[i] = finite(from[std::size_t{i} * channels_]);
    }
  }

  /// Channels `first` to `first + width` side by side: out[i * width + lane]; lanes beyond the last channel are 0.
  void copy_lanes(std::uint32_t first, std::uint32_t width, std::size_t at, std::uint32_t count,
                  float* out) const noexcept {
    if (silent()) {
      std::fill_n(out, std::size_t{count} * width, 0.0f);
      return;
    }
    if (planes_ == nullptr && first == 0 && width == channels_) {
      rt::dsp::copy_finite(out, samples_ + at * channels_, count * width);
      return;
    }
    for (std::uint32_t lane = 0; lane < width; ++lane) {
      const std::uint32_t c = first + lane;
      if (c >= channels_) {
        for (std::uint32_t i = 0; i < count; ++i) out[std::size_t{i} * width + lane] = 0.0f;
        continue;
      }
      const float* from = planes_ != nullptr ? planes_[c] + offset_ + at : samples_ + at * channels_ + c;
      const std::size_t step = planes_ != nullptr ? 1 : channels_;
      for (std::uint32_t i = 0; i < count; ++i) out[std::size_t{i} * width + lane] = finite(from[i * step]);
    }
  }

  /// Of frames `at` to `at + count`, all channels: how many samples were infinite or NaN.
  [[nodiscard]] std::uint64_t non_finite(std::size_t at, std::size_t count) const noexcept {
    std::uint64_t bad = 0;
    if (silent()) return bad;
    if (planes_ == nullptr) {
      const float* from = samples_ + at * channels_;
      for (std::size_t i = 0; i < count * channels_; ++i) bad += rt::dsp::is_finite(from[i]) ? 0u : 1u;
      return bad;
    }
    for (std::uint32_t c = 0; c < channels_; ++c) {
      const float* from = planes_[c] + offset_ + at;
      for (std::size_t i = 0; i < count; ++i) bad += rt::dsp::is_finite(from[i]) ? 0u : 1u;
    }
    return bad;
  }

 private:
  Frames(const float* const* planes, const float* samples, std::uint32_t channels, std::size_t count,
         std::size_t offset) noexcept
      : planes_(planes), samples_(samples), channels_(channels), count_(count), offset_(offset) {}

  [[nodiscard]] bool silent() const noexcept { return planes_ == nullptr && samples_ == nullptr; }
  static float finite(float x) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    return std::bit_cast<float>((bits & 0x7f800000u) == 0x7f800000u ? 0u : bits);
  }

  const float* const* planes_;
  const float* samples_;
  std::uint32_t channels_;
  std::size_t count_;
  std::size_t offset_;
};

}  // namespace continuo::analysis
