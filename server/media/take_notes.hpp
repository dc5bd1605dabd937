// THREAD: any - what a file of a take says of itself beside its sound, and how bext and Vorbis comments say it
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/media/wav_format.hpp"

namespace continuo::media {

inline constexpr std::size_t kMaxMarks = 1000;  // of a file; those that come later are counted (TakeResult)

struct TakeNotes {
  std::string description;
  std::string reference;  // of this file alone, at most 32 characters: file_reference()
  std::int64_t time_reference =
      0;                          // of its first frame, on the timeline, in frames of its rate; bext knows none below 0
  std::int64_t began_utc_ns = 0;  // of its first frame; 0: not known
  friend bool operator==(const TakeNotes&, const TakeNotes&) = default;
};

/// "Continuo 0.1.0"
[[nodiscard]] std::string originator();

/// 18 hexadecimal digits that no other take has.
[[nodiscard]] std::string new_take_reference();
/// "0123456789abcdef01-p002-c03": of the second part, third channel; 0 where there are none. Empty stays empty.
[[nodiscard]] std::string file_reference(const std::string& take, std::uint32_t part, std::uint32_t channel);

/// The bext chunk (EBU Tech 3285, version 2), of one length for any notes. Date and time are those of the machine's
/// time zone, as is the custom; the description says UTC to the millisecond. Loudness is told as not measured.
[[nodiscard]] std::vector<std::byte> bext_chunk(const TakeNotes& notes, const WavFormat& format, Dither dither);

/// The same as "NAME=value", by the names that ffprobe gives bext's fields.
[[nodiscard]] std::vector<std::string> vorbis_comments(const TakeNotes& notes, const WavFormat& format, Dither dither);

}  // namespace continuo::media
