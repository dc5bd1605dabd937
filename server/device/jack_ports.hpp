// THREAD: control - the names of a JACK client's audio ports, which PortAudio does not tell
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace continuo::device {

struct JackPorts {
  std::vector<std::string> in;   // what we could record: "capture_1"
  std::vector<std::string> out;  // what we could play to: "playback_1"
};

/// Asks the running JACK server, as a client of its own for a moment, through the libjack that `library` brought along.
/// Audio ports alone: PortAudio counts MIDI ports as channels too. Nothing where there is no server; never starts one.
/// May block while the server is frozen.
[[nodiscard]] std::vector<std::optional<JackPorts>> read_jack_ports(void* library,
                                                                    const std::vector<std::string>& clients);

/// `client` as a POSIX extended expression that matches its ports alone.
[[nodiscard]] std::string jack_port_pattern(std::string_view client);

}  // namespace continuo::device
