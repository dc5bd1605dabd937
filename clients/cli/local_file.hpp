// THREAD: any - files on the client's side: read whole, written whole or not at all
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "clients/cli/failure.hpp"

namespace continuo::cli {

/// With the errno that open() left.
[[nodiscard]] Failure cannot_open(const std::string& file, int code);

/// "-": standard input. EX_NOINPUT where it is not there or not a file; EX_DATAERR above `limit` bytes; EX_IOERR.
[[nodiscard]] std::string read_file(const std::string& file, std::size_t limit);

/// Through a temporary file in the same folder, flushed to the disk and renamed: at every moment the old file or the
/// new one. Without `force` EX_CANTCREAT where there is one already; then the check and the creation are one step.
/// For what comes in pieces; dropped before publish() it leaves nothing.
class NewFile {
 public:
  NewFile(const std::filesystem::path& file, bool force);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  void write(std::string_view content);
  void publish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The same, at once.
void write_file(const std::filesystem::path& file, std::string_view content, bool force);

}  // namespace continuo::cli
