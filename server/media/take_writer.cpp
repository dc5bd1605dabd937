#include "server/media/take_writer.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <mutex>
#include <utility>
#include <vector>

#include "server/media/resample.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kBlockSamples = 65536;  // encoded and written in one go
constexpr std::size_t kGapRing = 1024;         // gaps on their way; a recorder whose gap finds it full goes on losing
constexpr int kOtherNames = 100;               // tried where the final name was taken while the take ran

}  // namespace

struct TakeWriter::Impl {
  TakeRequest request;
  WavFormat format;
  std::unique_ptr<TakeFile> file;
  std::function<Clock::time_point()> now;
  rt::Sink sink;
  rt::RingReader<float> frames;
  rt::RingReader<rt::Gap> gaps;
  std::vector<float> samples;
  std::vector<std::byte> bytes;
  std::vector<std::int64_t> marks;  // where gaps begin
  std::int64_t header_bytes = 0;
  std::int64_t at = 0;        // take frame that comes next
  std::int64_t gap_done = 0;  // frames of the front gap that were written
  std::int64_t kept = 0;      // frames in the file
  std::int64_t kept_in_header = 0;
  Clock::time_point flushed;
  bool tail_marked = false;
  bool closed = false;
  std::filesystem::path final_name;
  float peak = 0.0f;
  std::atomic<bool> abandoned{false};
  mutable std::mutex error_mutex;
  std::string error;

  void fail(std::string why) {
    const std::lock_guard lock(error_mutex);
    if (error.empty()) error = std::move(why);
  }
  void fail(int number, const char* what) { fail(disk_error(number, request.file, what).message); }

  int write_header(std::int64_t trailer_bytes = 0) {
    const std::vector<std::byte> header = wav_header(format, kept, trailer_bytes);
    std::size_t written = 0;
    const int number = file->write_at(0, header, written);
    if (number == 0) kept_in_header = kept;
    return number;
  }

  /// `count` frames of `samples` become the next frames of the file.
  void write(std::int64_t count, Dither dither) {
    const std::span<const float> span(samples.data(), static_cast<std::size_t>(count) * format.channels);
    for (const float s : span) peak = std::max(peak, std::abs(s));
    bytes.clear();
    if (dither == Dither::tpdf) {
      const std::int64_t frame = sink.start_timeline_frame.load(std::memory_order_relaxed) + at;
      encode_dithered(format.format, format.channels, frame, span, bytes);
    } else {
      encode_samples(format.format, span, bytes);
    }
    std::size_t written = 0;
    const int number = file->write_at(header_bytes + kept * format.frame_bytes(), bytes, written);
    kept += static_cast<std::int64_t>(written) / format.frame_bytes();
    at += count;
    if (number == 0) return;
    fail(number, "cannot write");
    close();
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

  /// Whatever happens, what is on the disk afterwards is a valid file, or none.
  void close() {
    closed = true;
    file->truncate(header_bytes + kept * format.frame_bytes());
    const std::vector<std::byte> trailer = wav_trailer(format, kept, marks);
    std::size_t written = 0;
    if (!trailer.empty() && file->write_at(header_bytes + kept * format.frame_bytes(), trailer, written) != 0) {
      written = 0;
      file->truncate(header_bytes + kept * format.frame_bytes());
    }
    if (const int number = write_header(static_cast<std::int64_t>(written))) fail(number, "cannot write the header of");
    publish();
  }

  void publish() {
    final_name = request.file;
    int number = file->publish(final_name, false);
    for (int i = 2; number == EEXIST && i < kOtherNames; ++i) {
      final_name = request.file.parent_path() /
                   (request.file.stem().string() + "-" + std::to_string(i) + request.file.extension().string());
      number = file->publish(final_name, false);
      if (number == 0)
        fail(request.file.string() + " was made by somebody else meanwhile; saved as " + final_name.string());
    }
    if (number == 0) return;
    fail(number, "cannot finish");
    final_name = request.file;
    final_name += ".part";
  }
};

TakeWriter::TakeWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TakeWriter::~TakeWriter() = default;

Result<std::unique_ptr<TakeWriter>> TakeWriter::open(const TakeRequest& request) {
  if (request.channels < 1 || request.channels > 128) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "channels", "a take has 1 to 128 channels");
  }
  auto file = make_take_file(request.file);
  if (!file) return file.error();
  return open(request, std::move(*file), [] { return Clock::now(); });
}

Result<std::unique_ptr<TakeWriter>> TakeWriter::open(const TakeRequest& request, std::unique_ptr<TakeFile> file,
                                                     std::function<Clock::time_point()> now) {
  auto impl = std::make_unique<Impl>();
  Impl& t = *impl;
  t.request = request;
  t.format = {request.channels, rounded_rate(request.sample_rate_hz), request.format};
  t.file = std::move(file);
  t.now = std::move(now);
  t.flushed = t.now();
  if (const int number = t.write_header()) {
    t.file->discard();
    return disk_error(number, request.file, "cannot write");
  }
  t.header_bytes = static_cast<std::int64_t>(wav_header(t.format, 0).size());
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
  if (flush && t.now() - t.flushed >= kFlushEvery) {
    t.flushed = t.now();
    if (update_header()) sync();
  }
  return false;
}

bool TakeWriter::update_header() {
  Impl& t = *impl_;
  if (t.closed || t.kept == t.kept_in_header) return false;
  const int number = t.write_header();
  if (number == 0) return true;
  t.fail(number, "cannot write the header of");
  t.close();
  return false;
}

void TakeWriter::sync(bool whole_volume) {
  const int number = whole_volume ? impl_->file->sync_volume() : impl_->file->sync();
  if (number == 0 || impl_->closed) return;
  impl_->fail(number, "cannot write");
  impl_->close();
}

std::uint64_t TakeWriter::volume() const noexcept { return impl_->file->volume(); }

void TakeWriter::abandon() noexcept { impl_->abandoned.store(true, std::memory_order_release); }

void TakeWriter::discard() noexcept {
  impl_->closed = true;
  impl_->file->discard();
}

TakeResult TakeWriter::result() const {
  return {impl_->final_name, impl_->kept, impl_->sink.lost_frames.load(std::memory_order_relaxed), impl_->peak,
          error()};
}

std::string TakeWriter::error() const {
  const std::lock_guard lock(impl_->error_mutex);
  return impl_->error;
}

rt::Sink& TakeWriter::sink() noexcept { return impl_->sink; }

}  // namespace continuo::media
