// THREAD: any - tokens: a file of hashes, read anew when it changes
#pragma once

#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"
#include "server/rpc/caller.hpp"

namespace continuo::rpc {

/// A line: NAME ROLE and the SHA-256 of the token in hexadecimal. '#' begins a comment. What is no such line lets
/// nobody in, and is told in the log. The file is looked at once a second at most, so a line that goes shuts out that
/// soon.
class Tokens {
 public:
  static constexpr std::size_t kMaxFileBytes = 1u << 20;
  static constexpr std::chrono::seconds kLookEvery{1};

  explicit Tokens(std::filesystem::path file) : file_(std::move(file)) {}

  /// UNAUTHENTICATED where no line has it.
  [[nodiscard]] Result<Caller> find(std::string_view secret);

 private:
  struct Line {
    std::string hash;  // hexadecimal
    Caller caller;
  };
  void look();

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<Line> lines_;
  std::chrono::steady_clock::time_point looked_{};
  struct stat seen_{};
};

/// Lowercase hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view text);

}  // namespace continuo::rpc
