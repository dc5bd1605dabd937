#include "server/device/device_match.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace continuo;
using device::match_device;

namespace {
std::vector<device::DeviceInfo> devices(std::vector<std::pair<std::string, std::string>> list) {
  std::vector<device::DeviceInfo> infos;
  for (auto& [name, api] : list) {
    device::DeviceInfo info;
    info.name = name;
    info.host_api = api;
    infos.push_back(info);
  }
  return infos;
}
const auto kSome = devices({{"system", "JACK Audio Connection Kit"},
                            {"USB Audio: - (hw:1,0)", "ALSA"},
                            {"USB Audio: #1 (hw:1,1)", "ALSA"},
                            {"default", "ALSA"},
                            {"default", "OSS"},
                            {"usb", "OSS"}});
bool names(const Error& error, const char* text) { return error.message.find(text) != std::string::npos; }
}  // namespace

TEST_CASE("an exact name wins over names that hold it") {
  const auto match = match_device(kSome, "usb", "");
  REQUIRE(match);
  CHECK(*match == 5);
}

TEST_CASE("letter case is no matter, and a part is enough where it is unique") {
  CHECK(*match_device(kSome, "SYS", "") == 0);
  CHECK(*match_device(kSome, "hw:1,0", "") == 1);
  CHECK(*match_device(kSome, "System", "jack") == 0);
  CHECK(*match_device(kSome, "USB", "OSS") == 5);
}

TEST_CASE("exact letter case wins over another's") {
  const auto list = devices({{"Mix", "ALSA"}, {"mix", "ALSA"}});
  CHECK(*match_device(list, "mix", "") == 1);
  CHECK(*match_device(list, "Mix", "") == 0);
  CHECK_FALSE(match_device(list, "MIX", ""));
}

TEST_CASE("what may mean several is refused and they are named") {
  const auto match = match_device(kSome, "audio", "");
  REQUIRE_FALSE(match);
  CHECK(match.error().kind == ErrorKind::invalid_argument);
  CHECK(match.error().reason == "AMBIGUOUS_DEVICE");
  CHECK(names(match.error(), "hw:1,0"));
  CHECK(names(match.error(), "hw:1,1"));
  CHECK_FALSE(names(match.error(), "system"));
}

TEST_CASE("an exact name that two host APIs have needs the host API") {
  const auto match = match_device(kSome, "default", "");
  REQUIRE_FALSE(match);
  CHECK(match.error().kind == ErrorKind::invalid_argument);
  CHECK(names(match.error(), "OSS"));
  CHECK(*match_device(kSome, "default", "oss") == 4);
  CHECK(*match_device(kSome, "default", "ALSA") == 3);
}

TEST_CASE("what is not there is NOT_FOUND and what there is is named") {
  const auto match = match_device(kSome, "scarlett", "");
  REQUIRE_FALSE(match);
  CHECK(match.error().kind == ErrorKind::not_found);
  CHECK(match.error().field == "device.name");
  CHECK(names(match.error(), "\"system\" (JACK Audio Connection Kit)"));
  const auto api = match_device(kSome, "system", "WASAPI");
  REQUIRE_FALSE(api);
  CHECK(api.error().kind == ErrorKind::not_found);
  CHECK(api.error().field == "device.host_api");
  const auto none = match_device({}, "x", "");
  REQUIRE_FALSE(none);
  CHECK(names(none.error(), "no device at all"));
}

TEST_CASE("a host API that is named in full is not mistaken for one that holds its name") {
  const auto list = devices({{"a", "ALSA"}, {"a", "ALSA over something"}});
  CHECK(*match_device(list, "a", "alsa") == 0);
  CHECK(*match_device(list, "a", "over") == 1);
}

TEST_CASE("an error stays short with a thousand devices") {
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 1000; ++i) many.emplace_back("card " + std::to_string(i), "ALSA");
  const auto match = match_device(devices(many), "none", "");
  REQUIRE_FALSE(match);
  CHECK(match.error().message.size() < 1000);
  CHECK(names(match.error(), "and 984 more"));
}

TEST_CASE("bytes above 127 are compared as they are") {
  const auto list = devices({{"Lautsprecher Gr\xc3\xb6\xc3\x9f"
                              "e",
                              "ALSA"},
                             {"\xff\xfe", "ALSA"}});
  CHECK(*match_device(list,
                      "gr\xc3\xb6\xc3\x9f"
                      "e",
                      "") == 0);
  CHECK(*match_device(list, "\xff", "") == 1);
}
