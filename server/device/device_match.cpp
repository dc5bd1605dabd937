#include "server/device/device_match.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace continuo::device {
namespace {

// Only ASCII letters fold: device names are in the driver's encoding, and no locale is to be trusted here.
char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_letter(char a, char b) { return folded(a) == folded(b); }

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(), same_letter) != text.end();
}

bool equal_folded(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_letter);
}

constexpr std::size_t kMaxNamed = 16;  // an error stays readable however many devices there are

std::string names(std::span<const DeviceInfo> devices, const std::vector<std::size_t>& which) {
  std::string text;
  for (std::size_t i = 0; i < which.size() && i < kMaxNamed; ++i) {
    const auto& device = devices[which[i]];
    text += (i ? ", \"" : "\"") + device.name + "\" (" + device.host_api + ")";
  }
  if (which.size() > kMaxNamed) text += " and " + std::to_string(which.size() - kMaxNamed) + " more";
  return text;
}

}  // namespace

bool host_api_matches(std::string_view actual, std::string_view wanted) {
  return wanted.empty() || contains(actual, wanted);
}

Result<std::size_t> match_device(std::span<const DeviceInfo> devices, std::string_view name,
                                 std::string_view host_api) {
  std::vector<std::size_t> all(devices.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;

  // A host API that is named in full means that one alone, also where it is a part of another's name.
  const bool api_exact = std::any_of(devices.begin(), devices.end(),
                                     [&](const DeviceInfo& d) { return equal_folded(d.host_api, host_api); });
  std::vector<std::size_t> in_api;
  for (const std::size_t i : all) {
    const std::string& api = devices[i].host_api;
    if (api_exact ? equal_folded(api, host_api) : host_api_matches(api, host_api)) in_api.push_back(i);
  }
  if (in_api.empty() && !host_api.empty()) {
    return make_error(ErrorKind::not_found, "UNKNOWN_HOST_API", "device.host_api",
                      "no device belongs to the host API \"" + std::string(host_api) + "\"; there is " +
                          (all.empty() ? "no device at all" : names(devices, all)));
  }

  const auto pick = [&](auto&& test) {
    std::vector<std::size_t> found;
    std::copy_if(in_api.begin(), in_api.end(), std::back_inserter(found),
                 [&](std::size_t i) { return test(devices[i].name); });
    return found;
  };
  auto found = pick([&](const std::string& n) { return n == name; });
  if (found.empty()) found = pick([&](const std::string& n) { return equal_folded(n, name); });
  if (found.empty()) found = pick([&](const std::string& n) { return contains(n, name); });
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return make_error(ErrorKind::not_found, "UNKNOWN_DEVICE", "device.name",
                      "no device is called \"" + std::string(name) + "\"; there is " +
                          (in_api.empty() ? "no device at all" : names(devices, in_api)));
  }
  return make_error(
      ErrorKind::invalid_argument, "AMBIGUOUS_DEVICE", "device.name",
      "\"" + std::string(name) + "\" may mean " + names(devices, found) + ": give the whole name and the host API");
}

}  // namespace continuo::device
