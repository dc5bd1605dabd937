// THREAD: disk - whether an MP3 file says how long it is
#pragma once

#include "server/media/block_file.hpp"

namespace continuo::media {

/// The first frame carries a tag "Xing", "Info" (LAME's, with the encoder's delay and padding) or "VBRI" with the count
/// of frames. Without one nothing in the file says its length: what libsndfile then gives is guessed from the bytes and
/// the first frame's bit rate. Reads past the file's block and place.
[[nodiscard]] bool mp3_says_its_length(BlockFile& file);

}  // namespace continuo::media
