// THREAD: any - numbers that an option takes: what CLI11 would misread is refused before anything is done
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace continuo::cli {

/// A finite number from `least` to `most`. CLI::Range takes NaN, which is neither below nor above.
[[nodiscard]] CLI::Validator number_from(double least, double most);
[[nodiscard]] inline CLI::Validator finite_number() {
  return number_from(std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max());
}

/// Digits alone, from `least` to `most`. CLI11 takes the greatest number of its type for one that does not fit.
[[nodiscard]] CLI::Validator whole_number(std::uint64_t least = 0,
                                          std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace continuo::cli
