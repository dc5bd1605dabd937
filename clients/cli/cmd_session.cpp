// THREAD: any - session new, from, load, save, show, check
#include <CLI/CLI.hpp>
#include <algorithm>

#include "clients/cli/failure.hpp"
#include "clients/cli/local_file.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/sibling.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMaxSessionBytes = std::size_t{64} << 20U;  // the contract's limit

struct SessionOptions {
  std::string file;
  std::string name;
  std::uint32_t rate_hz = 0;
  std::string output;
  bool force = false;
  bool dry_run = false;
  bool keep_transport = false;
  bool tree = false;
};

v1::Session empty_session(const SessionOptions& options) {
  v1::Session session;
  session.set_format(1);
  session.set_name(options.name);
  if (options.rate_hz != 0) session.set_sample_rate_hz(options.rate_hz);
  return session;
}

int load_text(Context& context, const std::string& json, const Connection::LoadOptions& options,
              const std::string& said) {
  const v1::LoadSessionResponse response = context.connection().load(json, options);
  tell_json(context, response);
  if (!context.json) {
    for (const std::string& warning : response.warnings()) note(warning);
    for (const std::string& file : response.ended_takes()) note("the session before ended the take " + printable(file));
    if (const unsigned dropped = response.dropped_scheduled(); dropped > 0)
      note(format("the session before dropped %u scheduled command%s", dropped, dropped == 1 ? "" : "s"));
    if (on_terminal()) print_line(said);
  }
  return kOk;
}

// `file` as a session in `folder` names it: relative, downwards only, because a session cannot leave its folder.
std::string relative_media(const fs::path& file, const fs::path& folder) {
  const fs::path relative = fs::canonical(file).lexically_relative(fs::weakly_canonical(folder));
  if (relative.empty() || *relative.begin() == "..") {
    throw Failure(kBadData, "OUTSIDE_SESSION_FOLDER", file.string(),
                  "'" + file.string() +
                      "' is not below the session file's folder; write the session file into the folder of its media "
                      "or above it");
  }
  return relative.generic_string();
}

int from_folder(Context& context, const SessionOptions& options) {
  std::error_code error;
  if (!fs::is_directory(options.file, error)) {
    throw Failure(kNoInput, "FOLDER_NOT_FOUND", options.file, "there is no folder '" + options.file + "'");
  }
  const auto files = audio_files(options.file);
  SessionOptions named = options;
  if (named.name.empty()) named.name = printable(fs::canonical(options.file).filename().string());
  v1::Session session = empty_session(named);
  std::vector<TrackSource> sources;
  if (options.output.empty()) {
    sources = track_sources(files, context.connection().media_roots());
  } else {
    const fs::path parent = fs::path(options.output).parent_path();
    const fs::path folder = parent.empty() ? fs::path(".") : parent;
    std::set<std::string> taken{"in", "out"};
    for (const fs::path& file : files) {
      sources.push_back(track_source(file, relative_media(file, folder), taken));
    }
  }
  for (const TrackSource& source : sources) {
    *session.add_nodes() = track_node(source.id, source.label, source.media);
    v1::Connection& connection = *session.add_connections();
    connection.set_from(source.id);
    connection.set_to("out");
  }
  const std::string json = to_json_text(session);
  if (options.output.empty()) {
    return load_text(context, json, {}, format("loaded %zu track%s", sources.size(), sources.size() == 1 ? "" : "s"));
  }
  write_file(options.output, json, options.force);
  if (context.json) {
    print_line("{\"file\":" + json_string(options.output) + ",\"tracks\":" + std::to_string(sources.size()) + "}");
  } else if (on_terminal()) {
    print_line("wrote " + printable(options.output));
  }
  return kOk;
}

int load(Context& context, const SessionOptions& options) {
  Connection::LoadOptions load_options;
  load_options.dry_run = options.dry_run;
  load_options.keep_transport = options.keep_transport;
  const std::string json = read_file(options.file, kMaxSessionBytes);
  // The file's own folder, not that of a link to it: relative media lie beside the real file. A pipe has none.
  std::error_code error;
  const fs::path file = fs::canonical(options.file, error);
  if (options.file != "-" && !error && fs::is_regular_file(file, error)) {
    load_options.base = try_media_name(context.connection().media_roots(), file.parent_path());
  }
  try {
    return load_text(context, json, load_options, (options.dry_run ? "valid: " : "loaded ") + printable(options.file));
  } catch (const Failure& failure) {  // the daemon saw the text alone
    if (failure.exit_code != kBadData) throw;
    throw Failure(kBadData, failure.reason, failure.field, "'" + options.file + "': " + failure.message);
  }
}

int save(Context& context, const SessionOptions& options) {
  const Connection::SessionText text = context.connection().session_text();
  write_file(options.file, text.json, options.force);
  if (context.json) {
    print_line("{\"file\":" + json_string(options.file) + ",\"bytes\":" + std::to_string(text.json.size()) +
               ",\"revision\":" + to_json_line(text.revision) + "}");
  } else if (on_terminal()) {
    print_line("saved " + printable(options.file));
  }
  return kOk;
}

void print_nodes(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, const std::string& indent) {
  for (const v1::Node& node : nodes) {
    std::string line = indent + node.id() + "  " + node.type();
    if (!node.label().empty()) line += "  '" + node.label() + "'";
    const std::map<std::string, google::protobuf::Value> params(node.params().begin(), node.params().end());
    for (const auto& [name, value] : params) line += "  " + name + "=" + value_text(value);
    const std::map<std::string, v1::AutomationLane> lanes(node.automation().begin(), node.automation().end());
    for (const auto& [name, lane] : lanes)
      line += "  " + name + format("~%d points", lane.points_size()) + (lane.has_on() && !lane.on() ? " (off)" : "");
    print_line(printable(line));
    print_nodes(node.children(), indent + "  ");
  }
}

int show(Context& context, const SessionOptions& options) {
  const Connection::SessionText text = context.connection().session_text();
  if (context.json) {
    print_line(compact_json(text.json));
  } else if (!options.tree) {
    print_raw(text.json);
  } else {
    const v1::Session session = parse_session(text.json);
    print_nodes(session.nodes(), "");
    for (const v1::Connection& connection : session.connections()) {
      std::string line = connection.from() + " -> " + connection.to();
      if (connection.has_gain_db() && connection.gain_db() != 0.0)
        line += "  gain_db=" + number_text(connection.gain_db());
      for (const v1::ChannelPair& pair : connection.channels()) line += format("  %u:%u", pair.from(), pair.to());
      print_line(printable(line));
    }
  }
  return kOk;
}

bool names_media_root(const google::protobuf::RepeatedPtrField<v1::Node>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [](const v1::Node& node) {
    const auto file = node.params().find("file");
    const auto names_root = [](const v1::QueueItem& item) { return item.file().find(':') != std::string::npos; };
    return (file != node.params().end() && file->second.string_value().find(':') != std::string::npos) ||
           std::any_of(node.queue().begin(), node.queue().end(), names_root) || names_media_root(node.children());
  });
}

/// The folders that the session's "root:" names mean to the daemon, where it answers and they are on this machine too.
MediaRoots local_roots_for(Context& context, const std::string& file) {
  MediaRoots roots;
  try {
    const v1::Session session = parse_session(read_file(file, kMaxSessionBytes));
    if (session.cues().empty() && !names_media_root(session.nodes())) return roots;  // cues name files in many ways
    roots = context.connection().media_roots();
  } catch (const Failure&) {  // no daemon; or a file that the check itself says more about
  }
  std::erase_if(roots, [](const auto& root) {
    std::error_code error;
    return !fs::is_directory(root.second, error);
  });
  return roots;
}

int check(Context& context, const SessionOptions& options) {
  std::vector<std::string> arguments{"--check", options.file};
  if (context.json) arguments.emplace_back("--json");
  for (const auto& [name, folder] : local_roots_for(context, options.file)) {
    arguments.emplace_back("--media-root");
    arguments.push_back(name + "=" + folder.string());
  }
  run_sibling("continuo-render", arguments);
}

}  // namespace

void add_session_commands(CLI::App& app, Context& context) {
  CLI::App* session = app.add_subcommand("session", "New, load, save, show, check sessions")->require_subcommand(1);
  const auto add = [&](const char* name, const char* help, int (*action)(Context&, const SessionOptions&)) {
    auto options = std::make_shared<SessionOptions>();
    CLI::App* command = session->add_subcommand(name, help);
    command->callback([&context, options, action] {
      context.run = [&context, options, action] { return action(context, *options); };
    });
    return std::pair(command, options);
  };

  auto [fresh, fresh_options] =
      add("new", "Replace the daemon's session by an empty one", [](Context& c, const SessionOptions& o) {
        return load_text(c, to_json_text(empty_session(o)), {}, "new session");
      });
  fresh->add_option("NAME", fresh_options->name, "Its name");
  fresh->add_option("--rate", fresh_options->rate_hz, "Hz; else the device's");

  auto [from, from_options] = add("from", "Make a session of a folder: a track per audio file", from_folder);
  from->add_option("DIR", from_options->file, "The folder")->required();
  from->add_option("-o,--output", from_options->output, "Write a session file (needs no daemon) instead of loading it");
  from->add_option("--name", from_options->name, "Its name; else the folder's");
  from->add_option("--rate", from_options->rate_hz, "Hz; else the device's");
  from->add_flag("--force", from_options->force, "Replace an existing file");

  auto [loading, load_options] = add("load", "Load a session file; media are relative to it", load);
  loading->add_option("FILE", load_options->file, "The file; '-' is standard input")->required();
  loading->add_flag("--dry-run", load_options->dry_run, "Check only, by the daemon");
  loading->add_flag("--keep-transport", load_options->keep_transport, "Leave the timeline as it is; else stopped at 0");

  auto [saving, save_options] = add("save", "Write the daemon's session to a file", save);
  saving->add_option("FILE", save_options->file, "The file")->required();
  saving->add_flag("--force", save_options->force, "Replace an existing file");

  auto [showing, show_options] = add("show", "Print the daemon's session: the session file's text", show);
  showing->add_flag("--tree", show_options->tree, "As an outline instead");

  auto [checking, check_options] =
      add("check", "Check a session file and its media; needs no daemon, but asks one for its media roots", check);
  checking->add_option("FILE", check_options->file, "The file")->required();
}

}  // namespace continuo::cli
