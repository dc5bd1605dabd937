#include "server/media/stream_reader.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "rt/dsp/finite.hpp"
#include "server/media/decode.hpp"
#include "server/media/resample.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockFrames = 4096;       // read and converted in one go
constexpr std::int64_t kShortLoopFrames = 16384;  // a loop up to this long is kept in memory: no seek a round

}  // namespace

struct StreamReader::Impl {
  std::unique_ptr<Decoder> decoder;
  std::unique_ptr<Resampler> resampler;  // null where the rates are equal
  std::vector<float> short_loop;         // the whole file, if it is a short loop
  rt::Source source;
  rt::RingWriter<float> ring;
  std::int64_t ring_frames = 0;
  std::int64_t block = 0;
  std::int64_t file_frames = 0;
  std::uint32_t channels = 0;
  bool loop = false;
  bool failed = false;          // silence from here to the end
  bool floating = false;        // the file may hold what is no number
  std::int64_t input_at = 0;    // file frame that is read next; beyond file_frames in a loop's later rounds
  rt::FrameCount position = 0;  // item frame that is written next
  std::int64_t written = 0;
  std::vector<float> buffer;
  std::vector<float> input;
  std::atomic<std::uint64_t> non_finite{0};
  std::atomic<bool> primed{false};
  std::atomic<bool> ended{false};
  mutable std::mutex error_mutex;
  std::string error;

  void fail(std::string why) {
    failed = true;
    const std::lock_guard lock(error_mutex);
    error = std::move(why);
  }

  /// Before anything remembers it: a converter, the engine.
  void clean(float* samples, std::int64_t frames) {
    if (!floating || frames <= 0) return;
    const std::uint32_t bad = rt::dsp::make_finite(samples, static_cast<std::uint32_t>(frames * channels));
    if (bad != 0) non_finite.fetch_add(bad, std::memory_order_relaxed);
  }

  [[nodiscard]] std::int64_t in_file(std::int64_t at) const {
    return loop ? at % file_frames : std::min(at, file_frames);
  }

  void seek_input(std::int64_t at) {
    input_at = at;
    if (short_loop.empty() && !decoder->seek(in_file(at))) fail(decoder->error());
  }

  /// All of `frames`, but for the end of an item that is no loop. Silence after a failure.
  std::int64_t read_input(float* out, std::int64_t frames) {
    if (!loop) frames = std::min(frames, file_frames - input_at);
    for (std::int64_t done = 0; done < frames;) {
      float* to = out + done * channels;
      std::int64_t n = frames - done;
      if (failed) {
        std::fill_n(to, n * channels, 0.0f);
      } else {
        const std::int64_t at = in_file(input_at);
        n = std::min(n, file_frames - at);
        if (!short_loop.empty()) {
          std::copy_n(short_loop.data() + at * channels, n * channels, to);
        } else {
          if (at == 0 && input_at > 0 && !decoder->seek(0)) fail(decoder->error());
          n = failed ? 0 : static_cast<std::int64_t>(decoder->read(to, static_cast<std::size_t>(n)));
          if (n == 0 && !failed) fail(decoder->error());
          clean(to, n);
        }
      }
      done += n;
      input_at += n;
    }
    return std::max<std::int64_t>(0, frames);
  }

  void produce(float* out, std::int64_t frames) {
    std::int64_t done = 0;
    if (!resampler) {
      done = read_input(out, frames);
    } else {
      while ((done += static_cast<std::int64_t>(
                  resampler->read(out + done * channels, static_cast<std::size_t>(frames - done)))) < frames) {
        const std::int64_t n = read_input(input.data(), kBlockFrames);
        if (n > 0) {
          resampler->push({input.data(), static_cast<std::size_t>(n) * channels});
        } else {
          resampler->end();
          if (resampler->available() == 0) break;
        }
      }
    }
    if (resampler) clean(out, done);  // of the largest numbers it may make what is none
    std::fill_n(out + done * channels, (frames - done) * channels, 0.0f);
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
  auto opened = Decoder::open(request.file, request.known_frames);
  if (!opened) return opened.error();
  auto impl = std::make_unique<Impl>();
  Impl& s = *impl;
  s.decoder = std::move(*opened);
  const MediaInfo& info = s.decoder->info();
  const std::uint32_t rate = rounded_rate(request.engine_rate_hz);
  s.channels = info.channels;
  s.file_frames = info.frames;
  s.floating = s.decoder->floating();
  s.loop = request.loop;
  s.position = std::max<rt::FrameCount>(0, request.first_frame);

  const double wanted = request.ring_frames > 0 ? static_cast<double>(request.ring_frames)
                                                : std::clamp(request.ring_seconds, 0.0, 60.0) * rate;
  auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(std::max(wanted, 256.0)) * s.channels);
  s.ring_frames = static_cast<std::int64_t>(writer.capacity() / s.channels);
  s.block = std::clamp<std::int64_t>(s.ring_frames / 4, 1, kBlockFrames);
  s.ring = std::move(writer);
  s.source.frames = std::move(reader);
  s.source.channels = s.channels;
  s.source.length = s.loop ? rt::kEndless : frames_at_rate(info, request.engine_rate_hz);
  s.source.audio_.position = s.position;

  if (s.position >= s.source.length) {
    s.ended = true;
    s.primed = true;
    return std::unique_ptr<StreamReader>(new StreamReader(std::move(impl)));
  }
  if (s.loop && s.file_frames <= kShortLoopFrames) {
    std::vector<float> whole(static_cast<std::size_t>(s.file_frames) * s.channels);
    if (s.decoder->read(whole.data(), static_cast<std::size_t>(s.file_frames)) <
        static_cast<std::size_t>(s.file_frames)) {
      s.fail(s.decoder->error());
    }
    s.clean(whole.data(), s.file_frames);
    s.short_loop = std::move(whole);
  }
  if (info.sample_rate_hz != rate) {
    s.resampler = std::make_unique<Resampler>(info.sample_rate_hz, rate, s.channels);
    s.input.resize(static_cast<std::size_t>(kBlockFrames) * s.channels);
    s.seek_input(s.resampler->start(s.position));
  } else {
    s.seek_input(s.position);
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

bool StreamReader::costly() const noexcept { return impl_->resampler || !impl_->decoder->plain(); }
bool StreamReader::primed() const noexcept { return impl_->primed.load(std::memory_order_acquire); }
std::uint64_t StreamReader::non_finite() const noexcept { return impl_->non_finite.load(std::memory_order_relaxed); }
bool StreamReader::ended() const noexcept { return impl_->ended.load(std::memory_order_acquire); }

std::string StreamReader::error() const {
  const std::lock_guard lock(impl_->error_mutex);
  return impl_->error;
}

rt::Source& StreamReader::source() noexcept { return impl_->source; }

}  // namespace continuo::media
