// THREAD: a driver thread - starts a copy of PortAudio and reads what it sees
#pragma once

#include <vector>

#include "server/base/result.hpp"
#include "server/device/portaudio_stream.hpp"

namespace continuo::device {

/// May block for ever where an audio server is frozen. On success the copy is started and must be terminated.
[[nodiscard]] Result<std::vector<SeenDevice>> start_and_list(const PortAudioApi& api);

}  // namespace continuo::device
