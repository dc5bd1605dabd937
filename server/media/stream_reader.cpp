#include "server/media/stream_reader.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "server/media/decode.hpp"
#include "server/media/queue_reader.hpp"
#include "server/media/resample.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockFrames = 4096;  // read and converted in one go

}  // namespace

struct StreamReader::Impl {
  std::unique_ptr<QueueReader> input;
  rt::Source source;
  rt::RingWriter<float> ring;
  std::int64_t ring_frames = 0;
  std::int64_t block = 0;
  std::uint32_t channels = 0;
  bool costly = false;
  rt::FrameCount position = 0;  // item frame that is written next
  std::int64_t written = 0;
  std::vector<float> buffer;
  std::atomic<std::uint64_t> non_finite{0};
  std::atomic<bool> primed{false};
  std::atomic<bool> ended{false};
  mutable std::mutex error_mutex;
  std::string error;
  std::vector<std::size_t> broken;

  void produce(float* out, std::int64_t frames) {
    input->read(out, frames);
    non_finite.store(input->non_finite(), std::memory_order_relaxed);
    if (input->error().empty()) return;
    const std::lock_guard lock(error_mutex);
    if (error.empty()) error = input->error();
    if (broken.size() != input->broken().size()) broken = input->broken();
  }

  /// The item's next frames go into the ring, which has room for them: straight from the decoder, unless the ring's
  /// end would divide a frame.
  void advance(std::int64_t frames) {
    if (ring.capacity() % channels == 0) {
      const auto parts = ring.room(static_cast<std::size_t>(frames) * channels);
      for (const std::span<float> part : {parts.first, parts.second}) {
        if (!part.empty()) produce(part.data(), static_cast<std::int64_t>(part.size() / channels));
      }
      ring.publish(static_cast<std::size_t>(frames) * channels);
    } else {
      buffer.resize(static_cast<std::size_t>(block) * channels);
      for (std::int64_t done = 0; done < frames; done += std::min(block, frames - done)) {
        const std::int64_t n = std::min(block, frames - done);
        produce(buffer.data(), n);
        ring.write({buffer.data(), static_cast<std::size_t>(n) * channels});
      }
    }
    position += frames;
    written += frames;
    if (position >= source.length) ended.store(true, std::memory_order_release);
    if (ended.load(std::memory_order_relaxed) || written >= ring_frames / 2)
      primed.store(true, std::memory_order_release);
  }
};

StreamReader::StreamReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
StreamReader::~StreamReader() = default;

Result<std::unique_ptr<StreamReader>> StreamReader::open(const StreamRequest& request) {
  auto impl = std::make_unique<Impl>();
  Impl& s = *impl;
  const std::uint32_t rate_hz = rounded_rate(request.engine_rate_hz);
  std::vector<Segment> segments = request.segments;
  std::unique_ptr<Decoder> decoder;
  if (segments.empty()) {
    auto opened = Decoder::open(request.file, request.known_frames);
    if (!opened) return opened.error();
    decoder = std::move(*opened);
    const MediaInfo& info = decoder->info();
    segments.push_back({.file = request.file,
                        .sample_rate_hz = info.sample_rate_hz,
                        .channels = info.channels,
                        .file_frames = info.frames,
                        .end = info.frames});
  }
  for (const Segment& segment : segments) s.channels = std::max(s.channels, segment.channels);
  s.input = std::make_unique<QueueReader>(std::move(segments), rate_hz, s.channels, request.loop, request.entrance);
  s.position = std::max<rt::FrameCount>(0, request.first_frame);

  const double wanted = request.ring_frames > 0 ? static_cast<double>(request.ring_frames)
                                                : std::clamp(request.ring_seconds, 0.0, 60.0) * rate_hz;
  auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(std::max(wanted, 256.0)) * s.channels);
  s.ring_frames = static_cast<std::int64_t>(writer.capacity() / s.channels);
  s.block = std::clamp<std::int64_t>(s.ring_frames / 4, 1, kBlockFrames);
  s.ring = std::move(writer);
  s.source.frames = std::move(reader);
  s.source.channels = s.channels;
  s.source.length = s.input->layout().loops() ? rt::kEndless : s.input->layout().length();
  s.source.audio_.position = s.position;

  if (s.position >= s.source.length) {
    s.ended = true;
    s.primed = true;
  } else {
    s.input->seek(s.position, std::move(decoder));
    s.costly = s.input->costly();
  }
  return std::unique_ptr<StreamReader>(new StreamReader(std::move(impl)));
}

std::size_t StreamReader::fill(std::size_t max_frames) {
  Impl& s = *impl_;
  std::size_t total = 0;
  while (total < max_frames && !s.ended.load(std::memory_order_relaxed)) {
    const std::int64_t n = std::min<std::int64_t>(s.block, s.source.length - s.position);
    // Whole blocks only: a player that takes 64 frames does not make the disk read 64 frames.
    if (static_cast<std::int64_t>(s.ring.space() / s.channels) < n) break;
    s.advance(n);
    total += static_cast<std::size_t>(n);
  }
  return total;
}

void StreamReader::fill_to(std::size_t frames) {
  Impl& s = *impl_;
  const std::size_t room = s.ring.space();
  const std::size_t held = (s.ring.capacity() - room) / s.channels;
  const std::size_t missing = std::min(frames - std::min(frames, held), room / s.channels);
  const std::int64_t n = std::min(static_cast<std::int64_t>(missing), s.source.length - s.position);
  if (n > 0) s.advance(n);
}

bool StreamReader::costly() const noexcept { return impl_->costly; }
bool StreamReader::primed() const noexcept { return impl_->primed.load(std::memory_order_acquire); }
std::uint64_t StreamReader::non_finite() const noexcept { return impl_->non_finite.load(std::memory_order_relaxed); }
bool StreamReader::ended() const noexcept { return impl_->ended.load(std::memory_order_acquire); }

std::string StreamReader::error() const {
  const std::lock_guard lock(impl_->error_mutex);
  return impl_->error;
}

std::vector<std::size_t> StreamReader::broken() const {
  const std::lock_guard lock(impl_->error_mutex);
  return impl_->broken;
}

rt::Source& StreamReader::source() noexcept { return impl_->source; }

}  // namespace continuo::media
