// THREAD: any - automate: the lane of a parameter, its points, on, off, gone
#include <CLI/CLI.hpp>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

struct AutomateOptions {
  std::string name;
  std::vector<std::string> points;
  bool on = false;
  bool off = false;
  bool clear = false;
};

struct PointText {
  TimeText time;
  double value = 0.0;
  std::string curve;
};

/// "1:02.5=-6:exp": the time may hold colons, so the first '=' divides.
PointText parse_point(const std::string& text) {
  const auto [time, rest] = split_assignment(text);
  PointText point{parse_time(time, text), 0.0, ""};
  const std::size_t colon = rest.find(':');
  const std::string curve = colon == std::string::npos ? "lin" : rest.substr(colon + 1);
  if (curve == "exp" || curve == "exponential") {
    point.curve = "exponential";
  } else if (curve == "hold") {
    point.curve = "hold";
  } else if (curve != "lin" && curve != "linear") {
    throw Failure(kUsage, "BAD_CURVE", text, "'" + curve + "' is no curve; there are lin, exp, hold");
  }
  const google::protobuf::Value value = parse_value(rest.substr(0, colon));
  if (value.kind_case() != google::protobuf::Value::kNumberValue)
    throw Failure(kUsage, "BAD_POINT", text,
                  "'" + text + "' is no point; write TIME=NUMBER, as in 1:02.5=-6 or 0=-60:exp");
  point.value = value.number_value();
  return point;
}

int show(Context& context, const ParamName& target) {
  const v1::Session session = parse_session(context.connection().session_text().json);
  const v1::Node* const node = find_node(session, target.path);
  if (node == nullptr) throw Failure(kNoInput, "UNKNOWN_NODE", target.path, "there is no node '" + target.path + "'");
  const auto lane = node->automation().find(target.param);
  if (lane == node->automation().end()) {
    throw Failure(kNoInput, "NO_AUTOMATION", target.path + "." + target.param,
                  "'" + target.path + "' has no automation lane for '" + target.param + "'");
  }
  if (context.json) {
    print_line(to_json_line(lane->second));
    return kOk;
  }
  const bool off = lane->second.has_on() && !lane->second.on();
  if (off) note("the lane is off");
  const double rate = context.connection().clock().timeline_rate_hz();
  Table table({">TIME", ">FRAME", ">VALUE", "CURVE"});
  for (const v1::AutomationPoint& point : lane->second.points()) {
    table.add({time_text(point.frame(), rate), std::to_string(point.frame()), number_text(point.value()),
               point.curve().empty() ? "linear" : point.curve()});
  }
  table.print();
  return kOk;
}

int automate(Context& context, const AutomateOptions& options, const AtOption& at) {
  const ParamName target = parse_param_name(options.name);
  if (options.clear && !options.points.empty())
    throw Failure(kUsage, "USAGE", "--clear", "--clear takes all points away: it goes with none");
  if (options.points.empty() && !options.on && !options.off && !options.clear) {
    if (at.given()) throw Failure(kUsage, "USAGE", "--at", "say what is to be done then");
    return show(context, target);
  }
  v1::ApplyRequest request;
  if (options.clear) {
    v1::ClearAutomation& operation = *request.add_operations()->mutable_clear_automation();
    operation.set_path(target.path);
    operation.set_param(target.param);
  } else {
    v1::SetAutomation& operation = *request.add_operations()->mutable_set_automation();
    operation.set_path(target.path);
    operation.set_param(target.param);
    if (options.on || options.off) operation.set_on(options.on);
    std::vector<PointText> points;
    bool needs_rate = false;
    for (const std::string& text : options.points) needs_rate |= !points.emplace_back(parse_point(text)).time.is_frames;
    const double rate = needs_rate ? context.connection().clock().timeline_rate_hz() : 0.0;
    for (const PointText& text : points) {
      v1::AutomationPoint& point = *operation.add_points();
      point.set_frame(text.time.to_frames(rate));
      point.set_value(text.value);
      point.set_curve(text.curve);
    }
  }
  at.put_into(context, request);
  apply_and_tell(context, request, "");
  return kOk;
}

}  // namespace

void add_automate_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<AutomateOptions>();
  CLI::App* command =
      app.add_subcommand("automate", "A parameter follows the timeline: automate vox.gain_db 0s=-60 2s=0:hold 1:00=-6");
  command->add_option("NODE.PARAM", options->name, "As in vox.gain_db; alone, it prints the lane")->required();
  command->add_option("TIME=VALUE[:lin|exp|hold]", options->points,
                      "All points, in order; the curve goes to the next one, lin without it");
  CLI::Option* on = command->add_flag("--on", options->on, "Follow the lane again");
  CLI::Option* off =
      command->add_flag("--off", options->off, "Keep the lane, and go back to the parameter's own value");
  CLI::Option* clear = command->add_flag("--clear", options->clear, "Remove the lane");
  on->excludes(off);
  clear->excludes(on)->excludes(off);
  const AtOption at = AtOption::of(command);
  command->callback(
      [&context, options, at] { context.run = [&context, options, at] { return automate(context, *options, at); }; });
}

}  // namespace continuo::cli
