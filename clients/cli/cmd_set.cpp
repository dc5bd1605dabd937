// THREAD: any - set, get, params
#include <CLI/CLI.hpp>
#include <map>
#include <set>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/fold_names.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

struct SetOptions {
  std::vector<std::string> assignments;
  std::string ramp;
};

struct ParamsOptions {
  std::string node;
  bool types = false;
};

int set(Context& context, const SetOptions& options, const AtOption& at) {
  v1::ApplyRequest request;
  std::map<std::string, v1::SetParams*> by_node;
  for (const std::string& assignment : options.assignments) {
    const auto [name, text] = split_assignment(assignment);
    const ParamName target = parse_param_name(name);
    v1::SetParams*& operation = by_node[target.path];
    if (operation == nullptr) {
      operation = request.add_operations()->mutable_set_params();
      operation->set_path(target.path);
      if (!options.ramp.empty()) {
        const TimeText ramp = parse_time(options.ramp, "--ramp");
        operation->set_ramp_ms(ramp.to_seconds(ramp.is_frames ? context.connection().clock().engine_rate_hz() : 0.0) *
                               1000.0);
      }
    }
    if (operation->values().contains(target.param))
      throw Failure(kUsage, "TWICE", name, "'" + name + "' is given twice");
    (*operation->mutable_values())[target.param] = local_value(context, target.param, text);
  }
  at.put_into(context, request);
  apply_and_tell(context, request, "");
  return kOk;
}

int get(Context& context, const std::vector<std::string>& names) {
  std::map<std::string, v1::ListParamsResponse> nodes;
  std::string json;
  for (const std::string& name : names) {
    const ParamName wanted = parse_param_name(name);
    if (!nodes.contains(wanted.path)) nodes[wanted.path] = context.connection().list_params(wanted.path);
    const auto& params = nodes[wanted.path].params();
    const auto found = std::find_if(params.begin(), params.end(),
                                    [&](const auto& param) { return param.spec().name() == wanted.param; });
    if (found == params.end()) {
      throw Failure(kNoInput, "UNKNOWN_PARAM", name,
                    "'" + wanted.path + "' has no parameter '" + wanted.param + "'; 'continuo params " + wanted.path +
                        "' lists them");
    }
    if (context.json) {
      json += (json.empty() ? "{" : ",") + json_string(name) + ":" + to_json_line(found->value());
    } else {
      const std::string text = printable(value_text(found->value()));
      print_line(names.size() == 1 ? text : name + "=" + text);
    }
  }
  if (context.json) print_line(json + "}");
  return kOk;
}

std::string range_text(const v1::ParamSpec& spec) {
  switch (spec.kind()) {
    case v1::ParamSpec::KIND_NUMBER:
    case v1::ParamSpec::KIND_INTEGER:
      return number_text(spec.min()) + " to " + number_text(spec.max());
    case v1::ParamSpec::KIND_BOOL:
      return "true, false";
    case v1::ParamSpec::KIND_FILE:
      return "file";
    case v1::ParamSpec::KIND_CHOICE: {
      std::string text;
      for (const std::string& choice : spec.choices()) text += (text.empty() ? "" : ", ") + choice;
      return text;
    }
    default:
      return "text";
  }
}

int list_types(Context& context) {
  const v1::ListTypesResponse types = context.connection().list_types();
  if (context.json) {
    print_line(to_json_line(types));
    return kOk;
  }
  Table table({"TYPE", "PARAMETER", "RANGE", "DEFAULT", ""});
  for (const v1::NodeType& type : types.types()) {
    table.add({type.name(), "", "", "", type.description()});
    std::vector<NamedLine> lines;
    for (const v1::ParamSpec& spec : type.params())
      lines.push_back({spec.name(), range_text(spec) + "\n" + spec.description()});
    for (const auto& group : fold_names(lines)) {
      const auto spec = [&](std::size_t index) -> const v1::ParamSpec& { return type.params(static_cast<int>(index)); };
      const v1::ParamSpec& first = spec(group.front());
      std::set<std::string> seen;
      std::string defaults;
      for (const std::size_t index : group) {
        const std::string text = value_text(spec(index).default_value());
        if (seen.insert(text).second) defaults += (defaults.empty() ? "" : ", ") + text;
      }
      table.add({type.name(), group.size() == 1 ? first.name() : first.name() + " to " + spec(group.back()).name(),
                 range_text(first), defaults, first.description()});
    }
  }
  table.print();
  return kOk;
}

int params(Context& context, const ParamsOptions& options) {
  if (options.types) return list_types(context);
  if (options.node.empty()) throw Failure(kUsage, "USAGE", "NODE", "say which node, or --types for every node type");
  const v1::ListParamsResponse response = context.connection().list_params(options.node);
  if (context.json) {
    print_line(to_json_line(response));
    return kOk;
  }
  const bool automated = std::any_of(response.params().begin(), response.params().end(),
                                     [](const auto& param) { return param.has_automation(); });
  std::vector<std::string> headings = {"PARAMETER", ">VALUE", "UNIT", "RANGE", "DEFAULT", ""};
  if (automated) headings.insert(headings.end() - 1, "AUTOMATION");
  Table table(headings);
  for (const auto& param : response.params()) {
    const v1::ParamSpec& spec = param.spec();
    const std::string lane = !param.has_automation()   ? ""
                             : param.automation().on() ? format("%u points", param.automation().points())
                                                       : format("off, %u points", param.automation().points());
    std::vector<std::string> cells = {spec.name(),      value_text(param.value()),        spec.unit(),
                                      range_text(spec), value_text(spec.default_value()), spec.description()};
    if (automated) cells.insert(cells.end() - 1, lane);
    table.add(cells);
  }
  table.print();
  return kOk;
}

}  // namespace

void add_set_commands(CLI::App& app, Context& context) {
  auto set_options = std::make_shared<SetOptions>();
  CLI::App* command = app.add_subcommand("set", "Set parameters, all at one frame: set vox.gain_db=-6 drums.mute=true");
  command->add_option("NODE.PARAM=VALUE", set_options->assignments, "A number, true or false, or text")->required();
  command->add_option("--ramp", set_options->ramp, "How long it moves: 250ms, 2s; else each parameter's own smoothing");
  const AtOption at = AtOption::of(command);
  command->callback([&context, set_options, at] {
    context.run = [&context, set_options, at] { return set(context, *set_options, at); };
  });

  auto names = std::make_shared<std::vector<std::string>>();
  command = app.add_subcommand("get", "Print parameters' values");
  command->add_option("NODE.PARAM", *names, "As in vox.gain_db")->required();
  command->callback([&context, names] { context.run = [&context, names] { return get(context, *names); }; });

  auto options = std::make_shared<ParamsOptions>();
  command = app.add_subcommand("params", "A node's parameters: value, range, meaning");
  command->add_option("NODE", options->node, "Its path");
  command->add_flag("--types", options->types, "Every node type and its parameters instead");
  command->callback([&context, options] { context.run = [&context, options] { return params(context, *options); }; });
}

}  // namespace continuo::cli
