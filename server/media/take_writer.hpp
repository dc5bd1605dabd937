// THREAD: control makes, disk drains - one take on its way to one file
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rt/sink.hpp"
#include "server/base/result.hpp"
#include "server/media/sample_writer.hpp"
#include "server/media/take_file.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media {

/// Where a take's first frame belongs, for what the file says of it (bext).
struct TakePlace {
  std::int64_t time_reference = 0;  // timeline frame of the file's rate, latencies removed; may be below 0
  std::int64_t began_utc_ns = 0;    // since 1970; 0: not known
};

struct TakeRequest {
  std::filesystem::path file;  // the final name; must not exist. Written under "<name>.part" until finished
  std::uint32_t channels = 2;  // 1 to 128
  double sample_rate_hz = 48000.0;
  SampleFormat format = SampleFormat::float32;
  rt::FrameCount limit = rt::kEndless;  // frames
  double ring_seconds = 4.0;  // a disk that stands still for so long costs nothing; memory: this much sound as floats
  Dither dither = Dither::none;  // of integers; it follows the timeline frame at which the take began
  MakeTakeFile make = {};        // empty: make_take_file
  std::int64_t max_riff_bytes = WavFormat{}.max_riff_bytes;
  bool split = false;                    // one file a channel, all of one length: take_files()
  Container container = Container::wav;  // or flac: integers, and at most 8 channels in a file
  std::int64_t part_frames = 0;          // above 0: after so many frames the next part begins, "<name>-002.wav"
  std::string description = {};          // what the files say of themselves, beside place
  std::string reference = {};            // new_take_reference(); empty: they have none
  /// Runs work on a thread that may wait: the closing of a part while the next one goes on. Empty: at once.
  std::function<void(std::function<void()>)> later = {};
  /// Disk thread, once the sink has started: from its start frames (start_engine_frame, start_timeline_frame). Empty:
  /// time_reference is start_timeline_frame.
  std::function<TakePlace(rt::FrameCount engine_frame, rt::FrameCount timeline_frame)> place = {};
};

struct TakeResult {
  std::filesystem::path file;  // where the sound is; another name where `file` was taken meanwhile (error says so)
  std::vector<std::filesystem::path> files = {};  // all of them, part by part; `file` is the first
  std::int64_t frames = 0;                        // of the take; of each channel, where each has a file
  std::uint64_t lost_frames = 0;    // of them, written as silence of exact length and marked by cue points
  std::uint64_t unmarked_gaps = 0;  // beyond kMaxMarks in a part
  TakePlace place = {};
  float peak = 0.0f;  // largest absolute sample
  std::string error;  // empty: all well. A full disk: the take is closed with all that fit
};

/// "a.wav" in as many files as it has channels: "a-ch01.wav" to "a-ch16.wav"; 0: the one polyphonic file. "{channel}"
/// in the name is where the number goes instead; without channels it goes, with what joins it: "a-{channel}.wav" is
/// "a.wav".
[[nodiscard]] std::vector<std::filesystem::path> take_files(const std::filesystem::path& file,
                                                            std::uint32_t split_channels);

/// WAV, RF64 from 4 GiB on; or FLAC. The header is brought up to date every kHeaderEvery, so that a killed daemon
/// leaves a valid file; header and sound are flushed every kFlushEvery, so that a power cut does.
class TakeWriter {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kHeaderEvery{240};
  static constexpr std::chrono::milliseconds kFlushEvery{980};  // a flush a second; the rest is for a round of draining

  /// Any thread that may wait. Makes the file (O_EXCL) and the ring. INVALID_ARGUMENT names the member of the request
  /// that cannot be: channels, format (floats in a FLAC), sample_rate_hz.
  [[nodiscard]] static Result<std::unique_ptr<TakeWriter>> open(const TakeRequest& request);
  /// The same over a file and a clock of the caller's.
  [[nodiscard]] static Result<std::unique_ptr<TakeWriter>> open(const TakeRequest& request,
                                                                std::unique_ptr<TakeFile> file,
                                                                std::function<Clock::time_point()> now);
  [[nodiscard]] static Result<std::unique_ptr<TakeWriter>> open(const TakeRequest& request,
                                                                std::vector<std::unique_ptr<TakeFile>> files,
                                                                std::function<Clock::time_point()> now);
  ~TakeWriter();  // not closed by then: "<name>.part" stays, valid up to the last flush

  /// Disk thread, one at a time. Writes what the ring holds; also header and flush when they are due (unless the caller
  /// does that for many takes at once). Returns true once the take is finished and closed: fsync done, the file has its
  /// final name. Then result() is final. After a write error the file is closed at once with all that fit, and the ring
  /// is emptied to nowhere until the audio thread has let go.
  bool drain(bool flush = true);

  /// Disk thread: what flushing is made of. update_header() says whether there is anything to sync; sync() covers this
  /// take, or every file of its volume; told_synced() where another take's sync covered this one.
  bool update_header();
  void sync(bool whole_volume = false);
  void told_synced() noexcept;
  /// The same, before a flush: a file that was deleted or moved under the take ends it now, not when it gets its name.
  void look();
  [[nodiscard]] std::uint64_t volume() const noexcept;
  [[nodiscard]] std::int64_t free_bytes() const noexcept;  // on the volume; -1: not known
  /// So long after a flush the next is due: sooner where FLAC holds a block back.
  [[nodiscard]] std::chrono::nanoseconds flush_every() const noexcept;
  /// The file is closed, be it ahead of the take's end, after an error. Then result() is final but for what is lost.
  [[nodiscard]] bool closed() const noexcept;

  /// Control thread, for a take that the audio thread will never finish (its device is gone, the daemon ends): call
  /// only when no audio callback runs. The next drain() then closes the file with what the ring holds.
  void abandon() noexcept;

  /// Disk thread, instead of the last drain(): removes the file.
  void discard() noexcept;

  [[nodiscard]] TakeResult result() const;  // any thread, once drain() said true
  [[nodiscard]] std::string error() const;  // any thread, any time: empty while all is well
  /// Any thread, any time: the files so far, part by part; and where the take belongs, once it has begun.
  [[nodiscard]] std::vector<std::filesystem::path> files() const;
  [[nodiscard]] std::optional<TakePlace> place() const;
  [[nodiscard]] rt::Sink& sink() noexcept;  // lent to a recorder in a batch

 private:
  struct Impl;
  explicit TakeWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
