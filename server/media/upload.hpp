// THREAD: disk, one at a time an upload - a file that arrives in pieces: whole under its name, or not at all
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>

#include "server/base/result.hpp"
#include "server/media/roots.hpp"
#include "server/media/sha256.hpp"

namespace continuo::media {

/// What makes two uploads the same one.
struct UploadKey {
  std::string path;  // "root:relative"
  std::int64_t total_bytes = 0;
  std::string sha256;  // 64 hexadecimal digits, lower case
};

/// Where the disk's answers come from; tests fill it up.
struct UploadDisk {
  std::function<ssize_t(int fd, const void* from, std::size_t bytes, off_t at)> write;
  std::function<int(int fd)> sync;
};

/// The uploads of all roots. What arrives lies beside its future name as ".continuo-<key>.upload", which is how it is
/// found again after a restart; a list in the state folder remembers which there are, so that they can be cleared away.
/// Bounds: kMaxHeld that nobody writes, the oldest loses; kMaxAge.
class Uploads {
 public:
  static constexpr std::size_t kMaxHeld = 32;
  static constexpr std::chrono::hours kMaxAge{24};
  static constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;

  /// Reads nothing yet. `state_folder` empty: nothing is remembered over a restart.
  Uploads(Roots roots, std::filesystem::path state_folder, UploadDisk disk = {});

  /// One upload under way. Destroyed before finish(): what came is held.
  class Writer {
   public:
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    /// A full disk, or more than was announced: nothing is left of it.
    Result<> write(std::span<const std::byte> bytes);
    /// Syncs, compares, and gives the file its name. A wrong SHA-256: nothing is left. Bytes missing: they are awaited
    /// by the next upload of that key.
    Result<> finish();
    [[nodiscard]] std::int64_t received() const noexcept { return received_; }

   private:
    friend class Uploads;
    Writer(Uploads& all, UploadKey key, std::filesystem::path file, std::filesystem::path part, int fd, bool overwrite);
    Result<> rehash(std::int64_t bytes);
    Result<> give_name();
    void discard() noexcept;

    Uploads& all_;
    const UploadKey key_;
    const std::filesystem::path file_;
    const std::filesystem::path part_;
    const int fd_;
    const bool overwrite_;
    std::int64_t received_ = 0;
    Sha256 sha256_;
    bool gone_ = false;  // of the part
  };

  /// `start`: 0 begins anew. The errors are those of UploadMedia.
  [[nodiscard]] Result<std::unique_ptr<Writer>> begin(const UploadKey& key, std::int64_t start, bool overwrite);

  struct Held {
    std::int64_t bytes = 0;
    bool active = false;
  };
  [[nodiscard]] Result<Held> held(const UploadKey& key) const;

 private:
  void remember(const std::filesystem::path& part);
  void forget(const std::filesystem::path& part) noexcept;
  void leave(const std::filesystem::path& file, const std::filesystem::path& part) noexcept;
  void load_list();
  void save_list() const noexcept;

  const Roots roots_;
  const std::filesystem::path list_;
  UploadDisk disk_;
  mutable std::mutex mutex_;
  bool loaded_ = false;
  std::map<std::filesystem::path, std::int64_t> parts_;  // and when they began, seconds since 1970
  std::set<std::filesystem::path> busy_;                 // files that are being written
  std::set<std::filesystem::path> busy_parts_;
};

}  // namespace continuo::media
