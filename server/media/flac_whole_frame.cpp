#include "server/media/flac_whole_frame.hpp"

#include <FLAC/stream_decoder.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "server/base/check.hpp"
#include "server/media/flac_head.hpp"

namespace continuo::media {
namespace {

struct Delete {
  void operator()(FLAC__StreamDecoder* decoder) const noexcept { FLAC__stream_decoder_delete(decoder); }
};

/// The decoder wants a stream: a head, and the frame.
struct Source {
  std::vector<std::byte> head;
  std::span<const std::byte> bytes;
  std::size_t at = 0;
  bool decoded = false;
  bool broken = false;

  std::size_t read(std::span<FLAC__byte> to) {
    const std::span<const std::byte> from =
        at < head.size() ? std::span<const std::byte>(head).subspan(at) : bytes.subspan(at - head.size());
    const std::size_t count = std::min(to.size(), from.size());
    if (count > 0) std::memcpy(to.data(), from.data(), count);
    at += count;
    return count;
  }
};

FLAC__StreamDecoderReadStatus read(const FLAC__StreamDecoder* /*decoder*/, FLAC__byte to[], std::size_t* count,
                                   void* source) {
  *count = static_cast<Source*>(source)->read(std::span(to, *count));
  return *count > 0 ? FLAC__STREAM_DECODER_READ_STATUS_CONTINUE : FLAC__STREAM_DECODER_READ_STATUS_END_OF_STREAM;
}
FLAC__StreamDecoderTellStatus tell(const FLAC__StreamDecoder* /*decoder*/, FLAC__uint64* at, void* source) {
  *at = static_cast<Source*>(source)->at;
  return FLAC__STREAM_DECODER_TELL_STATUS_OK;
}
FLAC__StreamDecoderWriteStatus take(const FLAC__StreamDecoder* /*decoder*/, const FLAC__Frame* /*frame*/,
                                    const FLAC__int32* const /*samples*/[], void* source) {
  static_cast<Source*>(source)->decoded = true;
  return FLAC__STREAM_DECODER_WRITE_STATUS_CONTINUE;
}
void fail(const FLAC__StreamDecoder* /*decoder*/, FLAC__StreamDecoderErrorStatus /*why*/, void* source) {
  static_cast<Source*>(source)->broken = true;
}

}  // namespace

std::optional<std::size_t> whole_flac_frame(const FlacFormat& format, std::span<const std::byte> bytes) {
  Source source{flac_head(format, 0, {}, {}, true), bytes};
  const std::unique_ptr<FLAC__StreamDecoder, Delete> decoder(FLAC__stream_decoder_new());
  CONTINUO_CHECK(decoder != nullptr, "there is memory for a decoder");
  const auto begun = FLAC__stream_decoder_init_stream(decoder.get(), read, nullptr, tell, nullptr, nullptr, take,
                                                      nullptr, fail, &source);
  CONTINUO_CHECK(begun == FLAC__STREAM_DECODER_INIT_STATUS_OK, "a new decoder begins");
  FLAC__uint64 end = 0;
  if (!FLAC__stream_decoder_process_until_end_of_metadata(decoder.get()) ||
      !FLAC__stream_decoder_process_single(decoder.get()) || source.broken || !source.decoded ||
      !FLAC__stream_decoder_get_decode_position(decoder.get(), &end))
    return std::nullopt;
  return static_cast<std::size_t>(end) - source.head.size();
}

}  // namespace continuo::media
