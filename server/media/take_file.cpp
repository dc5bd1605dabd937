#include "server/media/take_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace continuo::media {
namespace {

class PosixTakeFile final : public TakeFile {
 public:
  PosixTakeFile(int fd, std::uint64_t volume, std::filesystem::path part)
      : fd_(fd), volume_(volume), part_(std::move(part)) {}
  ~PosixTakeFile() override { ::close(fd_); }

  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) override {
    written = 0;
    while (written < bytes.size()) {
      const ssize_t n =
          ::pwrite(fd_, bytes.data() + written, bytes.size() - written, offset + static_cast<std::int64_t>(written));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno;
      if (n == 0) return ENOSPC;
      written += static_cast<std::size_t>(n);
    }
    return 0;
  }
  int truncate(std::int64_t size) override { return ::ftruncate(fd_, size) == 0 ? 0 : errno; }
  int sync() override { return ::fdatasync(fd_) == 0 ? 0 : errno; }
  [[nodiscard]] std::uint64_t volume() const noexcept override { return volume_; }
  int sync_volume() override { return ::syncfs(fd_) == 0 ? 0 : errno; }

  int publish(const std::filesystem::path& name, bool overwrite) override {
    if (::fsync(fd_) != 0) return errno;
    if (const int error = move_to(name, overwrite)) return error;
    part_.clear();
    // The name, too, is to outlive a power cut.
    const std::filesystem::path folder = name.has_parent_path() ? name.parent_path() : ".";
    const int folder_fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0) return 0;  // a folder that may be written but not read: the file is there all the same
    const int error = ::fsync(folder_fd) == 0 || errno == EINVAL ? 0 : errno;
    ::close(folder_fd);
    return error;
  }

  void discard() noexcept override {
    if (!part_.empty()) ::unlink(part_.c_str());
    part_.clear();
  }

 private:
  [[nodiscard]] int move_to(const std::filesystem::path& name, bool overwrite) const {
    if (overwrite) return ::rename(part_.c_str(), name.c_str()) == 0 ? 0 : errno;
    if (::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return errno;
    // A file system without that flag: a second name never replaces either.
    if (::link(part_.c_str(), name.c_str()) != 0) return errno;
    ::unlink(part_.c_str());
    return 0;
  }

  const int fd_;
  const std::uint64_t volume_;
  std::filesystem::path part_;
};

}  // namespace

Error disk_error(int number, const std::filesystem::path& file, const char* what) {
  const std::string text = std::string(what) + " " + file.string() + ": " + std::generic_category().message(number);
  switch (number) {
    case EEXIST:
      return make_error(ErrorKind::already_exists, "FILE_EXISTS", file.string(), file.string() + " exists already");
    case ENOENT:
    case ENOTDIR:
      return make_error(ErrorKind::not_found, "FOLDER_NOT_FOUND", file.string(), text);
    case EACCES:
    case EPERM:
    case EROFS:
      return make_error(ErrorKind::permission_denied, "NOT_WRITABLE", file.string(), text);
    case ENAMETOOLONG:
    case EISDIR:
      return make_error(ErrorKind::invalid_argument, "BAD_FILE_NAME", file.string(), text);
    case ENOSPC:
    case EDQUOT:
      return make_error(ErrorKind::data_loss, "DISK_FULL", file.string(), text);
    default:
      return make_error(ErrorKind::data_loss, "WRITE_FAILED", file.string(), text);
  }
}

Result<std::unique_ptr<TakeFile>> make_take_file(const std::filesystem::path& file, bool overwrite, bool unique_part) {
  struct stat status{};
  if (::lstat(file.c_str(), &status) == 0) {
    if (!overwrite) return disk_error(EEXIST, file, "cannot make");
    if (!S_ISREG(status.st_mode)) {
      return make_error(ErrorKind::already_exists, "FILE_EXISTS", file.string(),
                        file.string() + " exists and is not a regular file, so it is not replaced");
    }
  }
  std::filesystem::path part = file;
  if (unique_part) {
    part += ".";
    part += std::to_string(::getpid());
  }
  part += ".part";
  const int fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0 && errno == EEXIST) {
    return make_error(ErrorKind::already_exists, "PART_EXISTS", part.string(),
                      part.string() + " is there: it is being written, or was cut off; rename or remove it");
  }
  if (fd < 0) return disk_error(errno, part, "cannot make");
  if (::fstat(fd, &status) != 0) status.st_dev = 0;
  return std::unique_ptr<TakeFile>(new PosixTakeFile(fd, status.st_dev, std::move(part)));
}

}  // namespace continuo::media
