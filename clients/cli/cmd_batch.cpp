// THREAD: any - render, compare, measure: the offline program does them, no daemon is needed unless it is to render its
// own session
#include <CLI/CLI.hpp>
#include <algorithm>

#include "clients/cli/context.hpp"
#include "clients/cli/sibling.hpp"

namespace continuo::cli {

void add_batch_commands(CLI::App& app, Context& context) {
  // Everything after the name goes to the other program as it is, its own --help included.
  const auto pass_on = [&](const char* name, const char* help, std::vector<std::string> first) {
    CLI::App* command = app.add_subcommand(name, help)->fallthrough(false)->prefix_command();
    command->set_help_flag();
    command->callback([&context, command, first] {
      std::vector<std::string> words = command->remaining();
      if (first.empty() && std::ranges::find(words, "--on-server") != words.end()) {
        context.run = [&context, words] { return render_on_server(context, words); };
        return;
      }
      context.passes_on = true;
      context.run = [&context, command, first]() -> int {
        std::vector<std::string> arguments = first;
        const std::vector<std::string> rest = command->remaining();
        arguments.insert(arguments.end(), rest.begin(), rest.end());
        if (context.json) arguments.emplace_back("--json");
        run_sibling("continuo-render", arguments);
      };
    });
  };
  pass_on("render",
          "Render a session file to a sound file, offline: render SESSION -o OUT.wav [--set NODE.PARAM=V]...; or the "
          "daemon's "
          "session, there: render --on-server ROOT:OUT.wav",
          {});
  pass_on("compare", "Compare two audio files sample by sample: compare A B", {"compare"});
  pass_on("measure", "Loudness, true peak, peak, clipped samples and silence of audio files: measure FILE...",
          {"measure"});
}

}  // namespace continuo::cli
