#include "server/media/flac_encoder.hpp"

#include <FLAC/stream_encoder.h>

#include <algorithm>
#include <utility>

#include "server/base/check.hpp"

namespace continuo::media {
namespace {

// libFLAC's own default. Eight channels of 24 bits at 48 kHz: 0.7 % of a core, and 5 % fewer bytes than level 2 at 0.6
// %.
constexpr std::uint32_t kLevel = 5;

struct Delete {
  void operator()(FLAC__StreamEncoder* encoder) const noexcept { FLAC__stream_encoder_delete(encoder); }
};

}  // namespace

struct FlacEncoder::Impl {
  Impl(const FlacFormat& format, Write to)
      : write(std::move(to)), channels(format.channels), encoder(FLAC__stream_encoder_new()) {
    FLAC__StreamEncoder* const e = encoder.get();
    CONTINUO_CHECK(e != nullptr, "there is memory for an encoder");
    FLAC__stream_encoder_set_verify(e, false);
    FLAC__stream_encoder_set_streamable_subset(e, false);  // which not every rate is in
    FLAC__stream_encoder_set_channels(e, format.channels);
    FLAC__stream_encoder_set_bits_per_sample(e, format.bits);
    FLAC__stream_encoder_set_sample_rate(e, format.sample_rate_hz);
    FLAC__stream_encoder_set_compression_level(e, kLevel);
    FLAC__stream_encoder_set_blocksize(e, format.block);
    const auto begun = FLAC__stream_encoder_init_stream(e, take_frame, nullptr, nullptr, take_info, this);
    CONTINUO_CHECK(begun == FLAC__STREAM_ENCODER_INIT_STATUS_OK, "libFLAC has an encoder for every FlacFormat");
  }

  static FLAC__StreamEncoderWriteStatus take_frame(const FLAC__StreamEncoder* /*encoder*/, const FLAC__byte bytes[],
                                                   std::size_t count, std::uint32_t frames, std::uint32_t /*number*/,
                                                   void* self) {
    Impl& to = *static_cast<Impl*>(self);
    // Without frames it is libFLAC's head, and we have one.
    if (frames > 0 && !to.write(std::as_bytes(std::span(bytes, count)), frames)) to.failed = true;
    return to.failed ? FLAC__STREAM_ENCODER_WRITE_STATUS_FATAL_ERROR : FLAC__STREAM_ENCODER_WRITE_STATUS_OK;
  }
  static void take_info(const FLAC__StreamEncoder* /*encoder*/, const FLAC__StreamMetadata* info, void* self) {
    std::ranges::copy(std::as_bytes(std::span(info->data.stream_info.md5sum)), static_cast<Impl*>(self)->md5.begin());
  }

  bool checked(bool good) {
    CONTINUO_CHECK(good || failed, "libFLAC fails where a write does, and nowhere else");
    return !failed;
  }

  Write write;
  const std::uint32_t channels;
  bool failed = false;
  bool finished = false;
  FlacMd5 md5{};
  std::unique_ptr<FLAC__StreamEncoder, Delete> encoder;
};

FlacEncoder::FlacEncoder(const FlacFormat& format, Write write)
    : impl_(std::make_unique<Impl>(format, std::move(write))) {}

FlacEncoder::~FlacEncoder() = default;

bool FlacEncoder::encode(std::span<const std::int32_t> samples) {
  if (impl_->failed) return false;
  CONTINUO_CHECK(!impl_->finished, "nothing follows the last frame");
  static_assert(sizeof(FLAC__int32) == sizeof(std::int32_t));
  const auto frames = static_cast<std::uint32_t>(samples.size() / impl_->channels);
  return impl_->checked(FLAC__stream_encoder_process_interleaved(impl_->encoder.get(), samples.data(), frames) != 0);
}

bool FlacEncoder::finish() {
  if (impl_->failed) return false;
  impl_->finished = true;
  const bool good = impl_->checked(FLAC__stream_encoder_finish(impl_->encoder.get()) != 0);
  if (!good) impl_->md5 = {};
  return good;
}

const FlacMd5& FlacEncoder::md5() const noexcept { return impl_->md5; }

}  // namespace continuo::media
