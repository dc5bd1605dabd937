#include "server/base/options.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace continuo {
namespace {

std::variant<Options, Notice> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "continuod");
  return parse_options(static_cast<int>(words.size()), words.data());
}

TEST_CASE("flags reach the configuration as given, and a list's flag may be repeated") {
  const auto parsed =
      parse({"--device", "-6 dB box", "--media-root", "a=/a", "--media-root=b=/b", "--config", "/c.toml"});
  const auto* options = std::get_if<Options>(&parsed);
  REQUIRE(options != nullptr);
  CHECK(options->action == Action::run);
  CHECK(options->sources.flags.at("device") == std::vector<std::string>{"-6 dB box"});
  CHECK(options->sources.flags.at("media-root") == std::vector<std::string>{"a=/a", "b=/b"});
  CHECK(options->sources.flags.size() == 2);
  CHECK(options->sources.file == "/c.toml");
}

TEST_CASE("what is asked beside running") {
  CHECK(std::get<Options>(parse({"--check-config"})).action == Action::check_config);
  CHECK(std::get<Options>(parse({"--print-config", "--rate", "48000"})).action == Action::print_config);
  CHECK(std::get<Notice>(parse({"--version"})).text == "continuod " CONTINUO_VERSION "\n");
  CHECK(std::get<Notice>(parse({"--version"})).exit_code == 0);
  const Notice help = std::get<Notice>(parse({"--help"}));
  CHECK(help.exit_code == 0);
  CHECK(help.text.find("--media-root") != std::string::npos);
}

TEST_CASE("a wrong command line is exit code 64") {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"--devise", "x"}, {"--device"}, {"x"}, {"--check-config=maybe"}}) {
    const auto parsed = parse(words);
    const auto* notice = std::get_if<Notice>(&parsed);
    REQUIRE(notice != nullptr);
    CHECK(notice->exit_code == 64);
    CHECK(notice->text.starts_with("continuod: "));
  }
}

}  // namespace
}  // namespace continuo
