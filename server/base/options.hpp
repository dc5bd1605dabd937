// THREAD: any - the command line of continuod
#pragma once

#include <string>
#include <variant>

#include "server/base/config.hpp"

namespace continuo {

enum class Action { run, check_config, print_config };

struct Options {
  Action action = Action::run;
  ConfigSources sources;
};

/// A text to print (--help, --version), and with which exit code: 0, or 64 for a wrong flag.
struct Notice {
  std::string text;
  int exit_code = 0;
};

/// One flag for each setting of settings.hpp, beside --config, --check-config, --print-config, --version and --help.
[[nodiscard]] std::variant<Options, Notice> parse_options(int argc, const char* const* argv);

}  // namespace continuo
