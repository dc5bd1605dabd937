// THREAD: control makes, disk drains - one take on its way to one file
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "rt/sink.hpp"
#include "server/base/result.hpp"
#include "server/media/take_file.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {

struct TakeRequest {
  std::filesystem::path file;  // the final name; must not exist. Written under "<name>.part" until finished
  std::uint32_t channels = 2;  // 1 to 128
  double sample_rate_hz = 48000.0;
  SampleFormat format = SampleFormat::float32;
  rt::FrameCount limit = rt::kEndless;  // frames
  double ring_seconds = 4.0;
  Dither dither = Dither::none;  // of integers; it follows the timeline frame at which the take began
};

struct TakeResult {
  std::filesystem::path file;     // where the sound is; another name where `file` was taken meanwhile (error says so)
  std::int64_t frames = 0;        // in the file
  std::uint64_t lost_frames = 0;  // of them, written as silence of exact length and marked by cue points
  float peak = 0.0f;              // largest absolute sample
  std::string error;              // empty: all well. A full disk: the take is closed with all that fit
};

/// WAV, RF64 from 4 GiB on. The header on disk is brought up to date at least once a second, so that a killed daemon
/// leaves a valid file.
class TakeWriter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kFlushEvery{750};

  /// Any thread that may wait. Makes the file (O_EXCL) and the ring.
  [[nodiscard]] static Result<std::unique_ptr<TakeWriter>> open(const TakeRequest& request);
  /// The same over a file and a clock of the caller's.
  [[nodiscard]] static Result<std::unique_ptr<TakeWriter>> open(const TakeRequest& request,
                                                                std::unique_ptr<TakeFile> file,
                                                                std::function<Clock::time_point()> now);
  ~TakeWriter();  // not closed by then: "<name>.part" stays, valid up to the last flush

  /// Disk thread, one at a time. Writes what the ring holds; every kFlushEvery also header and flush (unless the caller
  /// flushes for many takes at once). Returns true once the take is finished and closed: fsync done, the file has its
  /// final name. Then result() is final. After a write error the file is closed at once with all that fit, and the ring
  /// is emptied to nowhere until the audio thread has let go.
  bool drain(bool flush = true);

  /// Disk thread: what flushing is made of. update_header() says whether there is anything to sync; sync() covers this
  /// take, or every file of its volume.
  bool update_header();
  void sync(bool whole_volume = false);
  [[nodiscard]] std::uint64_t volume() const noexcept;

  /// Control thread, for a take that the audio thread will never finish (its device is gone, the daemon ends): call
  /// only when no audio callback runs. The next drain() then closes the file with what the ring holds.
  void abandon() noexcept;

  /// Disk thread, instead of the last drain(): removes the file.
  void discard() noexcept;

  [[nodiscard]] TakeResult result() const;  // any thread, once drain() said true
  [[nodiscard]] std::string error() const;  // any thread, any time: empty while all is well
  [[nodiscard]] rt::Sink& sink() noexcept;  // lent to a recorder in a batch

 private:
  struct Impl;
  explicit TakeWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
