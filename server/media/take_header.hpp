// THREAD: any - the header of a take's WAV file: what it says of itself, and room for its marks in front of the sound
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "server/media/take_notes.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {

/// kTakeHeaderBytes long for any notes, marks and frames; the sound begins at a page. Marks stand in front of it, so
/// that what is killed has them. `closed`: the cue chunk is as long as it must be; while a take runs it is as long as
/// it may become, so that a mark more moves nothing. Marks beyond kMaxMarks or 32 bits are left out.
[[nodiscard]] std::vector<std::byte> take_header(const WavFormat& format, std::span<const std::byte> bext,
                                                 std::span<const std::int64_t> marks, std::int64_t frames,
                                                 std::int64_t trailer_bytes, bool closed);

/// How such a header is brought up to date: in this order, so that it is valid after each step. Between `body_at` and
/// `body_end` are the cue points, which a reader passes over until the front says that they are there.
struct TakeHeaderParts {
  std::size_t body_at = 0;
  std::size_t body_end = 0;  // then the data chunk's own header
};
[[nodiscard]] TakeHeaderParts take_header_parts(const WavFormat& format, std::span<const std::byte> bext);

/// The marks in a header's WavChunks::before_data, of a take that was cut off, too: up to the first that is none.
[[nodiscard]] std::vector<std::int64_t> marks_in(std::span<const std::byte> before_data);

}  // namespace continuo::media
