// THREAD: any - arm: which recorders a `record start` without names takes
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

struct ArmOptions {
  std::vector<std::string> nodes;
  bool off = false;
  std::string before;  // --pre-record
};

void collect(const google::protobuf::RepeatedPtrField<v1::Node>& nodes, const std::string& parent,
             std::vector<std::string>& recorders) {
  for (const v1::Node& node : nodes) {
    const std::string path = parent.empty() ? node.id() : parent + "/" + node.id();
    if (node.type() == "recorder") recorders.push_back(path);
    collect(node.children(), path, recorders);
  }
}

bool at_or_below(const std::string& path, const std::string& node) {
  return path == node || (path.starts_with(node) && path[node.size()] == '/');
}

int arm(Context& context, const ArmOptions& options, const AtOption& at) {
  std::vector<std::string> recorders;
  collect(parse_session(context.connection().session_text().json).nodes(), "", recorders);
  if (recorders.empty()) throw Failure(kNoInput, "NO_RECORDER", "", "the session has no recorder");
  for (const std::string& node : options.nodes) {
    if (std::ranges::none_of(recorders, [&](const std::string& path) { return at_or_below(path, node); }))
      throw Failure(kNoInput, "NO_RECORDER", node, "\"" + node + "\" is no recorder, and none is below it");
  }
  v1::ApplyRequest request;
  std::string said;
  for (const std::string& path : recorders) {
    const bool named = options.nodes.empty() || std::ranges::any_of(options.nodes, [&](const std::string& node) {
                         return at_or_below(path, node);
                       });
    if (!named) continue;
    v1::SetParams& set = *request.add_operations()->mutable_set_params();
    set.set_path(path);
    (*set.mutable_values())["arm"].set_bool_value(!options.off);
    if (!options.before.empty())
      (*set.mutable_values())["pre_record_s"].set_number_value(
          parse_time(options.before, "--pre-record").to_seconds(0));
    said += (said.empty() ? "" : ", ") + path;
  }
  at.put_into(context, request);
  apply_and_tell(context, request, said + (options.off ? ": disarmed" : ": armed"));
  return kOk;
}

}  // namespace

void add_arm_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<ArmOptions>();
  CLI::App* command = app.add_subcommand("arm", "Recorders that 'record start' takes when it names none");
  command->add_option("NODE", options->nodes, "Recorders, or what has recorders in it; else all of the session");
  command->add_flag("--off", options->off, "Disarm");
  command->add_option("--pre-record", options->before,
                      "Keep so much of what was before a take, as its beginning: 10s; 0s: none");
  const AtOption at = AtOption::of(command);
  command->callback(
      [&context, options, at] { context.run = [&context, options, at] { return arm(context, *options, at); }; });
}

}  // namespace continuo::cli
