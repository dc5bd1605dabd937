#include "server/media/left_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "server/media/flac_whole_frame.hpp"
#include "server/media/take_file.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kFirstWindow = std::int64_t{4} << 20;
constexpr std::int64_t kLastWindow = std::int64_t{256} << 20;  // more than that is never on its way to a disk at once

struct Candidate {
  std::size_t at;
  FlacFrame frame;
};

std::vector<Candidate> candidates_in(std::span<const std::byte> bytes, const FlacFormat& format) {
  std::vector<Candidate> found;
  for (std::size_t at = 0; at + 1 < bytes.size(); ++at) {
    if (bytes[at] != std::byte{0xFF} || bytes[at + 1] != std::byte{0xF8}) continue;
    if (const auto frame = read_flac_frame(format, bytes.subspan(at))) found.push_back({at, *frame});
  }
  return found;
}

}  // namespace

LeftFile::LeftFile(const std::filesystem::path& path)
    : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {}

LeftFile::~LeftFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool LeftFile::mine() {
  struct stat status{};
  if (fd_ < 0 || ::flock(fd_, LOCK_EX | LOCK_NB) != 0 || ::fstat(fd_, &status) != 0) return false;
  size_ = status.st_size;
  return S_ISREG(status.st_mode) && status.st_nlink == 1;
}

std::vector<std::byte> LeftFile::read(std::int64_t at, std::size_t bytes) const {
  std::vector<std::byte> all(bytes);
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t n = ::pread(fd_, all.data() + got, bytes - got, at + static_cast<std::int64_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  all.resize(got);
  return all;
}

int LeftFile::write(std::int64_t at, std::span<const std::byte> bytes) const {
  std::size_t written = 0;
  return write_all(fd_, at, bytes, written);
}

int LeftFile::truncate(std::int64_t size) const { return ::ftruncate(fd_, size) == 0 ? 0 : errno; }

int LeftFile::sync() const { return ::fsync(fd_) == 0 ? 0 : errno; }

FlacEnd last_whole_frame(const LeftFile& file, const FlacFormat& format) {
  constexpr auto kHead = static_cast<std::int64_t>(kFlacHeadBytes);
  for (std::int64_t window = kFirstWindow;; window *= 4) {
    const std::int64_t from = std::max(kHead, file.size() - window);
    const std::vector<std::byte> bytes = file.read(from, static_cast<std::size_t>(file.size() - from));
    const std::vector<Candidate> all = candidates_in(bytes, format);
    for (std::size_t i = all.size(); i-- > 0;) {
      if (const auto length = whole_flac_frame(format, std::span(bytes).subspan(all[i].at)))
        return {from + static_cast<std::int64_t>(all[i].at + *length),
                static_cast<std::int64_t>(all[i].frame.number * format.block + all[i].frame.frames)};
    }
    if (from == kHead || window >= kLastWindow) return {};
  }
}

}  // namespace continuo::media
