// THREAD: any, one at a time - how loud which frequency is
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rt/dsp/fft.hpp"
#include "rt/dsp/kernels.hpp"
#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// How much too low a sine reads that lies halfway between two bins: rectangular 3.92 dB, Hann 1.42, Blackman-Harris
/// (4 terms, -92 dB; F. J. Harris, Proc. IEEE 66/1, 1978, Table 1) 0.83, flat top (5 terms; D'Antona and Ferrero,
/// Digital Signal Processing for Measurement Systems, 2006) 0.01: the one to read levels from.
enum class Window : std::uint8_t { rectangular, hann, blackman_harris, flat_top };
enum class Averaging : std::uint8_t { none, exponential, linear };  // linear: over all since restart()

struct SpectrumSettings {
  std::uint32_t size = 4096;  // frames of one transform: a power of two, 256 to 65536
  Window window = Window::hann;
  double overlap = 0.5;  // 0 to 0.95 of a transform's frames are also the one's before
  double rate_hz = 0.0;  // instead of overlap, where above 0: so many transforms a second; may leave frames out
  Averaging averaging = Averaging::exponential;
  double time_constant_s = 0.5;  // exponential
};

/// Levels of the bins 0 to size / 2, `rate / size` apart: a sine at full scale that lies on a bin reads 0 dB there, and
/// so does a constant 1 in bin 0. Transforms are the engine's own (rt/dsp/fft): the same bits on every CPU, faster than
/// kissfft, in float: what a loud sine adds to other bins is 140 dB below it.
///
/// A transform takes the last `size` frames every so many frames, counted from the first: no value depends on how they
/// were fed. The first one comes with frame `size`.
class Spectrum {
 public:
  /// Allocates; nothing does afterwards.
  Spectrum(double sample_rate_hz, std::uint32_t channels, const SpectrumSettings& settings);

  void feed(const Frames& frames) noexcept;
  /// The average begins anew.
  void restart() noexcept;

  [[nodiscard]] std::uint32_t bins() const noexcept { return settings_.size / 2 + 1; }
  [[nodiscard]] double bin_hz(std::uint32_t bin) const noexcept { return rate_ * bin / settings_.size; }
  /// Of each channel, since the start.
  [[nodiscard]] std::uint64_t transforms() const noexcept { return transforms_; }
  /// In dB of full scale, into `db` (of bins() places); all -150 before the first transform.
  void levels(std::uint32_t channel, std::span<double> db) const noexcept;

 private:
  void transform() noexcept;
  void add(std::uint32_t channel) noexcept;

  SpectrumSettings settings_;
  double rate_;
  std::uint32_t channels_;
  std::uint64_t hop_;
  std::uint64_t left_;    // frames before the next transform
  double part_ = 1.0;     // of a new one in the average
  std::uint32_t at_ = 0;  // where the next frame goes
  std::uint64_t transforms_ = 0;
  std::uint64_t averaged_ = 0;
  rt::dsp::Fft fft_;
  const rt::dsp::Kernels* kernels_;
  rt::dsp::FloatArena cells_;
  std::vector<float> past_;           // `size` frames of each channel, around
  std::vector<float> window_;         // with the factor of a full-scale sine
  std::vector<double> averages_;      // powers, bins() of each channel
  std::vector<double> turn_, half_;   // cos and sin: into the transform's odd frequencies, and apart into two halves
  std::vector<std::uint32_t> place_;  // of bin k of the complex transform
};

}  // namespace continuo::analysis
