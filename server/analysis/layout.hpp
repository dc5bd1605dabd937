// THREAD: any - which loudspeaker a channel is for, as far as loudness is concerned
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace continuo::analysis {

/// Of the surround channels: ITU-R BS.1770-4, Tables 3 and 4 (azimuth 60 to 120 degrees).
inline constexpr double kSurroundWeight = 1.41;

/// How much of each channel's power counts. Names: "mono", "stereo", "3.0", "quad", "5.0", "5.1", "7.1", "all" (each
/// channel as it is); or the factors with commas ("1,1,1,0,1.41,1.41"), 0 to 100 each. Channels are in the order of a
/// WAV file: L R C LFE, then Ls Rs (5.1) or the two behind and the two at the sides (7.1, where only the sides count
/// more). An LFE does not count. Nothing where the name is none, or is one of another number of channels.
[[nodiscard]] std::optional<std::vector<double>> channel_weights(std::string_view layout, std::uint32_t channels);

/// The name of what that many channels are taken for: 1 mono, 2 stereo, 3 "3.0", 4 quad, 5 "5.0", 6 "5.1", 8 "7.1",
/// else "all".
[[nodiscard]] std::string_view usual_layout(std::uint32_t channels);
/// Its weights: there are some for any number.
[[nodiscard]] std::vector<double> usual_weights(std::uint32_t channels);

}  // namespace continuo::analysis
