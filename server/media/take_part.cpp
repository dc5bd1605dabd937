#include "server/media/take_part.hpp"

#include <utility>

namespace continuo::media {

TakePart::TakePart(std::filesystem::path name, const WavFormat& format, Dither dither, std::unique_ptr<TakeFile> file)
    : format_(format), dither_(dither), wanted_(std::move(name)), file_(std::move(file)) {}

int TakePart::write(std::size_t at, std::span<const std::byte> bytes) {
  std::size_t written = 0;
  return file_->write_at(static_cast<std::int64_t>(at), bytes, written);
}

std::string TakePart::close(std::int64_t frames, const TakeNotes& notes, std::span<const std::int64_t> marks) {
  if (const int number = finish(frames, notes, marks)) {
    (void)file_->sync();
    return keep_part(number, "cannot write the header of");
  }
  final_name_ = wanted_;
  const int number = give_free_name(final_name_, [this](const auto& name) { return file_->publish(name, false); });
  if (number != 0) return keep_part(number, "cannot finish");
  if (final_name_ == wanted_) return {};
  return wanted_.string() + " was made by somebody else meanwhile; saved as " + final_name_.string();
}

std::string TakePart::keep_part(int number, const char* what) {
  final_name_ = wanted_;
  final_name_ += ".part";
  return disk_error(number, wanted_, what).message;
}

}  // namespace continuo::media
