// THREAD: control side, any one at a time - which copy of PortAudio may still be used, and what became of the others
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/device/device.hpp"
#include "server/device/portaudio_stream.hpp"

namespace continuo::device {

/// A copy of the library is one of: idle (terminated, may be started again), in use by one stream, or lost. Each start
/// of an idle copy sees the devices anew; while a stream runs, another copy looks. One pool a process, for ever:
/// libraries are never unloaded, since threads of a driver may still be inside.
///
/// Lost: the stream's server died or froze. Its stream, context and copy are kept for ever on purpose, for a late
/// callback must find them; it costs about 250 KiB each, at most kMaxCopies times, then opening is refused. A server
/// that was frozen and goes on calls into a closed gate; the next list() or open() sees its pulse, closes the stream
/// and has the copy back.
class PortAudioPool {
 public:
  static constexpr std::size_t kMaxCopies = 128;

  static PortAudioPool& get();

  /// What there is now. At most 5 s.
  [[nodiscard]] Result<std::vector<SeenDevice>> list();
  /// A running stream, silent behind its gate. Within 15 s.
  [[nodiscard]] Result<std::shared_ptr<PortAudioStream>> open(const DeviceRequest& request);
  /// The gate must be closed. Within 1.9 s whatever became of the server.
  void close(const std::shared_ptr<PortAudioStream>& stream);

  struct Counts {
    std::size_t copies = 0;  // loaded, all told
    std::size_t idle = 0;
    std::size_t lost = 0;
    std::size_t late_starts = 0;  // still inside Pa_Initialize
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Ready {
    PortAudioApi api;
    std::vector<SeenDevice> devices;
  };
  struct Lost {
    std::shared_ptr<PortAudioStream> stream;
    std::uint64_t beats = 0;  // when it was given up
    bool in_driver = false;   // a thread of ours is still inside; it will say when it comes out
  };

  PortAudioPool() = default;
  [[nodiscard]] Result<PortAudioApi> take_copy();
  [[nodiscard]] Result<Ready> start_copy();
  void end_copy(const PortAudioApi& api);
  void give_back(const PortAudioApi& api);
  void lose(const std::shared_ptr<PortAudioStream>& stream, bool in_driver, const char* why);
  void found(const std::shared_ptr<PortAudioStream>& stream);  // a lost one ended in order after all
  void reclaim();

  std::mutex slow_;           // list() and open(), one at a time
  mutable std::mutex mutex_;  // what is below
  std::vector<PortAudioApi> idle_;
  std::vector<Lost> lost_;
  std::vector<std::string> own_clients_;  // JACK shows our own streams as devices
  std::size_t copies_ = 0;
  std::size_t late_starts_ = 0;
};

}  // namespace continuo::device
