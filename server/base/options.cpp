#include "server/base/options.hpp"

#include <CLI/CLI.hpp>

#include "server/base/exit_code.hpp"
#include "server/base/settings.hpp"

namespace continuo {

std::variant<Options, Notice> parse_options(int argc, const char* const* argv) {
  CLI::App app(
      "continuod - the Continuo audio server\nA flag goes before its CONTINUO_... variable, that before the file.");
  bool version = false;
  bool check = false;
  bool print = false;
  std::string file;
  app.add_flag("--version", version, "print the version");
  app.add_flag("--check-config", check, "check the configuration and the command line, start nothing");
  app.add_flag("--print-config", print, "print the configuration that would be used, and where each value is from");
  app.add_option("--config", file, "configuration file")->type_name("FILE");

  std::map<std::string, std::vector<std::string>, std::less<>> given;
  for (const Setting& setting : settings()) {
    // One value a flag, so that what follows is never taken for a second; repeated where the setting is a list or a
    // table.
    app.add_option(flag_of(setting), given[std::string(setting.name)], std::string(setting.help))
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->type_name(setting.key == "media.roots"  ? "NAME=FOLDER"
                    : has_entries(setting.target) ? "NAME=ROLE"
                                                  : "VALUE");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Notice{app.help(), kExitOk};
  } catch (const CLI::ParseError& wrong) {
    return Notice{std::string("continuod: ") + wrong.what() + "; see continuod --help\n", kExitUsage};
  }
  if (version) return Notice{"continuod " CONTINUO_VERSION "\n", kExitOk};

  Options options;
  if (check) options.action = Action::check_config;
  if (print) options.action = Action::print_config;
  if (!file.empty()) options.sources.file = file;
  for (auto& [name, texts] : given) {
    if (!texts.empty()) options.sources.flags.emplace(name, std::move(texts));
  }
  return options;
}

}  // namespace continuo
