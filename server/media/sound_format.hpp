// THREAD: any - what libsndfile's format numbers mean to us
#pragma once

#include <cstdint>
#include <string>

namespace continuo::media {

/// Its samples are whole numbers of at most 32 bits; or floats, or the output of a lossy codec that computes in floats.
[[nodiscard]] bool is_integer(int subformat);

/// How far before a wanted frame decoding must begin, so that the codec has forgotten where it began; 0: it remembers
/// nothing.
[[nodiscard]] std::int64_t run_in_frames(int subformat);

/// "WAV 24-bit", "FLAC 16-bit", "MP3", "Ogg Vorbis", ...
[[nodiscard]] std::string format_name(int format);

}  // namespace continuo::media
