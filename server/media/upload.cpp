#include "server/media/upload.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "server/media/file_text.hpp"
#include "server/media/take_file.hpp"

namespace continuo::media {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kBlock = 256 * 1024;

Error bad(const char* reason, const char* field, std::string text) {
  return make_error(ErrorKind::invalid_argument, reason, field, std::move(text));
}

Result<> check(const UploadKey& key) {
  if (key.total_bytes < 0 || key.total_bytes > Uploads::kMaxBytes)
    return bad("BAD_SIZE", "total_bytes", "a file has 0 to 2^50 bytes, not " + std::to_string(key.total_bytes));
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (key.sha256.size() != 64 || !std::ranges::all_of(key.sha256, digit))
    return bad("BAD_SHA256", "sha256", "a SHA-256 is 64 hexadecimal digits in lower case");
  // Names that begin with a dot are ours, and hidden from lists; control characters help nobody.
  const std::string rest = key.path.substr(std::min(key.path.find(':'), key.path.size() - 1) + 1);
  for (const fs::path& part : fs::path(rest)) {
    if (part.native().starts_with('.') && part != "..")
      return bad("BAD_FILE_NAME", "path", "no part of an upload's path begins with a dot: " + key.path);
  }
  if (!is_utf8(key.path) || readable(key.path) != key.path)
    return bad("BAD_FILE_NAME", "path",
               "an upload's path holds no control characters, nor those that turn the direction of writing");
  return {};
}

std::string part_name(const UploadKey& key) {
  const std::string text = key.path + '\n' + key.sha256 + '\n' + std::to_string(key.total_bytes);
  Sha256 sha256;
  sha256.add(std::as_bytes(std::span(text)));
  return ".continuo-" + sha256.hex().substr(0, 32) + ".upload";
}

Error about(Error error) {
  error.field = "path";
  return error;
}
/// `name`: as the client knows it; where that is on this machine is not its business.
Error disk_failed(int number, const std::string& name, const char* what) {
  return about(disk_error(number, name, what));
}

}  // namespace

Uploads::Uploads(Roots roots, fs::path state_folder, UploadDisk disk)
    : roots_(std::move(roots)),
      list_(state_folder.empty() ? fs::path() : state_folder / "uploads"),
      disk_(std::move(disk)) {
  if (!disk_.write)
    disk_.write = [](int fd, const void* from, std::size_t n, off_t at) { return ::pwrite(fd, from, n, at); };
  if (!disk_.sync) disk_.sync = [](int fd) { return ::fsync(fd); };
}

Result<std::unique_ptr<Uploads::Writer>> Uploads::begin(const UploadKey& key, std::int64_t start, bool overwrite) {
  if (Result<> good = check(key); !good) return good.error();
  if (start < 0 || start > key.total_bytes)
    return bad("BAD_START", "start", "an upload starts from 0 to its end, not at " + std::to_string(start));
  const auto file = overwrite ? roots_.file_to_write(key.path) : roots_.new_file(key.path);
  if (!file) return about(file.error());
  const fs::path part = file->parent_path() / part_name(key);
  {
    const std::lock_guard lock(mutex_);
    if (!busy_.insert(*file).second)
      return make_error(ErrorKind::aborted, "UPLOAD_BUSY", "path",
                        "another upload writes " + key.path + ": try again later");
    busy_parts_.insert(part);
  }
  const auto refuse = [&](Error error) {
    leave(*file, part);
    return error;
  };
  struct statvfs volume{};
  struct stat known{};
  const std::int64_t there = ::lstat(part.c_str(), &known) == 0 && S_ISREG(known.st_mode) ? known.st_size : 0;
  if (::statvfs(part.parent_path().c_str(), &volume) == 0) {
    const auto free = static_cast<std::int64_t>(volume.f_bavail * volume.f_frsize);
    if (key.total_bytes - there > free) return refuse(disk_failed(ENOSPC, key.path, "no room for"));
  }
  if (start > std::min(there, key.total_bytes))
    return refuse(make_error(ErrorKind::aborted, "UPLOAD_OFFSET", "start",
                             "of " + key.path + " " + std::to_string(there) +
                                 " bytes are held: start from there, not from " + std::to_string(start)));
  const int fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (fd < 0) return refuse(disk_failed(errno, key.path, "cannot make"));
  std::unique_ptr<Writer> writer(new Writer(*this, key, *file, part, fd, overwrite));  // leaves by itself from here on
  remember(part);
  if (::ftruncate(fd, start) != 0) return disk_failed(errno, key.path, "cannot write");
  if (Result<> read = writer->rehash(start); !read) return read.error();
  return writer;
}

Result<Uploads::Held> Uploads::held(const UploadKey& key) const {
  if (Result<> good = check(key); !good) return good.error();
  const auto folder = roots_.find_folder(split_name(key.path).folder);
  if (!folder) {
    if (folder.error().reason == "FILE_NOT_FOUND") return Held{};
    return about(folder.error());
  }
  Held held;
  const fs::path part = *folder / part_name(key);
  struct stat status{};
  if (::lstat(part.c_str(), &status) == 0 && S_ISREG(status.st_mode))
    held.bytes = std::min(status.st_size, key.total_bytes);
  const std::lock_guard lock(mutex_);
  held.active = busy_parts_.contains(part);
  return held;
}

Uploads::Writer::Writer(Uploads& all, UploadKey key, fs::path file, fs::path part, int fd, bool overwrite)
    : all_(all), key_(std::move(key)), file_(std::move(file)), part_(std::move(part)), fd_(fd), overwrite_(overwrite) {}

Uploads::Writer::~Writer() {
  ::close(fd_);
  if (!gone_ && received_ == 0) discard();
  all_.leave(file_, part_);
}

Result<> Uploads::Writer::rehash(std::int64_t bytes) {
  std::vector<std::byte> block(static_cast<std::size_t>(std::min<std::int64_t>(bytes, kBlock)));
  while (received_ < bytes) {
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(bytes - received_, std::ssize(block)));
    const ssize_t got = ::pread(fd_, block.data(), want, received_);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return disk_failed(got < 0 ? errno : EIO, key_.path, "cannot read");
    sha256_.add(std::span(block).first(static_cast<std::size_t>(got)));
    received_ += got;
  }
  return {};
}

Result<> Uploads::Writer::write(std::span<const std::byte> bytes) {
  if (std::ssize(bytes) > key_.total_bytes - received_) {
    discard();
    return bad(
        "UPLOAD_TOO_LONG", "data",
        "more than the " + std::to_string(key_.total_bytes) + " bytes that were announced came for " + key_.path);
  }
  sha256_.add(bytes);
  while (!bytes.empty()) {
    const ssize_t wrote = all_.disk_.write(fd_, bytes.data(), bytes.size(), received_);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const int number = wrote < 0 ? errno : ENOSPC;
      discard();
      return disk_failed(number, key_.path, "cannot write");
    }
    received_ += wrote;
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<> Uploads::Writer::finish() {
  if (received_ < key_.total_bytes) {
    return bad("UPLOAD_INCOMPLETE", "data",
               "the stream ended after " + std::to_string(received_) + " of " + std::to_string(key_.total_bytes) +
                   " bytes of " + key_.path + "; the rest can follow");
  }
  if (sha256_.hex() != key_.sha256) {
    discard();
    return bad("SHA256_MISMATCH", "sha256", "what came for " + key_.path + " has another SHA-256 than was announced");
  }
  if (all_.disk_.sync(fd_) != 0) {
    const int number = errno;
    discard();
    return disk_failed(number, key_.path, "cannot write");
  }
  return give_name();
}

Result<> Uploads::Writer::give_name() {
  int failed = 0;
  if (overwrite_) {
    if (::rename(part_.c_str(), file_.c_str()) != 0) failed = errno;
  } else {
    failed = move_without_replacing(part_, file_);
  }
  if (failed != 0) {
    discard();
    if (failed == EEXIST)
      return make_error(ErrorKind::already_exists, "FILE_EXISTS", "path", key_.path + " exists already");
    return disk_failed(failed, key_.path, "cannot name");
  }
  gone_ = true;
  static_cast<void>(sync_names_of(file_.parent_path()));  // the name, too, is to outlive a power cut
  all_.forget(part_);
  return {};
}

void Uploads::Writer::discard() noexcept {
  if (!gone_) ::unlink(part_.c_str());
  gone_ = true;
  all_.forget(part_);
}

void Uploads::remember(const fs::path& part) {
  const std::lock_guard lock(mutex_);
  load_list();
  const std::int64_t now = std::time(nullptr);
  parts_[part] = now;
  const auto clear_away = [this](const fs::path& old) {
    ::unlink(old.c_str());
    parts_.erase(fs::path(old));
  };
  for (auto it = parts_.begin(); it != parts_.end();) {
    const auto old = it++;
    const bool late = now - old->second > std::chrono::seconds(kMaxAge).count();
    if (late && !busy_parts_.contains(old->first)) clear_away(old->first);
  }
  for (;;) {
    const std::pair<const fs::path, std::int64_t>* oldest = nullptr;
    std::size_t idle = 0;
    for (const auto& one : parts_) {
      if (busy_parts_.contains(one.first)) continue;
      ++idle;
      if (oldest == nullptr || one.second < oldest->second) oldest = &one;
    }
    if (idle < kMaxHeld) break;
    clear_away(oldest->first);
  }
  save_list();
}

void Uploads::forget(const fs::path& part) noexcept {
  const std::lock_guard lock(mutex_);
  if (parts_.erase(part) > 0) save_list();
}

void Uploads::leave(const fs::path& file, const fs::path& part) noexcept {
  const std::lock_guard lock(mutex_);
  busy_.erase(file);
  busy_parts_.erase(part);
}

/// A line an upload: when it began, and where it lies. Paths of uploads hold no line ends; a root's may: then it is not
/// remembered.
void Uploads::load_list() {
  if (std::exchange(loaded_, true) || list_.empty()) return;
  std::ifstream in(list_);
  std::int64_t began = 0;
  std::string path;
  while (parts_.size() < 10 * kMaxHeld && in >> began && in.get() && std::getline(in, path)) {
    const fs::path part(path);
    const std::string name = part.filename();
    struct stat status{};
    const bool ours = name.starts_with(".continuo-") && name.ends_with(".upload");
    if (ours && ::lstat(part.c_str(), &status) == 0 && S_ISREG(status.st_mode)) parts_.emplace(part, began);
  }
}

void Uploads::save_list() const noexcept {
  if (list_.empty()) return;
  const fs::path fresh = list_.native() + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    for (const auto& [part, began] : parts_) {
      if (part.native().find('\n') == std::string::npos) out << began << ' ' << part.native() << '\n';
    }
    if (!out.flush()) return;  // what it does not name is still found by its key
  }
  std::error_code ignored;
  fs::rename(fresh, list_, ignored);
}

}  // namespace continuo::media
