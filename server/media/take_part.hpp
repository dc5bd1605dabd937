// THREAD: disk - one WAV file of a take: its header, its end, its name
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "server/media/take_file.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {

class TakePart {
 public:
  TakePart(std::filesystem::path name, const WavFormat& format, std::unique_ptr<TakeFile> file);

  /// An errno; 0 when all is well.
  [[nodiscard]] int write_header(std::int64_t frames, std::int64_t trailer_bytes = 0);
  /// Frame `at` and those that follow. `frames`: how many whole ones the disk took, also on an error.
  [[nodiscard]] int write(std::int64_t at, std::span<const std::byte> bytes, std::int64_t& frames);
  /// Whatever happens, what is on the disk afterwards is a valid file of `frames` frames under its name, or another one
  /// where that is taken; or a part, which the next start repairs. Empty: all is well, else what was not.
  [[nodiscard]] std::string close(std::int64_t frames, std::span<const std::int64_t> marks);

  [[nodiscard]] TakeFile& file() noexcept { return *file_; }
  [[nodiscard]] const WavFormat& format() const noexcept { return format_; }
  [[nodiscard]] const std::filesystem::path& wanted() const noexcept { return wanted_; }
  [[nodiscard]] const std::filesystem::path& final_name() const noexcept { return final_name_; }  // once closed

 private:
  [[nodiscard]] std::string keep_part(int number, const char* what);

  std::filesystem::path wanted_;
  WavFormat format_;
  std::unique_ptr<TakeFile> file_;
  std::int64_t header_bytes_ = 0;
  std::filesystem::path final_name_;
};

}  // namespace continuo::media
