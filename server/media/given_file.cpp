#include "server/media/given_file.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace continuo::media {
namespace {

class GivenFile final : public TakeFile {
 public:
  explicit GivenFile(int fd) : fd_(fd) {}

  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) override {
    return write_all(fd_, offset, bytes, written);
  }
  int truncate(std::int64_t size) override { return ::ftruncate(fd_, size) == 0 ? 0 : errno; }
  int sync() override { return ::fdatasync(fd_) == 0 ? 0 : errno; }
  int publish(const std::filesystem::path&, bool) override { return ::fsync(fd_) == 0 ? 0 : errno; }
  void discard() noexcept override {}
  [[nodiscard]] std::uint64_t volume() const noexcept override {
    struct stat status{};
    return ::fstat(fd_, &status) == 0 ? status.st_dev : 0;
  }
  int sync_volume() override { return ::syncfs(fd_) == 0 ? 0 : errno; }
  [[nodiscard]] std::int64_t free_bytes() const noexcept override {
    struct statvfs room{};
    if (::fstatvfs(fd_, &room) != 0) return -1;
    return static_cast<std::int64_t>(room.f_bavail * room.f_frsize);
  }

 private:
  const int fd_;
};

}  // namespace

std::unique_ptr<TakeFile> make_given_file(int fd) { return std::make_unique<GivenFile>(fd); }

}  // namespace continuo::media
