// THREAD: disk - one file of a take: its sound, its header, its end, its name
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "server/media/take_file.hpp"
#include "server/media/take_notes.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {

class TakePart {
 public:
  virtual ~TakePart() = default;

  /// The header of a file without a frame. An errno; 0 when all is well.
  [[nodiscard]] virtual int begin(const TakeNotes& notes) = 0;
  /// The header says what is in the file.
  [[nodiscard]] virtual int update(const TakeNotes& notes, std::span<const std::int64_t> marks) = 0;
  /// Whole frames as a WAV file holds them (encode_samples), behind those before. Then frames() says how many there
  /// are, also after an error.
  [[nodiscard]] virtual int append(std::span<const std::byte> bytes) = 0;
  /// What append() still holds back.
  [[nodiscard]] virtual int flush() { return 0; }
  [[nodiscard]] virtual std::int64_t frames() const noexcept = 0;

  /// Whatever happens, what is on the disk afterwards is a valid file of `frames` frames (at most those that it has)
  /// under its name, or another one where that is taken; or a part, which the next start repairs. Empty: all is well.
  [[nodiscard]] std::string close(std::int64_t frames, const TakeNotes& notes, std::span<const std::int64_t> marks);

  [[nodiscard]] TakeFile& file() noexcept { return *file_; }
  [[nodiscard]] const WavFormat& format() const noexcept { return format_; }
  [[nodiscard]] const std::filesystem::path& wanted() const noexcept { return wanted_; }
  [[nodiscard]] const std::filesystem::path& final_name() const noexcept { return final_name_; }  // once closed

 protected:
  TakePart(std::filesystem::path name, const WavFormat& format, Dither dither, std::unique_ptr<TakeFile> file);
  /// Cuts and finishes what is in the file.
  [[nodiscard]] virtual int finish(std::int64_t frames, const TakeNotes& notes,
                                   std::span<const std::int64_t> marks) = 0;
  [[nodiscard]] int write(std::size_t at, std::span<const std::byte> bytes);

  const WavFormat format_;
  const Dither dither_;

 private:
  [[nodiscard]] std::string keep_part(int number, const char* what);

  std::filesystem::path wanted_;
  std::unique_ptr<TakeFile> file_;
  std::filesystem::path final_name_;
};

[[nodiscard]] std::unique_ptr<TakePart> make_wav_part(std::filesystem::path name, const WavFormat& format,
                                                      Dither dither, std::unique_ptr<TakeFile> file);
/// Of 16 or 24 bits and at most 8 channels.
[[nodiscard]] std::unique_ptr<TakePart> make_flac_part(std::filesystem::path name, const WavFormat& format,
                                                       Dither dither, std::unique_ptr<TakeFile> file);

}  // namespace continuo::media
