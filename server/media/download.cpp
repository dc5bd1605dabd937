#include "server/media/download.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <span>
#include <system_error>

#include "server/media/file_time.hpp"

namespace continuo::media {
namespace {

/// -1 where it cannot be told.
std::int64_t modified_of(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return -1;
  return modified_ns(status);
}

}  // namespace

Result<std::unique_ptr<RangeReader>> RangeReader::open(const std::filesystem::path& file, std::int64_t offset,
                                                       std::optional<std::int64_t> length, bool sha256) {
  const std::int64_t modified = modified_of(file);
  auto opened = BlockFile::open(file);
  if (!opened) return opened.error();
  const std::int64_t size = (*opened)->size();
  const auto out = [&](const char* field, std::int64_t value) {
    return make_error(
        ErrorKind::invalid_argument, "OUT_OF_RANGE", field,
        std::string(field) + " " + std::to_string(value) + " is outside the file's " + std::to_string(size) + " bytes");
  };
  if (offset < 0 || offset > size) return out("offset", offset);
  if (length && *length < 0) return out("length", *length);
  std::unique_ptr<RangeReader> reader(new RangeReader(file, *std::move(opened)));
  reader->modified_ns_ = modified;
  reader->at_ = offset;
  reader->end_ = length ? offset + std::min(*length, size - offset) : size;
  if (sha256) reader->sha256_.emplace();
  return reader;
}

Result<> RangeReader::unchanged() const {
  if (modified_of(name_) == modified_ns_) return {};
  return make_error(ErrorKind::aborted, "FILE_CHANGED", "path", name_.string() + " was written to meanwhile");
}

Result<std::string> RangeReader::block(std::int64_t at, std::int64_t bytes) {
  std::string data(static_cast<std::size_t>(std::min<std::int64_t>(bytes, kBlockBytes)), '\0');
  if (file_->read_at(at, data.data(), data.size()) == data.size()) return data;
  if (const int number = file_->error_number())
    return make_error(ErrorKind::data_loss, "READ_FAILED", "path",
                      "cannot read " + name_.string() + ": " + std::generic_category().message(number));
  return make_error(ErrorKind::aborted, "FILE_CHANGED", "path", name_.string() + " became shorter meanwhile");
}

Result<std::string> RangeReader::read() {
  if (at_ == end_) return std::string();
  auto data = block(at_, end_ - at_);
  if (!data) return data;
  if (sha256_ && hashed_ == at_) {
    sha256_->add(std::as_bytes(std::span(*data)));
    hashed_ += std::ssize(*data);
  }
  at_ += std::ssize(*data);
  return data;
}

Result<std::optional<std::string>> RangeReader::hash_on() {
  if (!sha256_ || hashed_ == total_bytes()) {
    if (Result<> same = unchanged(); !same) return same.error();
    return std::optional(sha256_ ? sha256_->hex() : std::string());
  }
  const auto data = block(hashed_, total_bytes() - hashed_);
  if (!data) return data.error();
  sha256_->add(std::as_bytes(std::span(*data)));
  hashed_ += std::ssize(*data);
  return std::optional<std::string>();
}

}  // namespace continuo::media
