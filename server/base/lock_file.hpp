// THREAD: any - one daemon a socket, one daemon a state folder
#pragma once

#include <filesystem>
#include <string_view>

#include "server/base/result.hpp"

namespace continuo {

/// Held from claim() to destruction, and no longer than the process, however it ends. The file stays: removing it would
/// let two processes hold "the" lock at once.
class LockFile {
 public:
  /// ALREADY_EXISTS names the holder. `what`: "the socket /run/continuo/continuo.sock".
  [[nodiscard]] static Result<LockFile> claim(const std::filesystem::path& file, std::string_view what);
  LockFile(LockFile&& other) noexcept;
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace continuo
