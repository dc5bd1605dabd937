// THREAD: disk - what a file's header promises, and the file may not have
#pragma once

#include <cstdint>

#include "server/media/block_file.hpp"

namespace continuo::media {

/// How many bytes the samples of a RIFF, RF64, BW64, Wave64 or AIFF file were to have, where the file ends before. 0
/// for a whole one, for any other file, and where the header does not say: a writer that could not seek leaves 0, all
/// ones, or the greatest number it dares (sox: 0x7ffff000). Reads past the file's block and place.
[[nodiscard]] std::int64_t promised_data_bytes(BlockFile& file);

}  // namespace continuo::media
