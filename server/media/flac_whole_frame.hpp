// THREAD: any - where a frame of FLAC ends, by libFLAC
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "server/media/flac_format.hpp"

namespace continuo::media {

/// The length of the frame that `bytes` begin with, if all of it is there and as it was written. Whatever follows it:
/// the frame's CRC alone doesn't tell, as zeros behind it leave it right.
[[nodiscard]] std::optional<std::size_t> whole_flac_frame(const FlacFormat& format, std::span<const std::byte> bytes);

}  // namespace continuo::media
