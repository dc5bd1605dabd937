// THREAD: control makes, disk drains - what a recorder heard before its take began, kept on disk in a circle
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "rt/sink.hpp"
#include "server/base/result.hpp"
#include "server/media/preroll_group.hpp"
#include "server/media/take_writer.hpp"

namespace continuo::media {

struct PrerollRequest {
  std::filesystem::path folder;  // on the volume of the takes
  std::uint32_t channels = 2;    // 1 to 128
  double sample_rate_hz = 48000.0;
  double seconds = 10.0;  // above 0, up to kMaxSeconds
  double ring_seconds = 4.0;
};

/// [control] lends sink(), which waits, to a recorder -> [audio] fills -> [disk] drains into a file of fixed size, the
/// newest in place of the oldest -> [control] begin_with() a take, and record_start names the sink again -> [disk] what
/// was before and what comes go into the take's own ring, in one stream: the joint is no place in it.
///
/// The file has no name: it goes with the process, however that ends. All of it is reserved at once, so a disk that
/// fills up afterwards does not reach it. Frames lost on the way (Gap) are lost frames of the take, at their place.
class Preroll {
 public:
  static constexpr double kMaxSeconds = 600.0;
  static constexpr double kSlackSeconds =
      10.0;  // beside `seconds`: the take may be that far behind while it catches up

  /// Any thread that may wait. DATA_LOSS, DISK_FULL, where the volume has not twice that much left.
  [[nodiscard]] static Result<std::unique_ptr<Preroll>> open(const PrerollRequest& request);
  ~Preroll();

  [[nodiscard]] rt::Sink& sink() noexcept;
  [[nodiscard]] double sample_rate_hz() const noexcept;
  [[nodiscard]] std::uint32_t channels() const noexcept;
  [[nodiscard]] double seconds() const noexcept;
  [[nodiscard]] std::int64_t file_bytes() const noexcept;
  /// Any thread: how much there is of what was before, up to seconds().
  [[nodiscard]] double kept_seconds() const noexcept;
  /// Any thread: empty while all is well. A disk that fails: what was before is lost, what comes goes on.
  [[nodiscard]] std::string error() const;

  /// Control thread, before the record_start that names the sink again is sent: where the take goes. `group`: the takes
  /// that begin with it, on one frame with it; all of them joined before the first of them begins.
  void begin_with(std::shared_ptr<TakeWriter> take, std::shared_ptr<PrerollGroup> group = {});
  /// Control thread, where the audio thread will never finish the sink: the take ends with what is there.
  void abandon() noexcept;

  /// Disk thread, one at a time. True once the sink is finished, and the take, if there is one, has everything.
  bool drain();

 private:
  struct Impl;
  explicit Preroll(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
