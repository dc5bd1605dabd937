// THREAD: any - numbered names that say the same, as one line: "gain.1_1 to gain.16_16"
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace continuo::cli {

struct NamedLine {
  std::string name;
  std::string rest;  // what two lines must share, to be one
};

/// Groups of lines, by index, in order of their first; every line is in one. Lines are together that differ in nothing
/// but the numbers in their names, where these numbers run without a hole (each from its lowest to its highest, in all
/// combinations): else the first and the last would not say which there are.
[[nodiscard]] std::vector<std::vector<std::size_t>> fold_names(const std::vector<NamedLine>& lines);

}  // namespace continuo::cli
