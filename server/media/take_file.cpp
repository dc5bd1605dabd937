#include "server/media/take_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
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
    return write_all(fd_, offset, bytes, written);
  }
  int truncate(std::int64_t size) override { return ::ftruncate(fd_, size) == 0 ? 0 : errno; }
  int sync() override { return ::fdatasync(fd_) == 0 ? 0 : errno; }
  [[nodiscard]] std::uint64_t volume() const noexcept override { return volume_; }
  int sync_volume() override { return ::syncfs(fd_) == 0 ? 0 : errno; }

  int look() override {
    struct stat mine{}, there{};
    if (::fstat(fd_, &mine) != 0) return errno;
    if (::lstat(part_.c_str(), &there) != 0) return errno == ENOENT || errno == ENOTDIR ? ESTALE : errno;
    return mine.st_dev == there.st_dev && mine.st_ino == there.st_ino ? 0 : ESTALE;
  }

  int publish(const std::filesystem::path& name, bool overwrite) override {
    if (::fsync(fd_) != 0) return errno;
    if (const int error = move_to(name, overwrite)) return error;
    part_.clear();
    // The name, too, is to outlive a power cut.
    return sync_names_of(name.has_parent_path() ? name.parent_path() : ".");
  }

  [[nodiscard]] std::int64_t free_bytes() const noexcept override {
    struct statvfs room{};
    if (::fstatvfs(fd_, &room) != 0) return -1;
    return static_cast<std::int64_t>(room.f_bavail * room.f_frsize);
  }

  void discard() noexcept override {
    if (!part_.empty()) ::unlink(part_.c_str());
    part_.clear();
  }

 private:
  [[nodiscard]] int move_to(const std::filesystem::path& name, bool overwrite) const {
    if (overwrite) return ::rename(part_.c_str(), name.c_str()) == 0 ? 0 : errno;
    return move_without_replacing(part_, name);
  }

  const int fd_;
  const std::uint64_t volume_;
  std::filesystem::path part_;
};

}  // namespace

int sync_names_of(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return 0;  // a folder that may be written but not read: the file is there all the same
  const int error = ::fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
  ::close(fd);
  return error;
}

int move_without_replacing(const std::filesystem::path& part, const std::filesystem::path& name) {
  if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system without that flag: a second name never replaces either.
  if (::link(part.c_str(), name.c_str()) != 0) return errno;
  ::unlink(part.c_str());
  return 0;
}

std::filesystem::path other_name(const std::filesystem::path& file, int n) {
  return file.parent_path() / (file.stem().string() + "-" + std::to_string(n) + file.extension().string());
}

int give_free_name(std::filesystem::path& name, const std::function<int(const std::filesystem::path&)>& give) {
  const std::filesystem::path wanted = name;
  int number = give(name);
  for (int n = 2; number == EEXIST && n < kOtherNames; ++n) {
    name = other_name(wanted, n);
    number = give(name);
  }
  return number;
}

int write_all(int fd, std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) {
  written = 0;
  while (written < bytes.size()) {
    const ssize_t n =
        ::pwrite(fd, bytes.data() + written, bytes.size() - written, offset + static_cast<std::int64_t>(written));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return ENOSPC;
    written += static_cast<std::size_t>(n);
  }
  return 0;
}

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
    case ESTALE:
      return make_error(ErrorKind::data_loss, "FILE_GONE", file.string(),
                        file.string() + " is gone: it, or a folder above it, was deleted or moved meanwhile");
    case ENOSPC:
    case EDQUOT:
      return make_error(ErrorKind::data_loss, "DISK_FULL", file.string(), text);
    default:
      return make_error(ErrorKind::data_loss, "WRITE_FAILED", file.string(), text);
  }
}

namespace {
Error part_exists(const std::filesystem::path& part) {
  return make_error(ErrorKind::already_exists, "PART_EXISTS", part.string(),
                    part.string() + " is there: it is being written, or was cut off; rename or remove it");
}
}  // namespace

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
  if (fd < 0 && errno == EEXIST) return part_exists(part);
  if (fd < 0) return disk_error(errno, part, "cannot make");
  // A file system without locks: then nothing is repaired on it either. Taken: whoever repairs was there in between.
  const bool taken = ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (taken || ::fstat(fd, &status) != 0 || status.st_nlink == 0) {
    ::close(fd);
    return part_exists(part);
  }
  return std::unique_ptr<TakeFile>(new PosixTakeFile(fd, status.st_dev, std::move(part)));
}

}  // namespace continuo::media
