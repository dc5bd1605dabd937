// THREAD: disk - libsndfile, held so that the samples are exact and every seek lands where it says
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "server/base/result.hpp"
#include "server/media/probe.hpp"

namespace continuo::media {

/// One open file as frames of float. Integer formats are read as int and scaled by exactly 2^-31 (libsndfile's own
/// float path is off by one LSB in half of the samples once written back); float formats pass unchanged.
class Decoder {
 public:
  /// Errors as probe(). `known_frames`: what an earlier probe counted, for the few files whose header does not say (a
  /// FLAC from a pipe, an MP3 without a Xing or LAME tag): saves counting once more. 0: not known.
  [[nodiscard]] static Result<std::unique_ptr<Decoder>> open(const std::filesystem::path& file,
                                                             std::int64_t known_frames = 0);
  ~Decoder();

  [[nodiscard]] const MediaInfo& info() const noexcept;

  /// Reading is little more than copying: uncompressed, as the machine has it.
  [[nodiscard]] bool plain() const noexcept;

  /// Its samples may be what is no number: read() gives them as they are.
  [[nodiscard]] bool floating() const noexcept;

  /// Interleaved. Fewer than `frames` only at the end of the file, or where it is damaged: then error() says so.
  std::size_t read(float* out, std::size_t frames);

  /// The next read() gives what a read from the start would give there, bit for bit: lossy codecs carry state from
  /// packet to packet, so they are started well before. `frame` from 0 to info().frames.
  [[nodiscard]] bool seek(std::int64_t frame);

  /// Empty while all is well.
  [[nodiscard]] const std::string& error() const noexcept;

 private:
  struct Impl;
  explicit Decoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
