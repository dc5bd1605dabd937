// THREAD: the analysis thread measures, control reads under its mutex - the kinds of one meter that subscriptions show
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "continuo/v1/meter.pb.h"
#include "server/analysis/ballistics.hpp"
#include "server/analysis/clips.hpp"
#include "server/analysis/loudness_windows.hpp"
#include "server/analysis/peak.hpp"
#include "server/analysis/silence.hpp"
#include "server/analysis/stereo.hpp"
#include "server/analysis/true_peak.hpp"
#include "server/control/analysis.hpp"

namespace continuo::control {

struct KindSettings {
  std::vector<v1::MeterKind> kinds;
  double decay_db_per_s = 20.0;
  double hold_s = 1.0;
  double silence_db = -60.0;
};

/// One value a meter, not one a channel.
[[nodiscard]] bool is_of_meter(v1::MeterKind kind);

/// What covers both, of one channel: sums of sums, the greater of maxima, else the newest. Nothing: it was not
/// measured.
[[nodiscard]] std::optional<float> folded(v1::MeterKind kind, std::optional<float> earlier, std::optional<float> later);

/// Measured once, for all who ask for the same of the same meter; each reads at its own rate.
class KindMeter final : public Analyser {
 public:
  KindMeter(double sample_rate_hz, std::uint32_t channels, const KindSettings& settings);

  void feed(const Sound& sound) override;
  void publish() override;

  /// One of a kind's values; nothing where it is not measured.
  using Value = std::optional<float>;
  struct Reading {
    std::vector<std::vector<Value>> kinds;  // in the order of the settings; by channel, or one
    rt::FrameCount end_frame = 0;
    std::uint64_t frames = 0;  // since the last time; 0: nothing new, the values are those of before
  };
  /// Control strand. What one of those who read has not been told: levels as they stand, maxima and sums from when it
  /// came on.
  class Reader {
   public:
    explicit Reader(std::shared_ptr<KindMeter> meter);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    /// Maxima and sums begin anew, for they are the caller's from now on.
    [[nodiscard]] Reading take();

   private:
    friend class KindMeter;
    const std::shared_ptr<KindMeter> meter_;
    Reading reading_;  // under the meter's mutex
  };

 private:
  [[nodiscard]] bool wants(v1::MeterKind kind) const;
  [[nodiscard]] Value level(v1::MeterKind kind, std::uint32_t channel) const;

  const KindSettings settings_;
  const double rate_;
  const std::uint32_t channels_;
  std::optional<analysis::PeakMeter> peak_;
  std::optional<analysis::VuMeter> vu_;
  std::optional<analysis::PpmMeter> ppm_1_, ppm_2_;
  std::vector<analysis::ClipCounter> clips_;         // by channel
  std::vector<analysis::SilenceDetector> silences_;  // by channel
  std::optional<analysis::TruePeakMeter> true_peak_;
  std::optional<analysis::LoudnessWindows> loudness_;
  std::optional<analysis::StereoMeter> stereo_;
  std::optional<double> momentary_;  // the highest since the last publish()
  std::uint64_t frames_ = 0;         // fed since then
  rt::FrameCount end_frame_ = 0;

  std::mutex mutex_;
  std::vector<Reader*> readers_;
};

}  // namespace continuo::control
