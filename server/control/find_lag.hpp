// THREAD: any that may wait - how much later a signal comes back, to a part of a frame
#pragma once

#include <optional>
#include <span>

namespace continuo::control {

struct Lag {
  double frames = 0.0;       // how much later `back` is than `out`
  double correlation = 0.0;  // 0 to 1, where they lie best on one another
};

/// By cross-correlation over lags of 0 to `most_frames`, the peak interpolated between frames; polarity does not count.
/// Nothing where no lag stands out: silence, another signal, or one that repeats itself.
[[nodiscard]] std::optional<Lag> find_lag(std::span<const float> out, std::span<const float> back,
                                          std::size_t most_frames);

}  // namespace continuo::control
