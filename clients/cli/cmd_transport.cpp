// THREAD: any - play, stop, locate
#include <CLI/CLI.hpp>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/media_files.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

constexpr const char* kPlayContainer = "play";

struct PlayOptions {
  std::vector<std::string> files;
  std::vector<std::string> players;
  bool wait = false;
};

// The transaction that makes the files sound: what an earlier `play` made goes, a track a file comes, all at one frame.
v1::ApplyRequest play_request(Context& context, const std::vector<MediaFile>& files) {
  Connection& daemon = context.connection();
  const Connection::SessionText before = daemon.session_text();
  const v1::Session session = parse_session(before.json);
  v1::ApplyRequest request;
  *request.mutable_expected_revision() = before.revision;
  if (const v1::Node* old = find_node(session, kPlayContainer)) {
    if (old->type() != "container") {
      throw Failure(kBadData, "ID_IN_USE", kPlayContainer,
                    "the session has a " + printable(old->type()) +
                        " called 'play'; use 'track add ID --file FILE', or 'session new' first");
    }
    request.add_operations()->mutable_remove_node()->set_path(kPlayContainer);
  }
  v1::Node container;
  container.set_id(kPlayContainer);
  container.set_type("container");
  std::vector<TrackSource> sources;
  std::set<std::string> taken{"in", "out"};
  for (const MediaFile& file : files) sources.push_back(track_source(file.file, file.media, taken));
  for (const TrackSource& source : sources)
    *container.add_children() = track_node(source.id, source.label, source.media);
  add_node(request, "", container);
  for (const TrackSource& source : sources) add_connect(request, std::string(kPlayContainer) + "/" + source.id, "out");
  request.add_operations()->mutable_locate()->set_timeline_frame(0);
  request.add_operations()->mutable_play();
  return request;
}

// The files into the queue of a free player, in place of what is there, from the first one on.
v1::ApplyRequest play_in_request(Context& context, const std::string& player,
                                 const std::vector<MediaFile>& files) {
  Connection& daemon = context.connection();
  const v1::ListParamsResponse params = daemon.list_params(player);
  v1::ApplyRequest request;
  v1::SetParams cleared;
  cleared.set_path(player);
  for (const auto& param : params.params()) {
    if (param.spec().name() == "file" && !param.value().string_value().empty())
      (*cleared.mutable_values())["file"].set_string_value("");
    if (param.spec().name() == "loop" && param.value().bool_value())
      (*cleared.mutable_values())["loop"].set_bool_value(false);
  }
  if (!cleared.values().empty()) *request.add_operations()->mutable_set_params() = std::move(cleared);
  if (!params.queue().empty()) {
    v1::QueueRemove& remove = *request.add_operations()->mutable_queue_remove();
    remove.set_path(player);
    remove.set_all(true);
  }
  v1::QueueInsert& insert = *request.add_operations()->mutable_queue_insert();
  insert.set_path(player);
  for (const MediaFile& file : files) insert.add_items()->set_file(file.media);
  v1::Skip& skip = *request.add_operations()->mutable_skip();
  skip.set_path(player);
  skip.mutable_item()->set_number(1);
  request.add_operations()->mutable_play()->add_players(player);
  return request;
}

// Until the timeline has passed the end of its last player; then it is stopped. Ctrl-C stops it too.
int wait_for_end(Context& context) {
  const Interrupt::Scope interrupt([] {});
  const auto stop = [&] {
    v1::ApplyRequest request;
    request.add_operations()->mutable_stop();
    context.connection().apply(request);
  };
  const bool show = on_terminal() && !context.json;
  while (true) {
    const v1::GetStatusResponse status = context.connection().status();
    const v1::Clock& clock = status.clock();
    if (show) {
      print_raw("\r" + time_text(clock.timeline_frame(), clock.timeline_rate_hz()) + " / " +
                time_text(status.timeline_end_frame(), clock.timeline_rate_hz()) + "\x1b[K");
      flush_output();
    }
    const bool over = clock.timeline_frame() >= status.timeline_end_frame();
    if (over || !clock.rolling()) {
      if (over && clock.rolling()) stop();
      if (show) print_line("");
      if (!over) note("stopped before the end");
      return kOk;
    }
    const double left =
        static_cast<double>(status.timeline_end_frame() - clock.timeline_frame()) / clock.timeline_rate_hz();
    const auto pause = std::chrono::milliseconds(static_cast<std::int64_t>(std::clamp(left * 1000.0, 5.0, 100.0)));
    if (interrupt.wait_for(pause)) {
      stop();
      if (show) print_line("");
      return kOk;
    }
  }
}

int play(Context& context, const PlayOptions& options, const AtOption& at) {
  if (!options.files.empty() && options.players.size() > 1) {
    throw Failure(kUsage, "USAGE", "--player", "files go into the queue of one player");
  }
  if (options.wait && (at.given() || !options.players.empty())) {
    throw Failure(kUsage, "USAGE", "--wait",
                  "--wait follows the timeline from now; it goes with neither --at nor --player");
  }
  const std::vector<MediaFile> files = media_files(context, options.files);
  for (int attempt = 1;; ++attempt) {
    v1::ApplyRequest request;
    if (files.empty()) {
      v1::Play& operation = *request.add_operations()->mutable_play();
      for (const std::string& player : options.players) operation.add_players(player);
    } else {
      request = options.players.empty() ? play_request(context, files)
                                        : play_in_request(context, options.players.front(), files);
    }
    at.put_into(context, request);
    try {
      apply_and_tell(
          context, request,
          files.empty() ? "playing" : format("playing %zu file%s", files.size(), files.size() == 1 ? "" : "s"));
      break;
    } catch (const Failure& failure) {
      // Somebody edited between our look and our edit: look again.
      if (files.empty() || failure.reason != "REVISION_CHANGED" || attempt == 3) throw;
    }
  }
  return options.wait ? wait_for_end(context) : kOk;
}

}  // namespace

void add_transport_commands(CLI::App& app, Context& context) {
  auto play_options = std::make_shared<PlayOptions>();
  CLI::App* command = app.add_subcommand("play", "Start the timeline; or play files, or each audio file of a folder");
  command->add_option("FILES", play_options->files,
                      "Audio files or folders, or ROOT:PATH on the daemon's machine; they replace what an earlier 'play FILE' brought, or the player's queue");
  command->add_option("--player", play_options->players, "Start this free player instead of the timeline; with FILES it plays these")
      ->allow_extra_args(false);
  const AtOption play_at = AtOption::of(command);
  command->add_flag("--wait", play_options->wait,
                    "Follow until the last file has ended, then stop; Ctrl-C stops at once");
  command->callback([&context, play_options, play_at] {
    context.run = [&context, play_options, play_at] { return play(context, *play_options, play_at); };
  });

  auto players = std::make_shared<std::vector<std::string>>();
  command = app.add_subcommand("stop", "Stop the timeline; it stays where it is");
  command->add_option("--player", *players, "Stop this free player instead of the timeline")->allow_extra_args(false);
  const AtOption stop_at = AtOption::of(command);
  command->callback([&context, players, stop_at] {
    context.run = [&context, players, stop_at] {
      v1::ApplyRequest request;
      v1::Stop& operation = *request.add_operations()->mutable_stop();
      for (const std::string& player : *players) operation.add_players(player);
      stop_at.put_into(context, request);
      apply_and_tell(context, request, "stopped");
      return static_cast<int>(kOk);
    };
  });

  auto time = std::make_shared<std::string>();
  command = app.add_subcommand("locate", "Move the timeline, rolling or not");
  command->add_option("TIME", *time, "1:02.5, 62.5s or 48000f")->required();
  const AtOption locate_at = AtOption::of(command);
  command->callback([&context, time, locate_at] {
    context.run = [&context, time, locate_at] {
      const TimeText place = parse_time(*time, "TIME");
      const std::int64_t frame =
          place.to_frames(place.is_frames ? 0.0 : context.connection().clock().timeline_rate_hz());
      v1::ApplyRequest request;
      request.add_operations()->mutable_locate()->set_timeline_frame(frame);
      locate_at.put_into(context, request);
      apply_and_tell(context, request, "at " + *time);
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace continuo::cli
