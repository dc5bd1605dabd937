// THREAD: disk - a regular file, read in large blocks
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "server/base/result.hpp"

namespace continuo::media {

/// Never mapped: a mapped file that shrinks is a SIGBUS, here it is a short read. Codecs ask for a few bytes at a time;
/// the disk is asked for a block of kBlockBytes.
class BlockFile {
 public:
  static constexpr std::size_t kBlockBytes = 64 * 1024;

  /// NOT_FOUND, PERMISSION_DENIED, or INVALID_ARGUMENT "NOT_A_FILE" for a folder, FIFO, socket or device; none of them
  /// is waited for.
  [[nodiscard]] static Result<std::unique_ptr<BlockFile>> open(const std::filesystem::path& file);
  ~BlockFile();
  BlockFile(const BlockFile&) = delete;
  BlockFile& operator=(const BlockFile&) = delete;

  /// Through the block. Short at the end of the file and on an error.
  std::size_t read(void* to, std::size_t bytes);
  /// From `at` on, past the block and the place of read(); short where that is.
  std::size_t read_at(std::int64_t at, void* to, std::size_t bytes);
  /// Its memory is given back until the next read().
  void drop_block();
  void seek(std::int64_t at) noexcept { at_ = at; }
  [[nodiscard]] std::int64_t tell() const noexcept { return at_; }
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }  // when it was opened
  [[nodiscard]] int error_number() const noexcept { return error_; }  // of the last read that failed; 0: none did

 private:
  BlockFile(int fd, std::int64_t size);
  const int fd_;
  const std::int64_t size_;
  std::int64_t at_ = 0;
  std::int64_t block_at_ = 0;
  std::size_t block_bytes_ = 0;
  std::vector<std::byte> block_;
  int error_ = 0;
};

}  // namespace continuo::media
