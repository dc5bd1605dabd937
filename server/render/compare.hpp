// THREAD: job - two audio files, sample by sample
#pragma once

#include <cstdint>
#include <filesystem>

#include "server/base/result.hpp"
#include "server/media/probe.hpp"

namespace continuo::render {

struct Comparison {
  struct Side {
    media::MediaInfo info;
    float peak = 0.0f;  // largest absolute sample
  };
  Side a;
  Side b;
  bool identical = false;            // frames, channels, rate and every sample; the format may differ
  std::int64_t first_frame = -1;     // of the first difference, from 0; -1: no sample differs as far as both go
  std::uint32_t first_channel = 0;   // from 1
  std::uint64_t differing = 0;       // samples
  double greatest_difference = 0.0;  // linear
};

/// Reads both to their ends, each sample as the engine would hear it. Errors as media::probe; DATA_LOSS for a damaged
/// file.
[[nodiscard]] Result<Comparison> compare_files(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace continuo::render
