// THREAD: test - a FLAC file as libFLAC's own decoder sees it
#pragma once

#include <FLAC/stream_decoder.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

namespace continuo::media::test {

enum class FlacFile { broken, no_md5, md5_right, md5_wrong };

inline FlacFile check_flac(const std::filesystem::path& path) {
  struct Seen {
    bool good = true, md5 = false;
  } seen;
  FLAC__StreamDecoder* decoder = FLAC__stream_decoder_new();
  REQUIRE(decoder != nullptr);
  FLAC__stream_decoder_set_md5_checking(decoder, true);
  const auto keep = [](const FLAC__StreamDecoder*, const FLAC__Frame*, const FLAC__int32* const*, void*) {
    return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
  };
  const auto info = [](const FLAC__StreamDecoder*, const FLAC__StreamMetadata* block, void* to) {
    if (block->type == FLAC__METADATA_TYPE_STREAMINFO)
      static_cast<Seen*>(to)->md5 = std::ranges::any_of(block->data.stream_info.md5sum, [](auto b) { return b != 0; });
  };
  const auto error = [](const FLAC__StreamDecoder*, FLAC__StreamDecoderErrorStatus, void* to) {
    static_cast<Seen*>(to)->good = false;
  };
  REQUIRE(FLAC__stream_decoder_init_file(decoder, path.c_str(), keep, info, error, &seen) ==
          FLAC__STREAM_DECODER_INIT_STATUS_OK);
  const bool read = FLAC__stream_decoder_process_until_end_of_stream(decoder) != 0;
  const bool right = FLAC__stream_decoder_finish(decoder) != 0;
  FLAC__stream_decoder_delete(decoder);
  if (!read || !seen.good) return FlacFile::broken;
  if (!seen.md5) return FlacFile::no_md5;
  return right ? FlacFile::md5_right : FlacFile::md5_wrong;
}

}  // namespace continuo::media::test
