// THREAD: disk - encoded samples on their way into a file of any format, or into a pipe
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "server/base/result.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {

enum class Container { wav, w64, aiff, flac };

/// By its ending, in any case: .wav (RF64 inside from 4 GiB on), .w64, .aif, .aiff, .flac.
[[nodiscard]] std::optional<Container> container_of(const std::filesystem::path& file);

struct WriterRequest {
  WavFormat format;
  std::int64_t frames = -1;  // where the length is known in advance; else -1
  bool overwrite = false;
  int into = -1;  // a descriptor of an empty file, which stays the caller's, as its name does; `file` is for messages
};

/// A file that appears whole or not at all.
class SampleWriter {
 public:
  virtual ~SampleWriter() = default;  // before finish() said so: nothing is left, but what a pipe has swallowed
  /// Whole frames, as a WAV file's data chunk holds them (encode_samples), whatever the container makes of them.
  [[nodiscard]] virtual Result<> write(std::span<const std::byte> samples) = 0;
  /// All of it is on the disk, and the name is there and outlives a power cut.
  [[nodiscard]] virtual Result<> finish() = 0;
};

/// Made under a temporary name beside `file` (make_take_file, whose errors these are). INVALID_ARGUMENT for what the
/// container cannot hold: floats or more than 8 channels in a FLAC, 4 GiB in an AIFF.
[[nodiscard]] Result<std::unique_ptr<SampleWriter>> make_sample_writer(const std::filesystem::path& file,
                                                                       Container container,
                                                                       const WriterRequest& request);

/// A WAV stream into a descriptor that stays the caller's. Its header is exact where the length is known, and says
/// 0xFFFFFFFF where it is not. SIGPIPE must be ignored: a reader that has gone is an error like a full disk.
[[nodiscard]] Result<std::unique_ptr<SampleWriter>> make_pipe_writer(int fd, const WriterRequest& request);

/// The libsndfile half of make_sample_writer: every container but WAV.
[[nodiscard]] Result<std::unique_ptr<SampleWriter>> make_sndfile_writer(const std::filesystem::path& file,
                                                                        Container container,
                                                                        const WriterRequest& request);

}  // namespace continuo::media
