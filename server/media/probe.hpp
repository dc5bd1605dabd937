// THREAD: disk - what a media file is
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "server/base/result.hpp"

namespace continuo::media {

struct MediaInfo {
  std::uint32_t channels = 0;        // 1 to 64
  std::uint32_t sample_rate_hz = 0;  // 1000 to 768000
  std::int64_t frames = 0;           // of the file's own rate
  std::string format;                // "WAV 24-bit", "FLAC 16-bit", "MP3", ...
  std::string container{};           // "WAV", "FLAC", "MP3", "Ogg", ...
  std::string sample_format{};       // "24-bit", "float", "Vorbis", "MP3", ...
  std::int64_t missing_frames = 0;   // that a WAV file's header promises and the file does not have: it is cut off
};

/// " is cut off: 666640 of 1440000 frames"
[[nodiscard]] std::string cut_off_text(const MediaInfo& info);

/// NOT_FOUND: no such file. INVALID_ARGUMENT "NOT_AUDIO": not a format that can be read, or no frames at all.
[[nodiscard]] Result<MediaInfo> probe(const std::filesystem::path& file);

/// The length at another rate, in frames: what a StreamReader at `engine_rate_hz` gives.
[[nodiscard]] std::int64_t frames_at_rate(const MediaInfo& info, double engine_rate_hz);

}  // namespace continuo::media
