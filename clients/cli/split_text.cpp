#include "clients/cli/split_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "clients/cli/failure.hpp"

namespace continuo::cli {

SplitText parse_split(const std::string& text, const char* option) {
  struct Unit {
    std::string_view name;
    double seconds, bytes;
  };
  static constexpr std::array<Unit, 11> kUnits{{{"s", 1, 0},
                                                {"m", 60, 0},
                                                {"h", 3600, 0},
                                                {"kB", 0, 1e3},
                                                {"MB", 0, 1e6},
                                                {"GB", 0, 1e9},
                                                {"TB", 0, 1e12},
                                                {"KiB", 0, 0x1p10},
                                                {"MiB", 0, 0x1p20},
                                                {"GiB", 0, 0x1p30},
                                                {"TiB", 0, 0x1p40}}};
  double number = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  constexpr double kMost = 0x1p50;
  if (error == std::errc{} && std::isfinite(number) && number > 0.0) {
    for (const Unit& known : kUnits) {
      const double bytes = number * known.bytes;
      if (known.name == unit && bytes <= kMost)
        return {number * known.seconds, static_cast<std::uint64_t>(std::floor(bytes))};
    }
  }
  throw Failure(kUsage, "BAD_SPLIT", option,
                "'" + text + "' is no length of a part: give 90s, 30m, 2h, or 700MB, 2GB, 4GiB");
}

}  // namespace continuo::cli
