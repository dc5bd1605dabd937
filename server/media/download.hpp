// THREAD: disk, one at a time - a range of a file, block by block, and its SHA-256
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/block_file.hpp"
#include "server/media/sha256.hpp"

namespace continuo::media {

class RangeReader {
 public:
  static constexpr std::size_t kBlockBytes = 256 * 1024;

  /// INVALID_ARGUMENT "OUT_OF_RANGE" for an offset behind the file's end, or below 0.
  [[nodiscard]] static Result<std::unique_ptr<RangeReader>> open(const std::filesystem::path& file, std::int64_t offset,
                                                                 std::optional<std::int64_t> length, bool sha256);

  [[nodiscard]] std::int64_t total_bytes() const noexcept { return file_->size(); }
  [[nodiscard]] std::int64_t modified_ns() const noexcept { return modified_ns_; }

  /// The range's next block, at most kBlockBytes; empty: it is over. A file that gives less than it had when it was
  /// opened, or was written to since: ABORTED "FILE_CHANGED".
  [[nodiscard]] Result<std::string> read();

  /// After the range: hashes on, a block a call, so that it can be ended in between; nothing until it is done. Empty
  /// where it was not asked for.
  [[nodiscard]] Result<std::optional<std::string>> hash_on();

 private:
  RangeReader(std::filesystem::path name, std::unique_ptr<BlockFile> file)
      : name_(std::move(name)), file_(std::move(file)) {}
  [[nodiscard]] Result<std::string> block(std::int64_t at, std::int64_t bytes);
  [[nodiscard]] Result<> unchanged() const;

  const std::filesystem::path name_;
  const std::unique_ptr<BlockFile> file_;
  std::int64_t modified_ns_ = 0;
  std::int64_t at_ = 0;
  std::int64_t end_ = 0;
  std::int64_t hashed_ = 0;
  std::optional<Sha256> sha256_;
};

}  // namespace continuo::media
