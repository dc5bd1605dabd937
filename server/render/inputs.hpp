// THREAD: job - every file that a render reads: the players' and the device's
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "rt/command.hpp"
#include "rt/types.hpp"
#include "server/base/result.hpp"
#include "server/media/stream_reader.hpp"

namespace continuo::render {

/// The rings are filled before each chunk of the render: the engine never waits for a file and never misses a frame.
/// Each file is read on by one thread at a time, whichever; that changes no sample.
class Inputs {
 public:
  /// `chunk_frames`: the most that fill() will be asked for.
  Inputs(std::uint32_t rate_hz, std::uint32_t chunk_frames);
  ~Inputs();

  /// A player's file, from item frame `first_frame` on.
  [[nodiscard]] Result<rt::Source*> add(media::StreamRequest request);
  /// What the device's inputs bring, from its first frame on.
  [[nodiscard]] Result<> add_device(const std::filesystem::path& file, std::uint32_t block_frames);

  [[nodiscard]] std::size_t files() const noexcept { return streams_.size(); }
  /// How many of them are work enough for threads of their own (a codec, another rate). They come first.
  [[nodiscard]] std::size_t costly() const noexcept { return costly_.size(); }
  /// Any thread, one at a time for each file: its ring then holds `frames` frames, or all that is left.
  void fill(std::size_t file, std::uint32_t frames);
  /// The device's next frames (at most `block_frames`), planar; silence after the file's end. Without a file: no
  /// channels.
  [[nodiscard]] rt::InputBlock device(std::uint32_t frames);

  /// Files that held NaN or infinities, which were taken as silence, a line each.
  [[nodiscard]] std::vector<std::string> spoiled() const;

  /// Of the first file that could not be read to its end; empty while all is well.
  [[nodiscard]] std::string error() const;

 private:
  const std::uint32_t rate_hz_;
  const std::uint32_t chunk_frames_;
  std::vector<std::unique_ptr<media::StreamReader>> streams_;
  std::vector<std::filesystem::path> names_;  // theirs
  std::vector<media::StreamReader*> plain_;   // each of them is
  std::vector<media::StreamReader*> costly_;  // in one of these
  media::StreamReader* device_ = nullptr;     // one of them
  std::vector<float> interleaved_;
  std::vector<float> planar_;
  std::vector<const float*> channels_;
};

}  // namespace continuo::render
