// A take's FLAC file. Frames of FLAC are written whole, as soon as they are full: what a kill costs is the block that
// was not, and the one that waited for the next block's first frame.
#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "server/media/flac_encoder.hpp"
#include "server/media/flac_head.hpp"
#include "server/media/take_part.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kRemembered = 1024;  // blocks: more than one append() brings, so that a cut finds its place

class FlacPart final : public TakePart {
 public:
  FlacPart(std::filesystem::path name, const WavFormat& format, Dither dither, std::unique_ptr<TakeFile> file)
      : TakePart(std::move(name), format, dither, std::move(file)),
        flac_{format.channels, format.sample_rate_hz, 8 * bytes_per_sample(format.format),
              flac_block(format.sample_rate_hz)},
        encoder_(flac_,
                 [this](std::span<const std::byte> frame, std::uint32_t frames) { return keep(frame, frames); }) {}

  [[nodiscard]] int begin(const TakeNotes& notes) override {
    notes_ = notes;
    return write(0, head({}, false));
  }

  [[nodiscard]] int update(const TakeNotes& notes, std::span<const std::int64_t> marks) override {
    return update(notes, marks, false);
  }

  [[nodiscard]] int append(std::span<const std::byte> bytes) override {
    widen(bytes);
    if (error_ != 0) return error_;
    taken_ += static_cast<std::int64_t>(samples_.size() / flac_.channels);
    if (!encoder_.encode(samples_)) taken_ = frames_;  // the rest is never to be written
    return error_;
  }

  [[nodiscard]] int flush() override {
    if (error_ == 0 && !encoder_.finish()) taken_ = frames_;
    return error_;
  }

  [[nodiscard]] std::int64_t frames() const noexcept override { return taken_; }

 private:
  struct Place {
    std::int64_t frame;
    std::size_t at;
  };

  [[nodiscard]] int finish(std::int64_t frames, const TakeNotes& notes, std::span<const std::int64_t> marks) override {
    // Whoever cuts has flushed, and cuts where another file of this take broke off: at a block of a moment ago.
    const auto place = std::ranges::find(places_, frames, &Place::frame);
    if (frames < frames_ && place != places_.end()) {
      frames_ = frames;
      end_ = place->at;
      md5_ = {};
    } else {
      md5_ = encoder_.md5();
    }
    file().truncate(static_cast<std::int64_t>(end_));
    (void)update(notes, marks, false);
    return update(notes, marks, true);
  }

  /// A whole frame of FLAC, behind those before.
  [[nodiscard]] bool keep(std::span<const std::byte> frame, std::uint32_t frames) {
    error_ = write(end_, frame);
    if (error_ != 0) return false;
    const bool first = frames_ == 0;
    places_.push_back({frames_, end_});
    if (places_.size() > kRemembered) places_.pop_front();
    end_ += frame.size();
    frames_ += frames;
    // A length of 0 means one that is not known: no file is that for long.
    if (first) error_ = write(0, std::span<const std::byte>(head({}, false)).first(kFlacStreamBytes));
    return error_ == 0;
  }

  [[nodiscard]] std::vector<std::byte> head(std::span<const std::int64_t> marks, bool closed) const {
    return flac_head(flac_, frames_, vorbis_comments(notes_, format_, dither_), marks, closed, md5_);
  }

  /// A new length changes the front alone. Else what lies behind comes before the page that tells of it.
  [[nodiscard]] int update(const TakeNotes& notes, std::span<const std::int64_t> marks, bool closed) {
    const bool more = !(notes == notes_) || marks.size() != marks_written_ || (closed && !marks.empty());
    notes_ = notes;
    const std::vector<std::byte> all = head(marks, closed);
    const std::span<const std::byte> bytes = all;
    if (!more) return write(0, bytes.first(kFlacStreamBytes));
    constexpr std::size_t kPage = 4096;
    if (const int number = write(kPage, bytes.subspan(kPage))) return number;
    marks_written_ = marks.size();
    return write(0, bytes.first(kPage));
  }

  void widen(std::span<const std::byte> bytes) {
    const std::size_t size = bytes_per_sample(format_.format);
    samples_.clear();
    for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
      std::uint32_t word = 0;
      for (std::size_t k = 0; k < size; ++k)
        word |= std::to_integer<std::uint32_t>(bytes[at + k]) << (8 * (4 - size + k));
      samples_.push_back(static_cast<std::int32_t>(word) >> (8 * (4 - size)));
    }
  }

  const FlacFormat flac_;
  FlacEncoder encoder_;
  FlacMd5 md5_{};
  TakeNotes notes_;
  std::vector<std::int32_t> samples_;  // of one append()
  std::deque<Place> places_;
  std::int64_t frames_ = 0;  // in the file
  std::int64_t taken_ = 0;   // and those that the encoder holds
  int error_ = 0;
  std::size_t end_ = kFlacHeadBytes;
  std::size_t marks_written_ = 0;
};

}  // namespace

std::unique_ptr<TakePart> make_flac_part(std::filesystem::path name, const WavFormat& format, Dither dither,
                                         std::unique_ptr<TakeFile> file) {
  return std::make_unique<FlacPart>(std::move(name), format, dither, std::move(file));
}

}  // namespace continuo::media
