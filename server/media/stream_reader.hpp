// THREAD: control makes, disk fills - one file on its way to one player
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rt/source.hpp"
#include "server/base/result.hpp"
#include "server/media/queue_layout.hpp"
#include "server/media/segment_input.hpp"

namespace continuo::media {

struct StreamRequest {
  std::filesystem::path file;
  double engine_rate_hz = 48000.0;  // libsoxr (very high quality) converts where the file's rate differs
  rt::FrameCount first_frame = 0;   // item frame, engine rate, where it starts
  bool loop = false;  // past the end it goes on from the start: item frames go on rising, the length is endless
  double ring_seconds = 2.0;
  std::int64_t ring_frames = 0;           // instead of ring_seconds: at least as many as fill_to() will ask for
  std::int64_t known_frames = 0;          // of the file, as Decoder::open() takes it
  std::vector<Segment> segments = {};     // instead of a file: one after the other, without a gap (queue_layout.hpp)
  std::optional<Entrance> entrance = {};  // of the segment that first_frame lies in, in its first round
};

/// Samples: integer files are read as int and scaled by 2^-31 exactly, so that a 16- or 24-bit file at unity is
/// bit-exact; float files pass unchanged, but for what is no number: that is silence, and counted. Started anywhere,
/// the sound is identical to having played there from the start (also through a rate conversion: it runs in from a
/// frame whose phase is that of the start). Memory does not grow with the file's length.
/// Segments: item frame 0 is the first one's first. Neighbours of one rate go through one converter, as one file would,
/// also from the last to the first of a loop; where the rate changes, or one crossfades into the next, each has its
/// own.
class StreamReader {
 public:
  /// Disk or any thread that may wait. Opens, seeks, and allocates; nothing is read into the ring yet.
  [[nodiscard]] static Result<std::unique_ptr<StreamReader>> open(const StreamRequest& request);
  ~StreamReader();

  /// Disk thread (or the offline renderer), one at a time: reads and converts until the ring is full, the item has
  /// ended, or about `max_frames` frames were done. Returns the frames written to the ring; a read error ends the item
  /// with silence and sets error().
  std::size_t fill(std::size_t max_frames);

  /// The offline renderer, instead of fill(): afterwards the ring holds at least `frames` frames (at most
  /// StreamRequest::ring_frames), or all that the item has left.
  void fill_to(std::size_t frames);

  /// Filling is work (a codec, another rate), worth a thread of its own.
  [[nodiscard]] bool costly() const noexcept;

  /// Any thread. Half the ring is full, or the item ends before: it may be handed over.
  [[nodiscard]] bool primed() const noexcept;
  /// Any thread. No frame will ever follow those in the ring.
  [[nodiscard]] bool ended() const noexcept;
  /// Any thread. Empty while all is well.
  [[nodiscard]] std::string error() const;
  /// Any thread. The segments (of one file: 0) whose files could not be read, each once.
  [[nodiscard]] std::vector<std::size_t> broken() const;

  /// Any thread. How many samples of the file were infinite or NaN so far, counted each time they are read.
  [[nodiscard]] std::uint64_t non_finite() const noexcept;

  /// The audio thread's end. Lent in a batch, returned in a batch; destroy the reader only when it is home.
  [[nodiscard]] rt::Source& source() noexcept;

 private:
  struct Impl;
  explicit StreamReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
