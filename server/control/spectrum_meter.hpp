// THREAD: the analysis thread measures, control reads under its mutex - the spectrum of one meter
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "server/analysis/spectrum.hpp"
#include "server/control/analysis.hpp"

namespace continuo::control {

class SpectrumMeter final : public Analyser {
 public:
  /// `channel`: from 0; kAll: the sum of all, divided by their number.
  static constexpr std::uint32_t kAll = ~std::uint32_t{0};
  SpectrumMeter(double sample_rate_hz, std::uint32_t channel, const analysis::SpectrumSettings& settings);

  void feed(const Sound& sound) override;
  void publish() override;

  struct Reading {
    std::vector<double> db;  // by bin; empty before the first transform
    double bin_hz = 0.0;
    rt::FrameCount end_frame = 0;
    std::uint64_t transforms = 0;
    std::uint64_t lost = 0;
  };
  /// Control strand. Copies the bins where there were more transforms than `seen`.
  [[nodiscard]] Reading read(std::uint64_t seen);

 private:
  const std::uint32_t channel_;
  analysis::Spectrum spectrum_;
  rt::FrameCount transformed_ = 0;  // end of the piece that the last transform ended in
  std::uint64_t done_ = 0;
  std::uint64_t lost_ = 0;

  std::mutex mutex_;
  Reading reading_;
};

}  // namespace continuo::control
