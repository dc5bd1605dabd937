// THREAD: any - record start, record stop, takes
#include <CLI/CLI.hpp>
#include <chrono>
#include <optional>
#include <set>
#include <thread>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/split_text.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

struct StartOptions {
  std::vector<std::string> nodes;
  std::string file;
  std::string length;
  std::string format;
  std::string split_every;
  std::string until;
  bool play = false;
  bool split = false;
  bool wait = false;
};

using Take = v1::GetStatusResponse::Take;

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

Failure take_failed(const Take& take) { return {kIoError, "TAKE_FAILED", take.file(), take.error()}; }

// Until the takes of this answer are closed, whatever other takes had their names before. With `can_stop`, Ctrl-C stops
// them and waits on. They are returned as they ended; one that the daemon does not remember any more is left out.
std::vector<Take> wait_for_takes(Context& context, const v1::ApplyResponse& response, bool can_stop) {
  std::optional<Interrupt::Scope> interrupt;
  if (can_stop) interrupt.emplace([] {});
  std::vector<Take> ended(response.closed_takes().begin(), response.closed_takes().end());
  const std::set<std::uint64_t> ids(response.take_ids().begin(), response.take_ids().end());
  if (ended.size() == ids.size()) return ended;
  bool stopping = false;
  const auto limit = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(static_cast<std::int64_t>(context.timeout_seconds * 1e3));
  while (true) {
    const v1::GetStatusResponse status = context.connection().status();
    bool recording = false;
    ended.clear();
    for (const Take& take : status.takes()) {
      if (!ids.contains(take.id())) continue;
      recording = recording || take.recording();
      if (!take.recording()) ended.push_back(take);
    }
    if (!recording) return ended;
    if (!can_stop && std::chrono::steady_clock::now() > limit)
      throw Failure(kTryAgain, "NOT_CLOSED", "",
                    "stopped, but the disk has not taken all of it yet: see 'continuo takes'");
    constexpr std::chrono::milliseconds kLook{50};
    if (!interrupt || stopping) {
      std::this_thread::sleep_for(kLook);
    } else if (interrupt->wait_for(kLook)) {
      v1::ApplyRequest stop;
      std::set<std::string> nodes;
      for (const Take& take : status.takes()) {
        if (ids.contains(take.id()) && take.recording()) nodes.insert(take.node());
      }
      v1::RecordStop& operation = *stop.add_operations()->mutable_record_stop();
      for (const std::string& node : nodes) operation.add_nodes(node);
      try {
        context.connection().apply(stop);
      } catch (const Failure& failure) {
        if (failure.exit_code != kBadData) throw;  // else they ended by themselves meanwhile
      }
      stopping = true;
    }
  }
}

// Exit code 74 where a disk ended one of them ahead of its end.
int outcome(const std::vector<Take>& takes) {
  for (const Take& take : takes) {
    if (!take.error().empty()) throw take_failed(take);
  }
  return kOk;
}

// What is closed now, and where: a file may have got another name than it was promised.
int stopped(Context& context, const v1::ApplyResponse& response) {
  if (response.outcome() != v1::ApplyResponse::OUTCOME_APPLIED) {
    print_takes(context, response);
    return kOk;
  }
  const std::vector<Take> takes = wait_for_takes(context, response, false);
  if (!context.json && !takes.empty()) {
    const MediaRoots roots = context.connection().media_roots();
    for (const Take& take : takes) {
      if (take.files().empty()) print_line(printable(take_path(roots, take.file())));
      for (const std::string& file : take.files()) print_line(printable(take_path(roots, file)));
    }
  }
  return outcome(takes);
}

int start(Context& context, const StartOptions& options, const AtOption& at) {
  if (options.wait && at.given())
    throw Failure(kUsage, "USAGE", "--wait", "--wait follows a take from now; it does not go with --at");
  if (options.wait && options.length.empty() && options.until.empty())
    throw Failure(kUsage, "USAGE", "--wait", "--wait needs an end: give --for T or --until T");
  v1::ApplyRequest request;
  v1::RecordStart& record = *request.add_operations()->mutable_record_start();
  for (const std::string& node : options.nodes) record.add_nodes(node);
  if (!options.file.empty()) record.set_file(options.file);
  if (options.split) record.set_split_channels(true);
  if (!options.format.empty()) {
    v1::TakeFormat format{};
    std::string name = "TAKE_FORMAT_";
    for (const char c : options.format) name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (!v1::TakeFormat_Parse(name, &format) || format == v1::TAKE_FORMAT_UNSPECIFIED)
      throw Failure(kUsage, "USAGE", "--format", "--format is one of float32, pcm24, pcm16, flac24, flac16");
    record.set_format(format);
  }
  if (!options.split_every.empty()) {
    const SplitText part = parse_split(options.split_every, "--split-every");
    if (part.bytes > 0)
      record.set_split_bytes(part.bytes);
    else
      record.set_split_seconds(part.seconds);
  }
  if (!options.length.empty()) {
    const TimeText length = parse_time(options.length, "--for");
    const std::int64_t frames =
        length.to_frames(length.is_frames ? 0.0 : context.connection().clock().engine_rate_hz());
    if (frames == 0) throw Failure(kUsage, "BAD_TIME", "--for", "a take of no length");
    record.set_frames(frames);
  }
  if (!options.until.empty()) {
    const TimeText until = parse_time(options.until, "--until");
    record.set_stop_timeline_frame(
        until.to_frames(until.is_frames ? 0.0 : context.connection().clock().timeline_rate_hz()));
  }
  if (options.play) request.add_operations()->mutable_play();
  at.put_into(context, request);
  if (record.has_stop_timeline_frame() && request.when().kind_case() == v1::When::kTimelineFrame &&
      record.stop_timeline_frame() <= request.when().timeline_frame()) {
    throw Failure(kUsage, "BAD_TIME", "--until", "--until must lie behind --at: the take would end before it begins");
  }
  const v1::ApplyResponse response = apply_and_tell(context, request, "");
  print_takes(context, response);
  return options.wait ? outcome(wait_for_takes(context, response, true)) : static_cast<int>(kOk);
}

int takes(Context& context) {
  const v1::GetStatusResponse status = context.connection().status();
  if (context.json) {
    for (const auto& take : status.takes()) print_line(to_json_line(take));
    return kOk;
  }
  Table table({"TAKE", "OF", ">CHANNELS", ">FRAMES", ">LENGTH", ">LOST FRAMES", "STATE"});
  for (const auto& take : status.takes()) {
    const std::string more = take.files().empty() ? "" : " (of " + std::to_string(take.files_size()) + " files)";
    table.add({take.file() + more, take.node(), std::to_string(take.channels()), std::to_string(take.frames()),
               time_text(take.frames(), take.sample_rate_hz()), std::to_string(take.lost_frames()),
               take.recording()        ? "recording"
               : !take.error().empty() ? "failed: " + take.error()
               : take.recovered()      ? "recovered"
                                       : "closed"});
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
                      "Recorders, tracks, buses, 'in' or 'out'; else every armed recorder of the session, or 'out' where it "
                      "has no recorder");
  command->add_option("--format", options->format,
                      "float32, pcm24, pcm16 (WAV), flac24, flac16; else as the recorder has it, or float32");
  command->add_option("--split-every", options->split_every,
                      "Parts that join without a seam, each of at most 30m, 2h, 700MB, 4GiB: NAME-001.wav ...");
  command->add_option("--file", options->file,
                      "takes:NAME.wav, or .flac; else named after node and time. Never overwrites");
  command->add_option("--for", options->length, "Stop by itself after exactly this long: 10s, 48000f");
  command->add_option("--until", options->until, "Stop by itself where the timeline comes to this time: 1:02.5, 48000f");
  const AtOption start_at = AtOption::of(command);
  command->add_flag("--split", options->split, "One mono file a channel: NAME-ch01.wav, NAME-ch02.wav ...");
  command->add_flag("--play", options->play, "Start the timeline at the same frame");
  command->add_flag("--wait", options->wait, "Follow until the takes are on the disk; Ctrl-C stops them");
  command->callback([&context, options, start_at] {
    context.run = [&context, options, start_at] { return start(context, *options, start_at); };
  });

  auto nodes = std::make_shared<std::vector<std::string>>();
  command = record->add_subcommand("stop", "Stop takes, wait until they are on the disk; prints their files");
  command->add_option("NODE", *nodes, "What was recorded; else everything");
  const AtOption stop_at = AtOption::of(command);
  command->callback([&context, nodes, stop_at] {
    context.run = [&context, nodes, stop_at] {
      v1::ApplyRequest request;
      v1::RecordStop& operation = *request.add_operations()->mutable_record_stop();
      for (const std::string& node : *nodes) operation.add_nodes(node);
      stop_at.put_into(context, request);
      return stopped(context, apply_and_tell(context, request, ""));
    };
  });

  command = app.add_subcommand("takes", "The takes that run, and the last ones");
  command->callback([&context] { context.run = [&context] { return takes(context); }; });
}

}  // namespace continuo::cli
