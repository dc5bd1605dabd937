// THREAD: any that may wait - takes that a killed daemon or a power cut left open become files again
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace continuo::media {

struct RepairedTake {
  std::filesystem::path file;  // its final name; "<name>.part", where error is not empty
  std::int64_t frames = 0;
  std::uint32_t channels = 0;
  std::uint32_t sample_rate_hz = 0;
  std::string error;  // empty: all well
};

/// Looks through `folder` and the folders in it (not through links) for "<name>.wav.part" of a TakeWriter that nobody
/// holds any more. Each gets a header of the length that its sound has, in whole frames, and its final name: never over
/// another file ("<name>-2.wav" then). One without a single frame is removed and not told. What a TakeWriter did not
/// begin is left alone, and so is what another daemon writes at this moment.
[[nodiscard]] std::vector<RepairedTake> repair_takes(const std::filesystem::path& folder);

}  // namespace continuo::media
