// THREAD: any - what stands in front of a FLAC take's sound: format and length, comments, room for marks
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/media/flac_encoder.hpp"
#include "server/media/flac_format.hpp"

namespace continuo::media {

inline constexpr std::size_t kFlacHeadBytes = 28'672;
inline constexpr std::size_t kFlacStreamBytes = 42;  // of them, the front that a new length alone changes

/// kFlacHeadBytes long for any of these: STREAMINFO, the comments, padding. Marks are one more comment,
/// "MARKERS=4711,9600"; while a take runs it is as long as it may become, so that a mark more moves nothing. Marks
/// beyond kMaxMarks are left out.
[[nodiscard]] std::vector<std::byte> flac_head(const FlacFormat& format, std::int64_t frames,
                                               const std::vector<std::string>& comments,
                                               std::span<const std::int64_t> marks, bool closed,
                                               const FlacMd5& md5 = {});

/// Of any FLAC file: STREAMINFO is its first block.
struct FlacStream {
  FlacFormat format;
  std::int64_t frames = 0;  // 0: not told
};
[[nodiscard]] std::optional<FlacStream> read_flac_stream(std::span<const std::byte> head);

/// The comments of any FLAC file, as they stand there; `ours`: by their place and their vendor flac_head() made
/// them.
struct FlacComments {
  bool ours = false;
  std::vector<std::string> all;
};
[[nodiscard]] FlacComments read_flac_comments(std::span<const std::byte> head);

inline constexpr std::string_view kMarkersComment = "MARKERS=";
/// In ascending order; up to the first that is none.
[[nodiscard]] std::vector<std::int64_t> marks_of_comment(std::string_view value);

}  // namespace continuo::media
