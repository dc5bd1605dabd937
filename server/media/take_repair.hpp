// THREAD: any that may wait - takes that a killed daemon or a power cut left open become files again
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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

/// Looks through `folder` and the folders in it (not through links) for the "<name>.part" of a TakeWriter that nobody
/// holds any more, WAV or FLAC. Each gets a header of the length that its sound has, in whole frames, with what it said
/// of itself and its marks, and its final name: never over another file ("<name>-2.wav" then). One without a single
/// frame is removed and not told, an empty file only in the `take_folder`. What a TakeWriter did not begin is left
/// alone, and so is what another daemon writes at this moment. `stop`: asked between two files.
[[nodiscard]] std::vector<RepairedTake> repair_takes(const std::filesystem::path& folder, bool take_folder = true,
                                                     const std::function<bool()>& stop = {});

}  // namespace continuo::media
