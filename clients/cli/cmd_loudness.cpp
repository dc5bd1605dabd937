// THREAD: any - loudness: measurements by name, in the daemon
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "clients/cli/failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"

namespace continuo::cli {
namespace {

std::string number(bool there, double value) { return there ? format("%.1f", value) : "-"; }

void show(const Context& context, const std::vector<v1::Measurement>& all) {
  if (context.json) {
    for (const v1::Measurement& one : all) print_line(to_json_line(one));
    return;
  }
  Table table({"NAME", "NODE", ">SECONDS", ">LUFS", ">LU", ">MAX M", ">MAX S", ">dBTP", ">CLIPS", ">LOST"});
  for (const v1::Measurement& one : all) {
    table.add({one.name(), one.node(), format("%.1f", one.seconds()),
               number(one.has_integrated_lufs(), one.integrated_lufs()), number(one.has_range_lu(), one.range_lu()),
               number(one.has_max_momentary_lufs(), one.max_momentary_lufs()),
               number(one.has_max_short_term_lufs(), one.max_short_term_lufs()),
               number(one.has_max_true_peak_db(), one.max_true_peak_db()), std::to_string(one.clipped_samples()),
               std::to_string(one.lost_frames())});
  }
  if (!table.empty()) table.print();
}

}  // namespace

void add_loudness_commands(CLI::App& app, Context& context) {
  CLI::App* loudness =
      app.add_subcommand("loudness", "Integrated loudness, range and true peak, measured by the daemon under a name")
          ->require_subcommand(1);
  struct Options {
    std::string name;
    std::string node;
  };
  auto options = std::make_shared<Options>();
  const auto add = [&](const char* verb, const char* about, bool tells, auto&& call) {
    CLI::App* command = loudness->add_subcommand(verb, about);
    command->add_option("NAME", options->name, "What it is called; else 'programme'");
    command->callback([&context, options, tells, call] {
      context.run = [&context, options, tells, call] {
        if (options->name.empty()) options->name = "programme";
        const v1::Measurement was = call(context.connection(), *options);
        if (tells || context.json) show(context, {was});
        return static_cast<int>(kOk);
      };
    });
    return command;
  };
  add("start", "Begins, from the next frame on", false, [](Connection& daemon, const Options& what) {
    return daemon.start_measurement(what.name, what.node);
  })->add_option("--node", options->node, "A node that has a meter; else out");
  add("reset", "Says what it was, and begins anew", true,
      [](Connection& daemon, const Options& what) { return daemon.reset_measurement(what.name); });
  add("stop", "Says what it was, and ends", true,
      [](Connection& daemon, const Options& what) { return daemon.stop_measurement(what.name); });
  loudness->add_subcommand("list", "Those that run, as they stand")->callback([&context] {
    context.run = [&context] {
      const v1::ListMeasurementsResponse all = context.connection().list_measurements();
      show(context, {all.measurements().begin(), all.measurements().end()});
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace continuo::cli
