#include "server/media/stream_reader.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "rt/dsp/finite.hpp"
#include "server/media/decode.hpp"
#include "server/media/resample.hpp"
#include "server/media/segment_input.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockFrames = 4096;  // read and converted in one go

/// What one converter spans: neighbours of one rate.
struct Group {
  SegmentInput input;
  std::uint32_t rate_hz;
  rt::FrameCount begin;  // item frames
  rt::FrameCount end;
};

[[nodiscard]] rt::FrameCount at_rate(std::int64_t frames, std::uint32_t from_hz, std::uint32_t to_hz) {
  return frames == rt::kEndless ? frames : scale_frames(frames, from_hz, to_hz);
}

/// Calls `group(first, count, begin, end)` for each run of segments of one rate.
template <class Visit>
void for_each_group(const std::vector<Segment>& segments, std::uint32_t rate_hz, Visit&& visit) {
  rt::FrameCount begin = 0;
  for (std::size_t first = 0; first < segments.size();) {
    std::size_t count = 0;
    std::int64_t frames = 0;
    const std::uint32_t from_hz = segments[first].sample_rate_hz;
    while (first + count < segments.size() && segments[first + count].sample_rate_hz == from_hz)
      frames = sum_of_frames(frames, segments[first + count++].frames());
    const rt::FrameCount end = sum_of_frames(begin, at_rate(frames, from_hz, rate_hz));
    visit(first, count, begin, end);
    begin = end;
    first += count;
  }
}

}  // namespace

std::vector<rt::FrameCount> places_of(const std::vector<Segment>& segments, double engine_rate_hz) {
  const std::uint32_t rate_hz = rounded_rate(engine_rate_hz);
  std::vector<rt::FrameCount> places{0};
  for_each_group(segments, rate_hz, [&](std::size_t first, std::size_t count, rt::FrameCount begin, rt::FrameCount) {
    std::int64_t frames = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      frames = sum_of_frames(frames, segments[i].frames());
      places.push_back(sum_of_frames(begin, at_rate(frames, segments[i].sample_rate_hz, rate_hz)));
    }
  });
  return places;
}

struct StreamReader::Impl {
  std::vector<Group> groups;
  std::size_t group = 0;
  std::uint32_t rate_hz = 0;
  std::unique_ptr<Resampler> resampler;  // of the group; null where the rates are equal
  rt::Source source;
  rt::RingWriter<float> ring;
  std::int64_t ring_frames = 0;
  std::int64_t block = 0;
  std::uint32_t channels = 0;
  bool converts = false;
  rt::FrameCount position = 0;  // item frame that is written next
  rt::FrameCount made = 0;      // item frame that is read next: `position`, or further on in a block
  std::int64_t written = 0;
  std::vector<float> buffer;
  std::vector<float> input;
  std::atomic<std::uint64_t> non_finite{0};
  std::uint64_t overflown = 0;  // made by the converter of numbers too large for it
  std::atomic<bool> primed{false};
  std::atomic<bool> ended{false};
  mutable std::mutex error_mutex;
  std::string error;

  /// What the groups know of trouble goes where any thread sees it.
  void report() {
    std::uint64_t bad = overflown;
    for (const Group& each : groups) bad += each.input.non_finite();
    non_finite.store(bad, std::memory_order_relaxed);
    if (groups[group].input.error().empty()) return;
    const std::lock_guard lock(error_mutex);
    if (error.empty()) error = groups[group].input.error();
  }

  /// The next frame is this group's frame `at` (of the engine's rate).
  void enter(std::size_t index, rt::FrameCount at) {
    group = index;
    Group& g = groups[index];
    resampler.reset();
    if (g.rate_hz != rate_hz) {
      resampler = std::make_unique<Resampler>(g.rate_hz, rate_hz, channels);
      input.resize(static_cast<std::size_t>(kBlockFrames) * channels);
      at = resampler->start(at);
    }
    g.input.seek(at);
  }

  /// All of `frames`, which the group has.
  void produce_in_group(float* out, std::int64_t frames) {
    Group& g = groups[group];
    std::int64_t done = 0;
    if (!resampler) {
      done = g.input.read(out, frames);
    } else {
      while ((done += static_cast<std::int64_t>(
                  resampler->read(out + done * channels, static_cast<std::size_t>(frames - done)))) < frames) {
        const std::int64_t n = g.input.read(input.data(), kBlockFrames);
        if (n > 0) {
          resampler->push({input.data(), static_cast<std::size_t>(n) * channels});
        } else {
          resampler->end();
          if (resampler->available() == 0) break;
        }
      }
      if (done > 0) overflown += rt::dsp::make_finite(out, static_cast<std::uint32_t>(done * channels));
    }
    std::fill_n(out + done * channels, (frames - done) * channels, 0.0f);
  }

  void produce(float* out, std::int64_t frames) {
    while (frames > 0) {
      if (made == groups[group].end) {
        report();
        enter(group + 1, 0);
      }
      const std::int64_t n = std::min(frames, groups[group].end - made);
      produce_in_group(out, n);
      made += n;
      out += n * channels;
      frames -= n;
    }
    report();
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
  s.rate_hz = rounded_rate(request.engine_rate_hz);
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
                        .end = info.frames,
                        .loops = request.loop ? 0 : 1});
  }
  for (const Segment& segment : segments) s.channels = std::max(s.channels, segment.channels);
  for_each_group(segments, s.rate_hz,
                 [&](std::size_t first, std::size_t count, rt::FrameCount begin, rt::FrameCount end) {
                   if (begin == rt::kEndless) return;
                   const auto from = segments.begin() + static_cast<std::ptrdiff_t>(first);
                   s.converts = s.converts || from->sample_rate_hz != s.rate_hz;
                   s.groups.push_back({SegmentInput({from, from + static_cast<std::ptrdiff_t>(count)}, s.channels),
                                       from->sample_rate_hz, begin, end});
                 });
  if (decoder) s.groups.front().input.adopt(std::move(decoder));
  s.position = s.made = std::max<rt::FrameCount>(0, request.first_frame);

  const double wanted = request.ring_frames > 0 ? static_cast<double>(request.ring_frames)
                                                : std::clamp(request.ring_seconds, 0.0, 60.0) * s.rate_hz;
  auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(std::max(wanted, 256.0)) * s.channels);
  s.ring_frames = static_cast<std::int64_t>(writer.capacity() / s.channels);
  s.block = std::clamp<std::int64_t>(s.ring_frames / 4, 1, kBlockFrames);
  s.ring = std::move(writer);
  s.source.frames = std::move(reader);
  s.source.channels = s.channels;
  s.source.length = s.groups.back().end;
  s.source.audio_.position = s.position;

  if (s.position >= s.source.length) {
    s.ended = true;
    s.primed = true;
  } else {
    std::size_t group = 0;
    while (s.position >= s.groups[group].end) ++group;
    s.enter(group, s.position - s.groups[group].begin);
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

bool StreamReader::costly() const noexcept { return impl_->converts || !impl_->groups.front().input.plain(); }
bool StreamReader::primed() const noexcept { return impl_->primed.load(std::memory_order_acquire); }
std::uint64_t StreamReader::non_finite() const noexcept { return impl_->non_finite.load(std::memory_order_relaxed); }
bool StreamReader::ended() const noexcept { return impl_->ended.load(std::memory_order_acquire); }

std::string StreamReader::error() const {
  const std::lock_guard lock(impl_->error_mutex);
  return impl_->error;
}

rt::Source& StreamReader::source() noexcept { return impl_->source; }

}  // namespace continuo::media
