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

std::size_t BlockFile::read_at(std::int64_t at, void* to, std::size_t bytes) {
  auto* out = static_cast<std::byte*>(to);
  std::size_t done = 0;
  while (at >= 0 && done < bytes) {
    const ssize_t got = ::pread(fd_, out + done, bytes - done, at + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error_ = errno;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t BlockFile::read(void* to, std::size_t bytes) {
  auto* out = static_cast<std::byte*>(to);
  std::size_t done = 0;
  while (done < bytes) {
    std::int64_t offset = at_ - block_at_;
    if (offset < 0 || offset >= static_cast<std::int64_t>(block_bytes_)) {
      if (block_.empty()) block_.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(size_, 1, kBlockBytes)));
      block_at_ = at_;
      block_bytes_ = read_at(at_, block_.data(), block_.size());
      if (block_bytes_ == 0) break;
      offset = 0;
    }
    const std::size_t n = std::min(bytes - done, block_bytes_ - static_cast<std::size_t>(offset));
    std::memcpy(out + done, block_.data() + offset, n);
    done += n;
    at_ += static_cast<std::int64_t>(n);
  }
  return done;
}

void BlockFile::drop_block() {
  block_ = {};
  block_bytes_ = 0;
}

}  // namespace continuo::media
