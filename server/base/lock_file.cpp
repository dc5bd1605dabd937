#include "server/base/lock_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace continuo {
namespace {

/// The process id that the holder wrote, for the message alone.
std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t length = pread(descriptor, text.data(), text.size() - 1, 0);
  std::string pid;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; ++i) pid += text[i];
  return pid.empty() ? "another continuod" : "another continuod (process " + pid + ")";
}

}  // namespace

Result<LockFile> LockFile::claim(const std::filesystem::path& file, std::string_view what) {
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return make_error(ErrorKind::configuration, "LOCK_FILE", file.string(),
                      "cannot make the lock file " + file.string() + ": " + std::strerror(errno));
  }
  LockFile lock(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return make_error(ErrorKind::already_exists, "ALREADY_RUNNING", file.string(),
                      holder(descriptor) + " has " + std::string(what));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) == 0) {
    // The lock is what counts; the number only helps a person.
    [[maybe_unused]] const ssize_t written = pwrite(descriptor, pid.data(), pid.size(), 0);
  }
  return lock;
}

LockFile::LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

LockFile::~LockFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace continuo
