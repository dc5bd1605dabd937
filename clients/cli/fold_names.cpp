#include "clients/cli/fold_names.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace continuo::cli {
namespace {

using Numbers = std::vector<std::uint32_t>;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// The name with '#' for each number, and the numbers.
std::pair<std::string, Numbers> split_numbers(const std::string& name) {
  std::pair<std::string, Numbers> result;
  for (std::size_t i = 0; i < name.size();) {
    if (!digit(name[i])) {
      result.first += name[i++];
      continue;
    }
    std::size_t end = i;
    while (end < name.size() && digit(name[end])) ++end;
    std::uint32_t number = 0;
    std::from_chars(name.data() + i, name.data() + end, number);
    result.first += '#';
    result.second.push_back(number);
    i = end;
  }
  return result;
}

bool without_holes(const std::vector<Numbers>& all) {
  std::size_t most = 1;
  for (std::size_t place = 0; place < all.front().size(); ++place) {
    const auto at = [&](const Numbers& numbers) { return numbers[place]; };
    const auto [low, high] = std::ranges::minmax(all, {}, at);
    most *= std::size_t{high[place]} - low[place] + 1;
    if (most > all.size()) return false;
  }
  return most == all.size() && std::set<Numbers>(all.begin(), all.end()).size() == all.size();
}

}  // namespace

std::vector<std::vector<std::size_t>> fold_names(const std::vector<NamedLine>& lines) {
  struct Group {
    std::vector<std::size_t> members;
    std::vector<Numbers> numbers;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto [pattern, numbers] = split_numbers(lines[i].name);
    Group& group = groups[{std::move(pattern), lines[i].rest}];
    group.members.push_back(i);
    group.numbers.push_back(std::move(numbers));
  }
  std::vector<std::vector<std::size_t>> result;
  for (auto& [key, group] : groups) {
    if (without_holes(group.numbers)) {
      result.push_back(std::move(group.members));
    } else {
      for (const std::size_t member : group.members) result.push_back({member});
    }
  }
  std::ranges::sort(result);
  return result;
}

}  // namespace continuo::cli
