#include "server/media/take_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include "server/media/flac_format.hpp"
#include "server/media/resample.hpp"
#include "server/media/take_parts.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockSamples = 65536;  // encoded and written in one go
constexpr std::size_t kGapRing = 1024;         // gaps on their way; a recorder whose gap finds it full goes on losing

WavFormat shape_of(const TakeRequest& request) {
  return {request.channels, rounded_rate(request.sample_rate_hz), request.format, request.max_riff_bytes};
}

}  // namespace

struct TakeWriter::Impl {
  Impl(const TakeRequest& asked, const WavFormat& shape) : request(asked), format(shape), parts(asked, shape) {}

  const TakeRequest request;
  const WavFormat format;  // of the ring
  TakeParts parts;
  std::function<Clock::time_point()> now;
  rt::Sink sink;
  rt::RingReader<float> frames;
  rt::RingReader<rt::Gap> gaps;
  std::vector<float> samples;
  std::int64_t at = 0;        // take frame that comes next
  std::int64_t gap_done = 0;  // frames of the front gap that were written
  std::int64_t kept_in_header = 0;
  std::int64_t kept_synced = 0;
  Clock::time_point flushed;
  Clock::time_point headed;
  bool tail_marked = false;
  std::atomic<bool> closed{false};
  float peak = 0.0f;
  std::atomic<bool> abandoned{false};
  mutable std::mutex place_mutex;
  std::optional<TakePlace> place;

  /// Once the audio thread has begun.
  void find_place() {
    if (place || !sink.started.load(std::memory_order_acquire)) return;
    const std::int64_t taken = sink.frames_taken.load(std::memory_order_relaxed);
    const std::int64_t before = std::max<std::int64_t>(0, sink.begun_at.load(std::memory_order_relaxed));
    const rt::FrameCount engine = sink.start_engine_frame.load(std::memory_order_relaxed);
    const rt::FrameCount timeline = sink.start_timeline_frame.load(std::memory_order_relaxed);
    TakePlace found{timeline, utc_before(taken - before)};
    if (request.place) found = request.place(engine, timeline);
    parts.set_place(found);
    const std::lock_guard lock(place_mutex);
    place = found;
  }
  [[nodiscard]] std::int64_t utc_before(std::int64_t frames_ago) const {
    using Ns = std::chrono::nanoseconds;
    const Ns utc = std::chrono::duration_cast<Ns>(std::chrono::system_clock::now().time_since_epoch());
    return utc.count() - static_cast<std::int64_t>(1e9 * static_cast<double>(frames_ago) / request.sample_rate_hz);
  }

  /// `count` frames of `samples` become the next frames of the take.
  void write(std::int64_t count, bool hole) {
    const std::span<const float> span(samples.data(), static_cast<std::size_t>(count) * format.channels);
    for (const float s : span) peak = std::max(peak, std::abs(s));
    const std::int64_t frame = sink.start_timeline_frame.load(std::memory_order_relaxed) + at;
    at += count;
    if (!parts.append(span, frame, hole ? Dither::none : request.dither, hole)) close();
  }

  void write_silence(std::int64_t count) {
    const std::int64_t block = kBlockSamples / format.channels;
    for (; count > 0; count -= std::min(count, block)) {
      if (closed) {
        at += count;
        return;
      }
      samples.assign(static_cast<std::size_t>(std::min(count, block)) * format.channels, 0.0f);
      write(std::min(count, block), true);  // what is missing is silent
    }
  }

  /// Up to `budget` frames, so that one take's long silence does not hold up the others.
  void take_over(std::int64_t budget) {
    while (budget > 0) {
      // In this order: a gap is pushed before the first frame after it, so it is seen before that frame.
      auto ready = static_cast<std::int64_t>(frames.available() / format.channels);
      std::int64_t n = 0;
      if (const rt::Gap* gap = gaps.peek(); gap != nullptr && gap->at + gap_done <= at) {
        if (gap_done == 0 && !closed) parts.mark();
        n = std::min(gap->length - gap_done, budget);
        write_silence(n);
        gap_done += n;
        if (gap_done >= gap->length) {
          gaps.skip(1);
          gap_done = 0;
        }
      } else {
        if (gap != nullptr) ready = std::min(ready, gap->at - at);
        n = std::min({ready, budget, kBlockSamples / format.channels});
        if (n == 0) return;
        samples.resize(static_cast<std::size_t>(n) * format.channels);
        frames.read(samples);
        if (closed)
          at += n;
        else
          write(n, false);
      }
      budget -= n;
    }
  }

  void close() {
    closed = true;
    parts.close();
  }
};

TakeWriter::TakeWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TakeWriter::~TakeWriter() = default;

Result<std::unique_ptr<TakeWriter>> TakeWriter::open(const TakeRequest& request) {
  if (const Result<> possible = check_take(request); !possible) return possible.error();
  std::vector<std::unique_ptr<TakeFile>> files;
  for (const std::filesystem::path& name : TakeParts(request, shape_of(request)).names_of(1)) {
    auto file = request.make ? request.make(name) : make_take_file(name);
    if (!file) {
      for (auto& made : files) made->discard();
      return file.error();
    }
    files.push_back(std::move(*file));
  }
  return open(request, std::move(files), [] { return Clock::now(); });
}

Result<std::unique_ptr<TakeWriter>> TakeWriter::open(const TakeRequest& request, std::unique_ptr<TakeFile> file,
                                                     std::function<Clock::time_point()> now) {
  std::vector<std::unique_ptr<TakeFile>> files;
  files.push_back(std::move(file));
  return open(request, std::move(files), std::move(now));
}

Result<std::unique_ptr<TakeWriter>> TakeWriter::open(const TakeRequest& request,
                                                     std::vector<std::unique_ptr<TakeFile>> files,
                                                     std::function<Clock::time_point()> now) {
  auto impl = std::make_unique<Impl>(request, shape_of(request));
  Impl& t = *impl;
  t.now = std::move(now);
  t.flushed = t.headed = t.now();
  if (const Result<> begun = t.parts.begin(std::move(files)); !begun) return begun.error();
  const double wanted = std::max(256.0, std::clamp(request.ring_seconds, 0.0, 60.0) * request.sample_rate_hz);
  auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(wanted) * request.channels);
  auto [gap_writer, gap_reader] = rt::make_ring<rt::Gap>(kGapRing);
  t.sink.frames = std::move(writer);
  t.sink.gaps = std::move(gap_writer);
  t.sink.channels = request.channels;
  t.sink.limit = request.limit;
  t.frames = std::move(reader);
  t.gaps = std::move(gap_reader);
  return std::unique_ptr<TakeWriter>(new TakeWriter(std::move(impl)));
}

bool TakeWriter::drain(bool flush) {
  Impl& t = *impl_;
  const bool finished = t.sink.finished.load(std::memory_order_acquire) || t.abandoned.load(std::memory_order_acquire);
  const auto budget = static_cast<std::int64_t>(t.frames.capacity() / t.format.channels);
  t.find_place();
  t.take_over(budget);
  if (finished && t.frames.available() == 0 && t.gaps.peek() == nullptr) {
    // Lost at the very end: no frame came after the gap to bring it along.
    const std::int64_t missing = t.sink.frames_taken.load(std::memory_order_acquire) - t.at;
    if (missing > 0 && !t.tail_marked && !t.closed) t.parts.mark();
    t.tail_marked = missing > 0;
    t.write_silence(std::min(missing, budget));
    if (missing > budget) return false;
    if (!t.closed) t.close();
    return t.parts.all_named();
  }
  if (t.closed) return false;
  t.parts.look_ahead();
  if (!flush) return false;
  const Clock::time_point now = t.now();
  const bool sync_due = now - t.flushed >= flush_every();
  if (!sync_due && now - t.headed < kHeaderEvery) return false;
  t.headed = now;
  if (sync_due) {
    t.flushed = now;
    look();
  }
  if (update_header() && sync_due) sync();
  return false;
}

bool TakeWriter::update_header() {
  Impl& t = *impl_;
  if (t.closed) return false;
  const std::int64_t kept = t.parts.frames();
  if (kept == t.kept_in_header) return kept != t.kept_synced;
  if (!t.parts.update()) {
    t.close();
    return false;
  }
  t.kept_in_header = kept;
  return true;
}

void TakeWriter::look() {
  if (!impl_->closed && !impl_->parts.look()) impl_->close();
}

void TakeWriter::sync(bool whole_volume) {
  const int number = impl_->parts.sync(whole_volume);
  if (number == 0) return told_synced();
  if (impl_->closed) return;
  impl_->parts.fail(disk_error(number, impl_->parts.wanted(), "cannot write").message);
  impl_->close();
}

void TakeWriter::told_synced() noexcept { impl_->kept_synced = impl_->kept_in_header; }

std::chrono::nanoseconds TakeWriter::flush_every() const noexcept {
  if (impl_->request.container != Container::flac) return kFlushEvery;
  const double block = flac_block(impl_->format.sample_rate_hz) / impl_->request.sample_rate_hz;
  const std::chrono::nanoseconds sooner(static_cast<std::int64_t>(block * 1e9) + 10'000'000);
  return std::max<std::chrono::nanoseconds>(kHeaderEvery, kFlushEvery - sooner);
}

std::int64_t TakeWriter::free_bytes() const noexcept { return impl_->parts.free_bytes(); }

bool TakeWriter::closed() const noexcept { return impl_->closed && impl_->parts.all_named(); }

std::uint64_t TakeWriter::volume() const noexcept { return impl_->parts.volume(); }

void TakeWriter::abandon() noexcept { impl_->abandoned.store(true, std::memory_order_release); }

void TakeWriter::discard() noexcept {
  impl_->closed = true;
  impl_->parts.discard();
}

TakeResult TakeWriter::result() const {
  TakeResult result;
  result.files = impl_->parts.names();
  result.file = result.files.front();
  result.frames = impl_->parts.frames();
  result.lost_frames = impl_->sink.lost_frames.load(std::memory_order_relaxed);
  result.unmarked_gaps = impl_->parts.unmarked();
  result.peak = impl_->peak;
  result.error = error();
  if (const auto known = place()) result.place = *known;
  return result;
}

std::string TakeWriter::error() const { return impl_->parts.error(); }

std::vector<std::filesystem::path> TakeWriter::files() const { return impl_->parts.names(); }

std::optional<TakePlace> TakeWriter::place() const {
  const std::lock_guard lock(impl_->place_mutex);
  return impl_->place;
}

rt::Sink& TakeWriter::sink() noexcept { return impl_->sink; }

}  // namespace continuo::media
