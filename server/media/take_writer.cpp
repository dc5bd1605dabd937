#include "server/media/take_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include "server/base/check.hpp"
#include "server/media/resample.hpp"
#include "server/media/take_part.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockSamples = 65536;  // encoded and written in one go
constexpr std::size_t kGapRing = 1024;         // gaps on their way; a recorder whose gap finds it full goes on losing

}  // namespace

struct TakeWriter::Impl {
  TakeRequest request;
  WavFormat format;             // of the ring
  std::vector<TakePart> parts;  // one, or one a channel
  std::function<Clock::time_point()> now;
  rt::Sink sink;
  rt::RingReader<float> frames;
  rt::RingReader<rt::Gap> gaps;
  std::vector<float> samples;
  std::vector<float> one_channel;
  std::vector<std::byte> bytes;
  std::vector<std::int64_t> marks;  // where gaps begin
  std::int64_t at = 0;              // take frame that comes next
  std::int64_t gap_done = 0;        // frames of the front gap that were written
  std::int64_t kept = 0;            // frames in each file
  std::int64_t kept_in_header = 0;
  std::int64_t kept_synced = 0;
  Clock::time_point flushed;
  Clock::time_point headed;
  bool tail_marked = false;
  bool closed = false;
  float peak = 0.0f;
  std::atomic<bool> abandoned{false};
  mutable std::mutex error_mutex;
  std::string error;

  void fail(std::string why) {
    const std::lock_guard lock(error_mutex);
    if (error.empty()) error = std::move(why);
  }
  void fail(int number, const char* what, const TakePart& part) {
    fail(disk_error(number, part.wanted(), what).message);
  }

  /// True: all of them are written.
  bool write_headers() {
    for (TakePart& part : parts) {
      if (const int number = part.write_header(kept)) {
        fail(number, "cannot write the header of", part);
        return false;
      }
    }
    kept_in_header = kept;
    return true;
  }

  /// `count` frames of `samples` become the next frames of the file.
  void write(std::int64_t count, Dither dither) {
    const std::span<const float> span(samples.data(), static_cast<std::size_t>(count) * format.channels);
    for (const float s : span) peak = std::max(peak, std::abs(s));
    const std::int64_t frame = sink.start_timeline_frame.load(std::memory_order_relaxed) + at;
    std::int64_t taken = count;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      bytes.clear();
      encode(parts.size() > 1 ? channel(i, span) : span, parts[i].format(), i, frame, dither);
      std::int64_t frames_written = 0;
      const int number = parts[i].write(kept, bytes, frames_written);
      taken = std::min(taken, frames_written);  // the files end together
      if (number != 0) fail(number, "cannot write", parts[i]);
    }
    kept += taken;
    at += count;
    if (taken < count) close();
  }

  std::span<const float> channel(std::size_t which, std::span<const float> all) {
    one_channel.resize(all.size() / format.channels);
    for (std::size_t i = 0; i < one_channel.size(); ++i) one_channel[i] = all[i * format.channels + which];
    return one_channel;
  }

  void encode(std::span<const float> span, const WavFormat& as, std::size_t first, std::int64_t frame, Dither dither) {
    if (dither == Dither::tpdf)
      encode_dithered(as.format, as.channels, frame, span, bytes, static_cast<std::uint32_t>(first));
    else
      encode_samples(as.format, span, bytes);
  }

  void write_silence(std::int64_t count) {
    const std::int64_t block = kBlockSamples / format.channels;
    for (; count > 0; count -= std::min(count, block)) {
      if (closed) {
        at += count;
        return;
      }
      samples.assign(static_cast<std::size_t>(std::min(count, block)) * format.channels, 0.0f);
      write(std::min(count, block), Dither::none);  // what is missing is silent
    }
  }

  /// Up to `budget` frames, so that one take's long silence does not hold up the others.
  void take_over(std::int64_t budget) {
    while (budget > 0) {
      // In this order: a gap is pushed before the first frame after it, so it is seen before that frame.
      auto ready = static_cast<std::int64_t>(frames.available() / format.channels);
      std::int64_t n = 0;
      if (const rt::Gap* gap = gaps.peek(); gap != nullptr && gap->at + gap_done <= at) {
        if (gap_done == 0 && marks.size() < kMaxMarks) marks.push_back(at);
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
          write(n, request.dither);
      }
      budget -= n;
    }
  }

  void close() {
    closed = true;
    for (TakePart& part : parts) {
      if (std::string why = part.close(kept, marks); !why.empty()) fail(std::move(why));
    }
  }
};

std::vector<std::filesystem::path> take_files(const std::filesystem::path& file, std::uint32_t split_channels) {
  if (split_channels == 0) return {file};
  std::vector<std::filesystem::path> files;
  for (std::uint32_t c = 1; c <= split_channels; ++c) {
    std::string number = std::to_string(c);
    number.insert(0, split_channels > 99 ? 3 - number.size() : number.size() < 2 ? 1 : 0, '0');
    files.push_back(file.parent_path() / (file.stem().string() + "-ch" + number + file.extension().string()));
  }
  return files;
}

TakeWriter::TakeWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TakeWriter::~TakeWriter() = default;

Result<std::unique_ptr<TakeWriter>> TakeWriter::open(const TakeRequest& request) {
  if (request.channels < 1 || request.channels > 128) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "channels", "a take has 1 to 128 channels");
  }
  std::vector<std::unique_ptr<TakeFile>> files;
  for (const std::filesystem::path& name : take_files(request.file, request.split ? request.channels : 0)) {
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
  auto impl = std::make_unique<Impl>();
  Impl& t = *impl;
  t.request = request;
  t.format = {request.channels, rounded_rate(request.sample_rate_hz), request.format, request.max_riff_bytes};
  WavFormat one = t.format;
  if (request.split) one.channels = 1;
  const auto names = take_files(request.file, request.split ? request.channels : 0);
  CONTINUO_CHECK(names.size() == files.size(), "a file for each name");
  for (std::size_t i = 0; i < files.size(); ++i) t.parts.emplace_back(names[i], one, std::move(files[i]));
  t.now = std::move(now);
  t.flushed = t.headed = t.now();
  for (TakePart& part : t.parts) {
    const int number = part.write_header(0);
    if (number == 0) continue;
    for (TakePart& each : t.parts) each.file().discard();
    return disk_error(number, part.wanted(), "cannot write");
  }
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
  t.take_over(budget);
  if (finished && t.frames.available() == 0 && t.gaps.peek() == nullptr) {
    // Lost at the very end: no frame came after the gap to bring it along.
    const std::int64_t missing = t.sink.frames_taken.load(std::memory_order_acquire) - t.at;
    if (missing > 0 && !t.tail_marked && t.marks.size() < kMaxMarks) t.marks.push_back(t.at);
    t.tail_marked = missing > 0;
    t.write_silence(std::min(missing, budget));
    if (missing > budget) return false;
    if (!t.closed) t.close();
    return true;
  }
  if (!flush) return false;
  const Clock::time_point now = t.now();
  const bool sync_due = now - t.flushed >= kFlushEvery;
  if (!sync_due && now - t.headed < kHeaderEvery) return false;
  t.headed = now;
  if (sync_due) t.flushed = now;
  if (update_header() && sync_due) sync();
  return false;
}

bool TakeWriter::update_header() {
  Impl& t = *impl_;
  if (t.closed) return false;
  if (t.kept == t.kept_in_header) return t.kept != t.kept_synced;
  if (t.write_headers()) return true;
  t.close();
  return false;
}

void TakeWriter::sync(bool whole_volume) {
  TakePart& part = impl_->parts.front();
  const int number = whole_volume || impl_->parts.size() > 1 ? part.file().sync_volume() : part.file().sync();
  if (number == 0) return told_synced();
  if (impl_->closed) return;
  impl_->fail(number, "cannot write", part);
  impl_->close();
}

void TakeWriter::told_synced() noexcept { impl_->kept_synced = impl_->kept_in_header; }

std::int64_t TakeWriter::free_bytes() const noexcept { return impl_->parts.front().file().free_bytes(); }

bool TakeWriter::closed() const noexcept { return impl_->closed; }

std::uint64_t TakeWriter::volume() const noexcept { return impl_->parts.front().file().volume(); }

void TakeWriter::abandon() noexcept { impl_->abandoned.store(true, std::memory_order_release); }

void TakeWriter::discard() noexcept {
  impl_->closed = true;
  for (TakePart& part : impl_->parts) part.file().discard();
}

TakeResult TakeWriter::result() const {
  TakeResult result{.file = impl_->parts.front().final_name(),
                    .files = {},
                    .frames = impl_->kept,
                    .lost_frames = impl_->sink.lost_frames.load(std::memory_order_relaxed),
                    .peak = impl_->peak,
                    .error = error()};
  for (const TakePart& part : impl_->parts) result.files.push_back(part.final_name());
  return result;
}

std::string TakeWriter::error() const {
  const std::lock_guard lock(impl_->error_mutex);
  return impl_->error;
}

rt::Sink& TakeWriter::sink() noexcept { return impl_->sink; }

}  // namespace continuo::media
