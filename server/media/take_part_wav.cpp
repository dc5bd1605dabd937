// A take's WAV file.
#include <utility>
#include <vector>

#include "server/media/take_header.hpp"
#include "server/media/take_part.hpp"

namespace continuo::media {
namespace {

class WavPart final : public TakePart {
 public:
  WavPart(std::filesystem::path name, const WavFormat& format, Dither dither, std::unique_ptr<TakeFile> file)
      : TakePart(std::move(name), format, dither, std::move(file)) {}

  [[nodiscard]] int begin(const TakeNotes& notes) override {
    return write(0, take_header(format_, bext_chunk(notes, format_, dither_), {}, 0, 0, false));
  }

  [[nodiscard]] int update(const TakeNotes& notes, std::span<const std::int64_t> marks) override {
    return update(notes, marks, frames_, 0, false);
  }

  [[nodiscard]] int append(std::span<const std::byte> bytes) override {
    std::size_t written = 0;
    const std::int64_t at = static_cast<std::int64_t>(kTakeHeaderBytes) + frames_ * format_.frame_bytes();
    const int number = file().write_at(at, bytes, written);
    frames_ += static_cast<std::int64_t>(written) / format_.frame_bytes();
    return number;
  }
  [[nodiscard]] std::int64_t frames() const noexcept override { return frames_; }

 private:
  [[nodiscard]] int finish(std::int64_t frames, const TakeNotes& notes, std::span<const std::int64_t> marks) override {
    frames_ = frames;
    const std::size_t end = kTakeHeaderBytes + static_cast<std::size_t>(frames * format_.frame_bytes());
    file().truncate(static_cast<std::int64_t>(end));
    (void)update(notes, marks, frames, 0, false);  // so that a kill in between leaves nobody in doubt
    const std::vector<std::byte> pad = wav_trailer(format_, frames);
    const bool padded = pad.empty() || write(end, pad) == 0;
    if (!padded) file().truncate(static_cast<std::int64_t>(end));
    return update(notes, marks, frames, padded ? static_cast<std::int64_t>(pad.size()) : 0, true);
  }

  /// The cue points before the front that counts them, and both sizes last.
  [[nodiscard]] int update(const TakeNotes& notes, std::span<const std::int64_t> marks, std::int64_t frames,
                           std::int64_t trailer_bytes, bool closed) {
    const std::vector<std::byte> bext = bext_chunk(notes, format_, dither_);
    const std::vector<std::byte> header = take_header(format_, bext, marks, frames, trailer_bytes, closed);
    const TakeHeaderParts parts = take_header_parts(format_, bext);
    const std::span<const std::byte> all = header;
    if (marks.size() != marks_written_ || (closed && !marks.empty())) {
      if (const int number = write(parts.body_at, all.subspan(parts.body_at, parts.body_end - parts.body_at)))
        return number;
      marks_written_ = marks.size();
    }
    if (const int number = write(0, all.first(parts.body_at))) return number;
    return write(parts.body_end, all.subspan(parts.body_end));
  }

  std::int64_t frames_ = 0;
  std::size_t marks_written_ = 0;
};

}  // namespace

std::unique_ptr<TakePart> make_wav_part(std::filesystem::path name, const WavFormat& format, Dither dither,
                                        std::unique_ptr<TakeFile> file) {
  return std::make_unique<WavPart>(std::move(name), format, dither, std::move(file));
}

}  // namespace continuo::media
