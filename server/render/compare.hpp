// THREAD: job - two audio files, sample by sample
#pragma once

#include <cstdint>
#include <filesystem>
#include <variant>

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
  std::int64_t offset = 0;           // frame i of a was compared with frame i + offset of b
  std::int64_t compared = 0;         // frames that both have
  bool offset_wanted = false;        // then equal lengths are no part of `identical`, and something must be compared
  bool offset_found = true;          // by FindOffset; where not, it is 0
};

struct FindOffset {};
/// By how many frames b begins later; less than 0: a does. Or to be found, see find_offset().
using Offset = std::variant<std::monostate, std::int64_t, FindOffset>;

/// Reads both to their ends, each sample as the engine would hear it. Errors as media::probe; DATA_LOSS for a damaged
/// file.
[[nodiscard]] Result<Comparison> compare_files(const std::filesystem::path& a, const std::filesystem::path& b,
                                               const Offset& offset = {});

}  // namespace continuo::render
