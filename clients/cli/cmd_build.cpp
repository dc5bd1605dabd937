// THREAD: any - track add, add, remove, connect, disconnect, edit
#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/local_file.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

constexpr std::size_t kMaxEditBytes = std::size_t{4} << 20U;  // what gRPC takes as one message

struct AddOptions {
  std::string path;
  std::string type;
  std::vector<std::string> assignments;
  std::string before;
  std::string label;
};

struct TrackOptions {
  std::string path;
  std::string file;
  std::string gain_db;
  std::string pan;
  std::string label;
  std::string before;
  bool unconnected = false;
};

struct ConnectOptions {
  std::string from;
  std::string to;
  std::string gain_db;
  std::string map;
};

struct EditOptions {
  std::string file;
  bool dry_run = false;
};

int add(Context& context, const AddOptions& options, const AtOption& at) {
  const NodePath path = split_path(options.path);
  v1::Node node;
  node.set_id(path.id);
  node.set_type(options.type);
  node.set_label(options.label);
  for (const std::string& assignment : options.assignments) {
    const auto [name, text] = split_assignment(assignment);
    if (node.params().contains(name)) throw Failure(kUsage, "TWICE", name, "'" + name + "' is given twice");
    (*node.mutable_params())[name] = local_value(context, name, text);
  }
  v1::ApplyRequest request;
  add_node(request, path.parent, node, options.before);
  at.put_into(context, request);
  apply_and_tell(context, request, "added " + options.path);
  return kOk;
}

int add_track(Context& context, const TrackOptions& options, const AtOption& at) {
  const NodePath path = split_path(options.path);
  std::string media;
  if (!options.file.empty()) {
    const MediaRoots roots = context.connection().media_roots();
    media = names_root(roots, options.file) ? options.file : media_name(roots, options.file);
  }
  v1::Node track = track_node(path.id, options.label, media);
  if (!options.gain_db.empty())
    (*track.mutable_params())["gain_db"].set_number_value(parse_db(options.gain_db, "--gain"));
  if (!options.pan.empty()) {
    const auto pan = parse_value(options.pan);
    if (!pan.has_number_value())
      throw Failure(kUsage, "BAD_VALUE", "--pan", "'" + options.pan + "' is not a number; -1 is left, 1 is right");
    (*track.mutable_params())["pan"] = pan;
  }
  v1::ApplyRequest request;
  add_node(request, path.parent, track, options.before);
  if (!options.unconnected) add_connect(request, options.path, "out");
  at.put_into(context, request);
  apply_and_tell(context, request, "added " + options.path);
  return kOk;
}

int connect(Context& context, const ConnectOptions& options, const AtOption& at) {
  v1::ApplyRequest request;
  v1::Connect& operation = *request.add_operations()->mutable_connect();
  operation.set_from(options.from);
  operation.set_to(options.to);
  if (!options.gain_db.empty()) operation.set_gain_db(parse_db(options.gain_db, "--gain"));
  if (!options.map.empty()) {
    for (const auto& [from, to] : parse_channel_map(options.map)) {
      v1::ChannelPair& pair = *operation.add_channels();
      pair.set_from(from);
      pair.set_to(to);
    }
  }
  at.put_into(context, request);
  apply_and_tell(context, request, "connected " + options.from + " to " + options.to);
  return kOk;
}

int edit(Context& context, const EditOptions& options, const AtOption& at) {
  const std::string json = read_file(options.file, kMaxEditBytes);
  v1::ApplyRequest request;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &request);  // refuses unknown fields
  if (!status.ok()) {
    throw Failure(kBadData, "BAD_JSON", options.file,
                  "'" + options.file + "' is no transaction: " + std::string(status.message()));
  }
  if (request.operations_size() == 0) {
    throw Failure(kBadData, "NO_OPERATIONS", "operations",
                  "'" + options.file + "' holds no operations; write {\"operations\": [...]}");
  }
  if (options.dry_run) request.set_dry_run(true);
  if (at.given() && request.has_when())
    throw Failure(kUsage, "TWICE", "--at", "'" + options.file + "' says when already; leave --at out");
  at.put_into(context, request);
  apply_and_tell(context, request,
                 request.dry_run() ? "valid"
                                   : format("applied %d operation%s", request.operations_size(),
                                            request.operations_size() == 1 ? "" : "s"));
  return kOk;
}

void add_node_commands(CLI::App& app, Context& context) {
  auto added = std::make_shared<AddOptions>();
  CLI::App* command = app.add_subcommand("add", "Add a node: add vox/eq gain gain_db=-6");
  command->add_option("PATH", added->path, "Its path; what is before the last '/' holds it")->required();
  command->add_option("TYPE", added->type, "track, bus, container, player, gain, ...: 'params --types' lists them")
      ->required();
  command->add_option("PARAM=VALUE", added->assignments, "Parameters; a local file becomes the daemon's name of it");
  command->add_option("--before", added->before, "The sibling's id before which it goes; else at the end");
  command->add_option("--label", added->label, "Free text for people");
  const AtOption add_at = AtOption::of(command);
  command->callback(
      [&context, added, add_at] { context.run = [&context, added, add_at] { return add(context, *added, add_at); }; });

  auto removed = std::make_shared<std::vector<std::string>>();
  command = app.add_subcommand("remove", "Remove nodes, what is below them, and their connections");
  command->add_option("PATH", *removed, "Paths")->required();
  const AtOption remove_at = AtOption::of(command);
  command->callback([&context, removed, remove_at] {
    context.run = [&context, removed, remove_at] {
      v1::ApplyRequest request;
      for (const std::string& path : *removed) request.add_operations()->mutable_remove_node()->set_path(path);
      remove_at.put_into(context, request);
      apply_and_tell(context, request, "removed");
      return static_cast<int>(kOk);
    };
  });

  auto moved = std::make_shared<v1::MoveNode>();
  command = app.add_subcommand("move",
                               "Move a node, with what is below it, without a sound of it: move vox/eq --before comp");
  command
      ->add_option_function<std::string>(
          "PATH", [moved](const std::string& path) { moved->set_path(path); }, "Its path")
      ->required();
  command->add_option_function<std::string>(
      "--to", [moved](const std::string& path) { moved->set_parent(path); },
      "The path of its new parent, \"\" for the root; else it stays with the one that it has");
  command->add_option_function<std::string>(
      "--before", [moved](const std::string& id) { moved->set_before(id); },
      "The id of the sibling before which it goes; else at the end");
  command->add_option_function<std::string>("--id", [moved](const std::string& id) { moved->set_id(id); }, "A new id");
  const AtOption move_at = AtOption::of(command);
  command->callback([&context, moved, move_at] {
    context.run = [&context, moved, move_at] {
      v1::ApplyRequest request;
      *request.add_operations()->mutable_move_node() = *moved;
      move_at.put_into(context, request);
      apply_and_tell(context, request, "moved");
      return static_cast<int>(kOk);
    };
  });
}

void add_track_commands(CLI::App& app, Context& context) {
  CLI::App* track = app.add_subcommand("track", "Tracks")->require_subcommand(1);
  auto options = std::make_shared<TrackOptions>();
  CLI::App* command =
      track->add_subcommand("add", "Add a track, connected to out; with a player where a file is given");
  command->add_option("ID", options->path, "Its id, or path below a container")->required();
  command->add_option("--file", options->file, "An audio file: local, or ROOT:RELATIVE");
  command->add_option("--gain", options->gain_db, "dB");
  command->add_option("--pan", options->pan, "-1 (left) to 1 (right)");
  command->add_option("--label", options->label, "Free text for people");
  command->add_option("--before", options->before, "The sibling's id before which it goes; else at the end");
  command->add_flag("--no-connect", options->unconnected, "Leave it unconnected");
  const AtOption at = AtOption::of(command);
  command->callback(
      [&context, options, at] { context.run = [&context, options, at] { return add_track(context, *options, at); }; });
}

void add_connect_commands(CLI::App& app, Context& context) {
  auto options = std::make_shared<ConnectOptions>();
  CLI::App* command = app.add_subcommand("connect", "Connect a node or device channel to another: connect vox out:3");
  command->add_option("FROM", options->from, "PATH or PATH:PORT; in:N is a device input")->required();
  command->add_option("TO", options->to, "PATH or PATH:PORT; out:N is a device output")->required();
  command->add_option("--gain", options->gain_db, "dB");
  command->add_option("--map", options->map, "Which channel goes where: 1:3,2:4");
  const AtOption connect_at = AtOption::of(command);
  command->callback([&context, options, connect_at] {
    context.run = [&context, options, connect_at] { return connect(context, *options, connect_at); };
  });

  auto ends = std::make_shared<ConnectOptions>();
  command = app.add_subcommand("disconnect", "Remove every connection between two ports");
  command->add_option("FROM", ends->from, "PATH or PATH:PORT")->required();
  command->add_option("TO", ends->to, "PATH or PATH:PORT")->required();
  const AtOption disconnect_at = AtOption::of(command);
  command->callback([&context, ends, disconnect_at] {
    context.run = [&context, ends, disconnect_at] {
      v1::ApplyRequest request;
      v1::Disconnect& operation = *request.add_operations()->mutable_disconnect();
      operation.set_from(ends->from);
      operation.set_to(ends->to);
      disconnect_at.put_into(context, request);
      apply_and_tell(context, request, "disconnected " + ends->from + " from " + ends->to);
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace

void add_build_commands(CLI::App& app, Context& context) {
  add_track_commands(app, context);
  add_node_commands(app, context);
  add_connect_commands(app, context);
  auto options = std::make_shared<EditOptions>();
  CLI::App* command =
      app.add_subcommand("edit", "Apply a JSON transaction: {\"operations\": [...]}, all of it or nothing");
  command->add_option("FILE", options->file, "The file; '-' is standard input")->required();
  command->add_flag("--dry-run", options->dry_run, "Check only");
  const AtOption at = AtOption::of(command);
  command->callback(
      [&context, options, at] { context.run = [&context, options, at] { return edit(context, *options, at); }; });
}

}  // namespace continuo::cli
