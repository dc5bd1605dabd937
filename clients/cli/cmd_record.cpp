// THREAD: any - record start, record stop, takes
#include <CLI/CLI.hpp>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

struct StartOptions {
  std::vector<std::string> nodes;
  std::string file;
  std::string length;
  bool play = false;
  bool wait = false;
};

const v1::GetStatusResponse::Take* find_take(const v1::GetStatusResponse& status, const std::string& file) {
  for (const auto& take : status.takes()) {
    if (take.file() == file) return &take;
  }
  return nullptr;
}

// "takes:x.wav" and where that is, so that it can be pasted into a player.
std::string take_path(const MediaRoots& roots, const std::string& file) {
  const std::size_t colon = file.find(':');
  const auto root = roots.find(file.substr(0, colon));
  return colon == std::string::npos || root == roots.end() ? file : (root->second / file.substr(colon + 1)).string();
}

void print_takes(Context& context, const v1::ApplyResponse& response) {
  if (context.json || response.takes().empty()) return;
  const MediaRoots roots = context.connection().media_roots();
  for (const std::string& file : response.takes()) print_line(printable(take_path(roots, file)));
}

// Until none of the takes records any more. A take that failed is a failure of ours.
int wait_for_takes(Context& context, const v1::ApplyResponse& response) {
  const Interrupt::Scope interrupt([] {});
  while (true) {
    const v1::GetStatusResponse status = context.connection().status();
    bool recording = false;
    for (const std::string& file : response.takes()) {
      const auto* take = find_take(status, file);
      recording = recording || (take != nullptr && take->recording());
      if (take != nullptr && !take->error().empty()) throw Failure(kIoError, "TAKE_FAILED", file, take->error());
    }
    if (!recording) return kOk;
    if (interrupt.wait_for(std::chrono::milliseconds(50))) {
      v1::ApplyRequest stop;
      stop.add_operations()->mutable_record_stop();
      context.connection().apply(stop);
      return kOk;
    }
  }
}

int start(Context& context, const StartOptions& options, const AtOption& at) {
  if (options.wait && at.given())
    throw Failure(kUsage, "USAGE", "--wait", "--wait follows a take from now; it does not go with --at");
  if (options.wait && options.length.empty())
    throw Failure(kUsage, "USAGE", "--wait", "--wait needs an end: give --for T");
  v1::ApplyRequest request;
  v1::RecordStart& record = *request.add_operations()->mutable_record_start();
  for (const std::string& node : options.nodes) record.add_nodes(node);
  if (!options.file.empty()) record.set_file(options.file);
  if (!options.length.empty()) {
    const TimeText length = parse_time(options.length, "--for");
    const std::int64_t frames =
        length.to_frames(length.is_frames ? 0.0 : context.connection().clock().engine_rate_hz());
    if (frames == 0) throw Failure(kUsage, "BAD_TIME", "--for", "a take of no length");
    record.set_frames(frames);
  }
  if (options.play) request.add_operations()->mutable_play();
  at.put_into(context, request);
  const v1::ApplyResponse response = apply_and_tell(context, request, "");
  print_takes(context, response);
  return options.wait ? wait_for_takes(context, response) : static_cast<int>(kOk);
}

int takes(Context& context) {
  const v1::GetStatusResponse status = context.connection().status();
  if (context.json) {
    for (const auto& take : status.takes()) print_line(to_json_line(take));
    return kOk;
  }
  const double rate = status.clock().engine_rate_hz();
  Table table({"TAKE", "OF", ">CHANNELS", ">FRAMES", ">LENGTH", ">LOST", "STATE"});
  for (const auto& take : status.takes()) {
    table.add({take.file(), take.node(), std::to_string(take.channels()), std::to_string(take.frames()),
               time_text(take.frames(), rate), std::to_string(take.lost_frames()),
               take.recording()       ? "recording"
               : take.error().empty() ? "closed"
                                      : "failed: " + take.error()});
  }
  table.print();
  return kOk;
}

}  // namespace

void add_record_commands(CLI::App& app, Context& context) {
  CLI::App* record = app.add_subcommand("record", "Start and stop takes")->require_subcommand(1);
  auto options = std::make_shared<StartOptions>();
  CLI::App* command = record->add_subcommand("start", "Record; prints the takes' files");
  command->add_option("NODE", options->nodes,
                      "Recorders, tracks, buses, 'in' or 'out'; else every recorder of the session, else 'out'");
  command->add_option("--file", options->file, "takes:NAME.wav; else named after node and time. Never overwrites");
  command->add_option("--for", options->length, "Stop by itself after exactly this long: 10s, 48000f");
  const AtOption start_at = AtOption::of(command);
  command->add_flag("--play", options->play, "Start the timeline at the same frame");
  command->add_flag("--wait", options->wait, "Follow until the takes are closed; Ctrl-C stops them");
  command->callback([&context, options, start_at] {
    context.run = [&context, options, start_at] { return start(context, *options, start_at); };
  });

  auto nodes = std::make_shared<std::vector<std::string>>();
  command = record->add_subcommand("stop", "Stop and close takes; prints their files");
  command->add_option("NODE", *nodes, "What was recorded; else everything");
  const AtOption stop_at = AtOption::of(command);
  command->callback([&context, nodes, stop_at] {
    context.run = [&context, nodes, stop_at] {
      v1::ApplyRequest request;
      v1::RecordStop& operation = *request.add_operations()->mutable_record_stop();
      for (const std::string& node : *nodes) operation.add_nodes(node);
      stop_at.put_into(context, request);
      print_takes(context, apply_and_tell(context, request, ""));
      return static_cast<int>(kOk);
    };
  });

  command = app.add_subcommand("takes", "The takes that run, and the last ones");
  command->callback([&context] { context.run = [&context] { return takes(context); }; });
}

}  // namespace continuo::cli
