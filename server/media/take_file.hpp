// THREAD: disk - the file under a take: the seam where tests put a full, slow or sick disk, or a power cut
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "server/base/result.hpp"

namespace continuo::media {

/// What a take asks of a file. Every call may fail and gives errno then, 0 when all is well.
class TakeFile {
 public:
  virtual ~TakeFile() = default;  // closes; leaves the file under the name it has
  /// `written`: how many of the bytes were kept, also on an error (a full disk keeps the front).
  virtual int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) = 0;
  virtual int truncate(std::int64_t size) = 0;
  /// What was written before outlives a power cut.
  virtual int sync() = 0;
  /// Whether it is still where it was made: what is written into a file that somebody deleted goes nowhere. ESTALE: it,
  /// or a folder above it, was deleted, moved, or covered by a volume.
  virtual int look() { return 0; }
  /// Syncs, and gives the file its name. Never overwrites unless told: EEXIST.
  virtual int publish(const std::filesystem::path& name, bool overwrite) = 0;
  /// Removes the file, where it was not published.
  virtual void discard() noexcept = 0;
  /// Names the volume and syncs all of it, so that many takes on one volume cost one flush.
  [[nodiscard]] virtual std::uint64_t volume() const noexcept = 0;
  virtual int sync_volume() = 0;
  /// What is left on the volume for this process; -1 where nobody knows.
  [[nodiscard]] virtual std::int64_t free_bytes() const noexcept = 0;
};

/// Makes `<file>.part`, beside the final name (`unique_part`: `<file>.<process>.part`, so that what a killed one left
/// is in nobody's way). ALREADY_EXISTS where that exists, or where `file` itself does and is not to be overwritten;
/// NOT_FOUND where the folder is missing; else PERMISSION_DENIED or DATA_LOSS. While it is open the part is locked
/// (flock), so that who looks for parts that were left behind (take_repair.hpp) lets it be.
[[nodiscard]] Result<std::unique_ptr<TakeFile>> make_take_file(const std::filesystem::path& file,
                                                               bool overwrite = false, bool unique_part = false);

/// How the file under a take is made: make_take_file, or a disk of a test's own.
using MakeTakeFile = std::function<Result<std::unique_ptr<TakeFile>>(const std::filesystem::path& file)>;

/// Makes the names in `folder` outlive a power cut; an errno, 0 when all is well.
[[nodiscard]] int sync_names_of(const std::filesystem::path& folder);

/// `part` becomes `name`, never over another file: EEXIST.
[[nodiscard]] int move_without_replacing(const std::filesystem::path& part, const std::filesystem::path& name);

/// "a.wav" -> "a-2.wav": what a file is called whose name was taken.
[[nodiscard]] std::filesystem::path other_name(const std::filesystem::path& file, int n);

/// `give` under `name`; as long as it says EEXIST, under NAME-2, NAME-3 ... up to kOtherNames. What it said last;
/// `name` is then what it was asked last.
inline constexpr int kOtherNames = 1000;
[[nodiscard]] int give_free_name(std::filesystem::path& name,
                                 const std::function<int(const std::filesystem::path&)>& give);

/// All of `bytes` at `offset`. An errno; 0 when all is well. `written`: how many were kept, also on an error.
[[nodiscard]] int write_all(int fd, std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written);

/// An errno of the disk as an Error about `file`.
[[nodiscard]] Error disk_error(int number, const std::filesystem::path& file, const char* what);

}  // namespace continuo::media
