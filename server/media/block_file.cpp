#include "server/media/block_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace continuo::media {
namespace {

Error open_error(int number, const std::filesystem::path& file) {
  const std::string why = std::generic_category().message(number);
  switch (number) {
    case ENOENT:
    case ENOTDIR:
      return make_error(ErrorKind::not_found, "FILE_NOT_FOUND", file.string(), "no such file: " + file.string());
    case EACCES:
    case EPERM:
      return make_error(ErrorKind::permission_denied, "FILE_NOT_READABLE", file.string(),
                        "may not read " + file.string());
    case ENXIO:  // a socket
    case ELOOP:
    case ENAMETOOLONG:
      return make_error(ErrorKind::invalid_argument, "NOT_A_FILE", file.string(), file.string() + ": " + why);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return make_error(ErrorKind::resource_exhausted, "TOO_MANY_FILES", file.string(), file.string() + ": " + why);
    default:
      return make_error(ErrorKind::data_loss, "READ_FAILED", file.string(),
                        "cannot open " + file.string() + ": " + why);
  }
}

}  // namespace

Result<std::unique_ptr<BlockFile>> BlockFile::open(const std::filesystem::path& file) {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer for ever.
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return open_error(errno, file);
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return make_error(ErrorKind::invalid_argument, "NOT_A_FILE", file.string(), "not a regular file: " + file.string());
  }
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::unique_ptr<BlockFile>(new BlockFile(fd, status.st_size));
}

BlockFile::BlockFile(int fd, std::int64_t size) : fd_(fd), size_(size) {}

BlockFile::~BlockFile() { ::close(fd_); }

/// The block that begins at the place to be read.
void BlockFile::load() {
  if (block_.empty()) block_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(size_, 1, kBlockBytes)));
  ssize_t got = 0;
  do got = ::pread(fd_, block_.data(), block_.size(), at_);
  while (got < 0 && errno == EINTR);
  if (got < 0) error_ = errno;
  block_at_ = at_;
  block_bytes_ = got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::span<const std::byte> BlockFile::view(std::size_t bytes) {
  const auto loaded = [this]() -> std::span<const std::byte> {
    const std::int64_t offset = at_ - block_at_;
    if (offset < 0 || offset >= static_cast<std::int64_t>(block_bytes_)) return {};
    return {block_.data() + offset, block_bytes_ - static_cast<std::size_t>(offset)};
  };
  if (at_ < 0) return {};
  if (loaded().size() < bytes) load();
  return loaded();
}

std::size_t BlockFile::read(void* to, std::size_t bytes) {
  auto* out = static_cast<std::byte*>(to);
  std::size_t done = 0;
  while (done < bytes) {
    const std::span<const std::byte> next = view(1);
    if (next.empty()) break;
    const std::size_t n = std::min(bytes - done, next.size());
    std::memcpy(out + done, next.data(), n);
    done += n;
    skip(n);
  }
  return done;
}

}  // namespace continuo::media
