// THREAD: job - what broadcast wants to know of a sound
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "server/analysis/frames.hpp"
#include "server/analysis/loudness.hpp"
#include "server/analysis/true_peak.hpp"
#include "server/base/result.hpp"
#include "server/media/probe.hpp"

namespace continuo::render {

/// In LUFS, LU and dB; -150 is silence. Absent: the sound is too short (400 ms, 3 s), or nothing of it is above the
/// absolute gate (-70 LUFS), so that it has no integrated loudness.
struct LoudnessReport {
  std::optional<double> integrated_lufs;
  std::optional<double> range_lu;
  double max_momentary_lufs = 0.0;
  double max_short_term_lufs = 0.0;
  std::vector<double> true_peaks_db;  // by channel
  [[nodiscard]] double true_peak_db() const;
};

/// Of a part of a session.
struct StemReport {
  std::string node;
  std::uint32_t channels = 0;
  LoudnessReport loudness;
};

/// The loudness report of samples as they come by.
class LoudnessTap {
 public:
  /// `weights`: one a channel (analysis/layout.hpp).
  LoudnessTap(double sample_rate_hz, const std::vector<double>& weights)
      : loudness_(sample_rate_hz, weights), peak_(sample_rate_hz, static_cast<std::uint32_t>(weights.size())) {}
  /// As many channels take part as there are weights.
  void feed(const analysis::Frames& frames) noexcept {
    loudness_.feed(frames);
    peak_.feed(frames);
  }
  /// Once, after the last sample.
  [[nodiscard]] LoudnessReport finish();

 private:
  analysis::Loudness loudness_;
  analysis::TruePeakMeter peak_;
};

struct MeasureOptions {
  std::string layout{};       // analysis::channel_weights(); empty: as the number of channels suggests
  double silence_db = -60.0;  // sample peaks at or below it are quiet
  double silence_s = 1.0;     // quiet for so long is a silence
  const std::atomic<bool>* cancelled = nullptr;
};

struct FileMeasure {
  media::MediaInfo info;
  std::string layout;
  LoudnessReport loudness;
  std::vector<double> peaks_db;  // of samples, by channel
  std::uint64_t clipped_samples = 0;
  std::uint64_t clipped_runs = 0;  // of 3 samples and more
  double leading_silence_s = 0.0;  // quiet, however short
  double trailing_silence_s = 0.0;
  double silence_s = 0.0;  // of all silences
  std::uint64_t silences = 0;
  std::uint64_t non_finite = 0;  // samples that were infinite or NaN, and count as 0
  [[nodiscard]] double duration_s() const;
  [[nodiscard]] double peak_db() const;
};

/// Reads it to its end. Errors as media::probe; INVALID_ARGUMENT "LAYOUT" where the layout is not for its channels,
/// "RATE" below 8 kHz; DATA_LOSS for a damaged file; ABORTED.
[[nodiscard]] Result<FileMeasure> measure_file(const std::filesystem::path& file, const MeasureOptions& options);

}  // namespace continuo::render
