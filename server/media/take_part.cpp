#include "server/media/take_part.hpp"

#include <cerrno>
#include <utility>
#include <vector>

namespace continuo::media {
namespace {
constexpr int kOtherNames = 100;  // tried where the final name was taken while the take ran
}

TakePart::TakePart(std::filesystem::path name, const WavFormat& format, std::unique_ptr<TakeFile> file)
    : wanted_(std::move(name)),
      format_(format),
      file_(std::move(file)),
      header_bytes_(static_cast<std::int64_t>(wav_header(format, 0).size())) {}

int TakePart::write_header(std::int64_t frames, std::int64_t trailer_bytes) {
  const std::vector<std::byte> header = wav_header(format_, frames, trailer_bytes);
  std::size_t written = 0;
  return file_->write_at(0, header, written);
}

int TakePart::write(std::int64_t at, std::span<const std::byte> bytes, std::int64_t& frames) {
  std::size_t written = 0;
  const int number = file_->write_at(header_bytes_ + at * format_.frame_bytes(), bytes, written);
  frames = static_cast<std::int64_t>(written) / format_.frame_bytes();
  return number;
}

std::string TakePart::close(std::int64_t frames, std::span<const std::int64_t> marks) {
  const std::int64_t end = header_bytes_ + frames * format_.frame_bytes();
  file_->truncate(end);
  (void)write_header(frames);  // so that a kill in between leaves nobody in doubt where the sound ends
  const std::vector<std::byte> trailer = wav_trailer(format_, frames, marks);
  std::size_t written = 0;
  if (!trailer.empty() && file_->write_at(end, trailer, written) != 0) {
    written = 0;
    file_->truncate(end);
  }
  if (const int number = write_header(frames, static_cast<std::int64_t>(written))) {
    (void)file_->sync();
    return keep_part(number, "cannot write the header of");
  }
  final_name_ = wanted_;
  int number = file_->publish(final_name_, false);
  if (number == 0) return {};
  for (int i = 2; number == EEXIST && i < kOtherNames; ++i) {
    final_name_ = other_name(wanted_, i);
    number = file_->publish(final_name_, false);
    if (number == 0) return wanted_.string() + " was made by somebody else meanwhile; saved as " + final_name_.string();
  }
  return keep_part(number, "cannot finish");
}

std::string TakePart::keep_part(int number, const char* what) {
  final_name_ = wanted_;
  final_name_ += ".part";
  return disk_error(number, wanted_, what).message;
}

}  // namespace continuo::media
