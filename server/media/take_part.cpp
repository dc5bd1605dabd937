#include "server/media/take_part.hpp"

#include <cerrno>
#include <utility>

namespace continuo::media {
namespace {
constexpr int kOtherNames = 100;  // tried where the final name was taken while the take ran
}

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
