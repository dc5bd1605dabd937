// THREAD: any - what libsndfile's format numbers mean to us
#pragma once

#include <cstdint>
#include <string>

namespace continuo::media {

/// Its samples are whole numbers of at most 32 bits; or floats, or the output of a lossy codec that computes in floats.
[[nodiscard]] bool is_integer(int subformat);

/// Of one sample, where each has as many; 0: a codec that packs them.
[[nodiscard]] std::uint32_t sample_bytes(int subformat);

/// How far before a wanted frame decoding must begin, so that the codec has forgotten where it began; 0: it remembers
/// nothing.
[[nodiscard]] std::int64_t run_in_frames(int subformat);

/// "WAV 24-bit", "FLAC 16-bit", "MP3", "Ogg Vorbis", ...
[[nodiscard]] std::string format_name(int format);
/// Its two halves: "WAV", "FLAC", "MP3", ...; "24-bit", "float", "Vorbis", "MP3", ... (empty where it has no name).
[[nodiscard]] std::string container_name(int format);
[[nodiscard]] std::string sample_name(int format);

}  // namespace continuo::media
