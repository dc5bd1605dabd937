// THREAD: any - cue, go: the steps of a show, and firing them
#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <optional>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/local_file.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"

namespace continuo::cli {
namespace {

constexpr std::size_t kMaxCueBytes = std::size_t{4} << 20U;

struct CueOptions {
  std::string name;
  std::vector<std::string> names;
  std::string file;
  std::optional<std::string> label;
  std::string new_name;
  std::string before;
  std::string after;
  bool all = false;
  std::string expected;
  bool keep_next = false;
};
using Options = std::shared_ptr<CueOptions>;

void put(const std::string& name, v1::CueRef& ref) { ref.set_name(name); }

template <class Operation>
void put_place(const CueOptions& options, Operation& operation) {
  if (!options.before.empty()) put(options.before, *operation.mutable_before());
  if (!options.after.empty()) put(options.after, *operation.mutable_after());
}

/// {"operations": [...]}, or the list alone.
void read_operations(const std::string& file, v1::Cue& cue) {
  std::string json = read_file(file, kMaxCueBytes);
  if (const std::size_t first = json.find_first_not_of(" \t\r\n"); first != std::string::npos && json[first] == '[')
    json = "{\"operations\": " + json + "}";
  v1::Cue given;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &given);  // refuses unknown fields
  if (!status.ok())
    throw Failure(kBadData, "BAD_JSON", file, "'" + file + "' is no cue: " + std::string(status.message()));
  if (given.operations().empty())
    throw Failure(kBadData, "NO_OPERATIONS", "operations",
                  "'" + file + "' holds no operations; write {\"operations\": [...]}");
  *cue.mutable_operations() = given.operations();
  if (cue.label().empty()) cue.set_label(given.label());
}

v1::Session session_of(Context& context) { return parse_session(context.connection().session_text().json); }

const char* state_word(v1::GetStatusResponse::Cues::NextState state) {
  using Cues = v1::GetStatusResponse::Cues;
  switch (state) {
    case Cues::NEXT_STATE_PREPARING:
      return "next, preparing";
    case Cues::NEXT_STATE_ARMED:
      return "next, armed";
    case Cues::NEXT_STATE_NOT_ARMED:
      return "next, not armed";
    case Cues::NEXT_STATE_BROKEN:
      return "next, broken";
    default:
      return "next";
  }
}

int list(Context& context) {
  const v1::Session session = session_of(context);
  const v1::GetStatusResponse::Cues cues = context.connection().status().cues();
  if (context.json) {
    for (const v1::Cue& cue : session.cues()) tell_json(context, cue);
    return kOk;
  }
  Table table({">#", "NAME", "LABEL", ">OPERATIONS", "NOW"});
  int number = 0;
  for (const v1::Cue& cue : session.cues()) {
    const bool next = cues.has_next() && cues.next().name() == cue.name();
    const bool current = cues.has_current() && cues.current().name() == cue.name();
    table.add({format("%d", ++number), printable(cue.name()), printable(cue.label()),
               format("%d", cue.operations_size()),
               next      ? state_word(cues.next_state())
               : current ? "fired last"
                         : ""});
  }
  table.print();
  if (!cues.next_reason().empty()) note("cue " + printable(cues.next().name()) + ": " + printable(cues.next_reason()));
  return kOk;
}

int show(Context& context, const CueOptions& options) {
  const v1::Session session = session_of(context);
  for (const v1::Cue& cue : session.cues()) {
    if (cue.name() != options.name) continue;
    print_raw(context.json ? to_json_line(cue) + "\n" : to_json_text(cue));
    return kOk;
  }
  throw Failure(kNoInput, "UNKNOWN_CUE", options.name, "there is no cue '" + options.name + "'");
}

v1::ApplyRequest add_request(const CueOptions& options) {
  v1::ApplyRequest request;
  v1::CueInsert& insert = *request.add_operations()->mutable_cue_insert();
  v1::Cue& cue = *insert.add_cues();
  cue.set_name(options.name);
  cue.set_label(options.label.value_or(""));
  read_operations(options.file, cue);
  put_place(options, insert);
  return request;
}

v1::ApplyRequest remove_request(const CueOptions& options) {
  v1::ApplyRequest request;
  v1::CueRemove& remove = *request.add_operations()->mutable_cue_remove();
  remove.set_all(options.all);
  for (const std::string& cue : options.names) put(cue, *remove.add_cues());
  return request;
}

v1::ApplyRequest move_request(const CueOptions& options) {
  v1::ApplyRequest request;
  v1::CueMove& move = *request.add_operations()->mutable_cue_move();
  put(options.name, *move.mutable_cue());
  put_place(options, move);
  return request;
}

v1::ApplyRequest set_request(const CueOptions& options) {
  v1::ApplyRequest request;
  v1::CueSet& set = *request.add_operations()->mutable_cue_set();
  put(options.name, *set.mutable_cue());
  set.mutable_values()->set_name(options.new_name);
  if (!options.file.empty()) {
    read_operations(options.file, *set.mutable_values());
    if (!set.values().label().empty()) set.set_label(set.values().label());
    set.mutable_values()->clear_label();
  }
  if (options.label) set.set_label(*options.label);
  return request;
}

v1::ApplyRequest next_request(const CueOptions& options) {
  v1::ApplyRequest request;
  v1::CueNext& next = *request.add_operations()->mutable_cue_next();
  if (!options.name.empty()) put(options.name, *next.mutable_cue());
  return request;
}

/// Without a name the next cue is fired that the daemon showed us a moment ago: had somebody else fired it meanwhile,
/// the next but one would be.
int go(Context& context, const CueOptions& options, const AtOption& at) {
  v1::ApplyRequest request;
  v1::Go& operation = *request.add_operations()->mutable_go();
  std::string fired = options.name;
  if (!fired.empty()) put(fired, *operation.mutable_cue());
  operation.set_keep_next(options.keep_next);
  if (!options.expected.empty()) {
    put(options.expected, *operation.mutable_expected());
  } else if (fired.empty() && !at.given()) {
    const v1::GetStatusResponse::Cues cues = context.connection().status().cues();
    if (cues.has_next()) {
      operation.mutable_expected()->set_uid(cues.next().uid());
      fired = cues.next().name();
    }
  }
  at.put_into(context, request);
  apply_and_tell(context, request, fired.empty() ? "go" : "go " + printable(fired));
  return kOk;
}

void add_place_options(CLI::App* command, const Options& options) {
  auto* before = command->add_option("--before", options->before, "Before this cue");
  command->add_option("--after", options->after, "After this cue; neither: at the end")->excludes(before);
}

template <class Make>
void run_edit(CLI::App* command, Context& context, const Options& options, const char* said, Make make) {
  command->callback([&context, options, said, make] {
    context.run = [&context, options, said, make] {
      apply_and_tell(context, make(*options), said);
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace

void add_cue_commands(CLI::App& app, Context& context) {
  CLI::App* cue = app.add_subcommand("cue", "The cue list: steps of a show, each fired by 'go' as one transaction");
  cue->require_subcommand(1);

  CLI::App* command = cue->add_subcommand("ls", "The cues, which is next, and whether that one is armed");
  command->callback([&context] { context.run = [&context] { return list(context); }; });

  auto options = std::make_shared<CueOptions>();
  command = cue->add_subcommand("show", "A cue as JSON, as 'cue set' takes it");
  command->add_option("NAME", options->name)->required();
  command->callback([&context, options] { context.run = [&context, options] { return show(context, *options); }; });

  options = std::make_shared<CueOptions>();
  command = cue->add_subcommand("add", "A cue into the list");
  command->add_option("NAME", options->name, "12.5, intro")->required();
  command->add_option("FILE", options->file, "JSON: {\"operations\": [...]}, or the list alone; '-' is standard input")
      ->required();
  command->add_option("--label", options->label, "Free text for people");
  add_place_options(command, options);
  run_edit(command, context, options, "added", add_request);

  options = std::make_shared<CueOptions>();
  command = cue->add_subcommand("remove", "Cues out of the list");
  command->add_option("NAMES", options->names);
  command->add_flag("--all", options->all, "All of them");
  run_edit(command, context, options, "removed", remove_request);

  options = std::make_shared<CueOptions>();
  command = cue->add_subcommand("move", "A cue to another place in the list");
  command->add_option("NAME", options->name)->required();
  add_place_options(command, options);
  run_edit(command, context, options, "moved", move_request);

  options = std::make_shared<CueOptions>();
  command = cue->add_subcommand("set", "Other operations, another name or label");
  command->add_option("NAME", options->name)->required();
  command->add_option("FILE", options->file, "JSON, in place of all its operations; '-' is standard input");
  command->add_option("--name", options->new_name, "Its new name");
  command->add_option("--label", options->label, "Free text for people");
  run_edit(command, context, options, "set", set_request);

  options = std::make_shared<CueOptions>();
  command = cue->add_subcommand("next", "Make this cue the next one, without a sound; without a name the first");
  command->add_option("NAME", options->name);
  run_edit(command, context, options, "next", next_request);

  options = std::make_shared<CueOptions>();
  command = app.add_subcommand("go", "Fire the next cue, or a named one; the cue behind it is the next then");
  command->add_option("NAME", options->name, "This cue, wherever it stands");
  command->add_option("--expect", options->expected,
                      "Only if this is the next cue: exit code 75 where somebody was faster");
  command->add_flag("--keep-next", options->keep_next, "The next cue stays the one that it is");
  const AtOption at = AtOption::of(command);
  command->callback(
      [&context, options, at] { context.run = [&context, options, at] { return go(context, *options, at); }; });
}

}  // namespace continuo::cli
