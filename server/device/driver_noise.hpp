// THREAD: any but audio - what sound drivers print is kept for error messages, and out of the daemon's stderr
#pragma once

#include <cstddef>
#include <string>

namespace continuo::device {

/// While one lives, what C code writes through `stderr` (ALSA's and JACK's probing, up to 65 lines a start of
/// PortAudio, and PortAudio's own complaints) goes to a bounded memory. Descriptor 2 is not touched, so neither our log
/// nor a crash message of another thread is lost.
class QuietDrivers {
 public:
  QuietDrivers();
  ~QuietDrivers();
  QuietDrivers(const QuietDrivers&) = delete;
  QuietDrivers& operator=(const QuietDrivers&) = delete;
};

/// Gives the drivers' own error hooks (ALSA's handler, JACK's two functions), found through `library`, to the same
/// memory for good: they speak on threads of their own, at any time.
void catch_driver_messages(void* library);

/// The last lines, oldest first, in one line; empty when there are none. At most kKeptLines are kept.
inline constexpr std::size_t kKeptLines = 64;
[[nodiscard]] std::string last_driver_messages(std::size_t lines);
void forget_driver_messages();

/// The hook that JACK is given, and for words of our own. Wait-free; a thread may be cancelled anywhere in it.
void remember_driver_message(const char* line);

}  // namespace continuo::device
