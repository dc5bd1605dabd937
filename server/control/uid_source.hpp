// THREAD: control - numbers for nodes and connections, none of them ever given twice, over restarts too
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "rt/types.hpp"
#include "server/control/worker.hpp"

namespace continuo::control {

/// And, under another name, for transactions: what was told of one stays true. Reserves blocks on disk before it gives
/// from them: after a crash the rest of a block is lost, never given again.
class UidSource {
 public:
  static constexpr std::uint64_t kBlock = 1u << 20;

  /// Reads and reserves (a short file, once at the start). Where the folder cannot be written, numbers begin at one
  /// made of the time, and `warning()` says so. `worker` must outlive it or be idle at its end.
  UidSource(std::filesystem::path folder, Worker& worker, const char* name = "uids");

  [[nodiscard]] rt::Uid next();
  [[nodiscard]] const std::string& warning() const noexcept { return warning_; }

 private:
  const std::string name_;
  std::filesystem::path file_;
  Worker& worker_;
  std::uint64_t next_ = 1;
  std::uint64_t reserved_ = 1;  // numbers below it may be given
  std::string warning_;
};

/// Writes `text` to `file` whole or not at all: a new file beside it, synced, then renamed. Slow; any thread that may
/// wait.
[[nodiscard]] bool write_whole(const std::filesystem::path& file, const std::string& text, std::string& error);

}  // namespace continuo::control
