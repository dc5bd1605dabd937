// THREAD: any - "30m", "2GB": how long, or how large, a part of a take may be
#pragma once

#include <cstdint>
#include <string>

namespace continuo::cli {

struct SplitText {
  double seconds = 0.0;  // one of the two is above 0
  std::uint64_t bytes = 0;
};

/// A number and s, m or h; kB, MB, GB or TB (powers of 1000), KiB, MiB, GiB or TiB. A Failure (exit 64) names `option`.
[[nodiscard]] SplitText parse_split(const std::string& text, const char* option);

}  // namespace continuo::cli
