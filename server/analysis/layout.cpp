#include "server/analysis/layout.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace continuo::analysis {
namespace {

constexpr double kS = kSurroundWeight;
struct Named {
  std::string_view name;
  std::uint32_t channels;
  std::array<double, 8> weights;
};
constexpr Named kLayouts[] = {
    {"mono", 1, {1}},
    {"stereo", 2, {1, 1}},
    {"3.0", 3, {1, 1, 1}},
    {"quad", 4, {1, 1, kS, kS}},
    {"5.0", 5, {1, 1, 1, kS, kS}},
    {"5.1", 6, {1, 1, 1, 0, kS, kS}},
    {"7.1", 8, {1, 1, 1, 0, 1, 1, kS, kS}},
};

std::optional<std::vector<double>> given(std::string_view text) {
  std::vector<double> weights;
  for (;;) {
    const std::size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    double value = 0.0;
    const auto [end, status] = std::from_chars(one.data(), one.data() + one.size(), value);
    if (status != std::errc{} || end != one.data() + one.size() || !(value >= 0.0 && value <= 100.0)) return {};
    weights.push_back(value);
    if (comma == std::string_view::npos) return weights;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

std::optional<std::vector<double>> channel_weights(std::string_view layout, std::uint32_t channels) {
  if (layout == "all") return std::vector<double>(channels, 1.0);
  for (const Named& named : kLayouts) {
    if (named.name != layout) continue;
    if (named.channels != channels) return {};
    return std::vector<double>(named.weights.begin(), named.weights.begin() + channels);
  }
  auto weights = given(layout);
  if (!weights || weights->size() != channels) return {};
  return weights;
}

std::string_view usual_layout(std::uint32_t channels) {
  const auto* const found = std::ranges::find(kLayouts, channels, &Named::channels);
  return found == std::end(kLayouts) ? std::string_view("all") : found->name;
}

std::vector<double> usual_weights(std::uint32_t channels) { return *channel_weights(usual_layout(channels), channels); }

}  // namespace continuo::analysis
