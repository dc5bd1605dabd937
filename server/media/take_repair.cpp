#include "server/media/take_repair.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "server/media/take_file.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLooked = 1'000'000;  // names in the folder: no daemon looks for ever
constexpr int kOtherNames = 1000;

class Part {
 public:
  explicit Part(const fs::path& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)) {}
  ~Part() {
    if (fd_ >= 0) ::close(fd_);
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  /// Nobody writes it any more, and it is a file under its name.
  [[nodiscard]] bool mine() {
    struct stat status{};
    if (fd_ < 0 || ::flock(fd_, LOCK_EX | LOCK_NB) != 0 || ::fstat(fd_, &status) != 0) return false;
    size_ = status.st_size;
    return S_ISREG(status.st_mode) && status.st_nlink == 1;
  }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::span<const std::byte> read(std::int64_t at, std::span<std::byte> to) const {
    const ssize_t n = ::pread(fd_, to.data(), to.size(), at);
    return to.first(n < 0 ? 0 : static_cast<std::size_t>(n));
  }
  [[nodiscard]] int write(std::int64_t at, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), at);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return n < 0 ? errno : ENOSPC;
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      at += n;
    }
    return 0;
  }
  [[nodiscard]] int truncate(std::int64_t size) const { return ::ftruncate(fd_, size) == 0 ? 0 : errno; }
  [[nodiscard]] int sync() const { return ::fsync(fd_) == 0 ? 0 : errno; }

 private:
  const int fd_;
  std::int64_t size_ = 0;
};

/// The cue chunk of a take that was cut off while it was being closed: right behind the sound that the header tells.
bool ends_in_cues(const Part& part, const WavHeader& header, std::int64_t sound_bytes) {
  const std::int64_t from = header.bytes + sound_bytes + sound_bytes % 2;
  std::array<std::byte, 8> bytes{};
  if (part.read(from, bytes).size() != bytes.size()) return false;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length |= std::uint64_t{std::to_integer<std::uint8_t>(bytes[4 + i])} << (8 * i);
  const bool cue = bytes[0] == std::byte{'c'} && bytes[1] == std::byte{'u'} && bytes[2] == std::byte{'e'};
  return cue && from + 8 + static_cast<std::int64_t>(length) == part.size();
}

int mend(const Part& part, const WavHeader& header, std::int64_t& frames) {
  const std::int64_t told = header.frames * header.format.frame_bytes();
  const bool whole = header.trailer_bytes > 0 && header.bytes + told + header.trailer_bytes == part.size();
  const bool cues = whole || ends_in_cues(part, header, told);
  frames = cues ? header.frames : (part.size() - header.bytes) / header.format.frame_bytes();
  const std::int64_t end = header.bytes + frames * header.format.frame_bytes();
  std::int64_t trailer = part.size() - end;
  if (!cues) {
    if (const int error = part.truncate(end)) return error;
    const std::vector<std::byte> pad = wav_trailer(header.format, frames, {});
    if (const int error = part.write(end, pad)) return error;
    trailer = static_cast<std::int64_t>(pad.size());
  }
  if (const int error = part.write(0, wav_header(header.format, frames, trailer))) return error;
  return part.sync();
}

std::optional<RepairedTake> repair(const fs::path& path) {
  Part part(path);
  if (!part.mine()) return std::nullopt;
  std::array<std::byte, kMaxWavHeader> head{};
  const std::optional<WavHeader> header = read_wav_header(part.read(0, head));
  std::error_code none;
  if (part.size() == 0) fs::remove(path, none);  // cut off before its header
  if (!header) return std::nullopt;
  RepairedTake take{path, 0, header->format.channels, header->format.sample_rate_hz, {}};
  if (part.size() < header->bytes + header->format.frame_bytes()) {
    fs::remove(path, none);
    return std::nullopt;
  }
  int error = mend(part, *header, take.frames);
  fs::path name = path;
  name.replace_extension();  // ".part"
  if (error == 0) {
    fs::path free = name;
    error = move_without_replacing(path, free);
    for (int n = 2; error == EEXIST && n < kOtherNames; ++n) {
      free = other_name(name, n);
      error = move_without_replacing(path, free);
    }
    if (error == 0) {
      take.file = free;
      error = sync_names_of(free.parent_path());
    }
  }
  if (error != 0) take.error = disk_error(error, path, "cannot repair").message;
  return take;
}

}  // namespace

std::vector<RepairedTake> repair_takes(const fs::path& folder) {
  // All names first: a file that is renamed under the walk might be met twice.
  std::vector<fs::path> parts;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
  for (int looked = 0; !error && entry != fs::recursive_directory_iterator() && looked < kMaxLooked; ++looked) {
    const fs::path& path = entry->path();
    std::error_code unknown;
    if (path.extension() == ".part" && path.stem().extension() == ".wav" && !entry->is_symlink(unknown))
      parts.push_back(path);
    entry.increment(error);
  }
  std::vector<RepairedTake> repaired;
  for (const fs::path& path : parts) {
    if (auto take = repair(path)) repaired.push_back(std::move(*take));
  }
  return repaired;
}

}  // namespace continuo::media
