// THREAD: the analysis thread measures, control reads under its mutex - integrated loudness and what belongs to it
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "continuo/v1/meter.pb.h"
#include "server/analysis/clips.hpp"
#include "server/analysis/loudness.hpp"
#include "server/analysis/peak.hpp"
#include "server/analysis/true_peak.hpp"
#include "server/control/analysis.hpp"

namespace continuo::control {

/// Of the channels that it began with, whatever meter the sound comes from: those beyond do not count, those that are
/// missing are silent. What it was not given between two sounds is lost, and counted.
class MeasureMeter final : public Analyser {
 public:
  MeasureMeter(double sample_rate_hz, std::uint32_t channels);

  void feed(const Sound& sound) override;
  void publish() override;

  /// Control strand: what was measured, without its name.
  [[nodiscard]] v1::Measurement read();

 private:
  /// A tenth of a second: what is gated comes in such steps.
  [[nodiscard]] std::uint64_t steps() const;

  const double rate_;
  std::vector<const float*> channels_;  // where the sound that is fed lies
  rt::FrameCount end_frame_ = 0;        // of the last sound; 0: none yet
  analysis::Loudness loudness_;
  analysis::TruePeakMeter true_peak_;
  analysis::PeakMeter peak_;
  analysis::ClipCounter clips_;
  std::uint64_t lost_ = 0;
  std::uint64_t gated_ = 0;  // steps that are in `found_`'s gated values
  v1::Measurement found_;

  std::mutex mutex_;
  v1::Measurement told_;
};

}  // namespace continuo::control
