// THREAD: any - why: the first cause of silence
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <ranges>

#include "clients/cli/failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

constexpr int kMostSteps = 20;  // so that the answer above them stays in sight

/// "out:5" is a channel of the device.
v1::WhyRequest to_request(const std::string& what) {
  v1::WhyRequest request;
  request.set_node(what);
  if (!what.starts_with("out:")) return request;
  const std::string number = what.substr(4);
  char* end = nullptr;
  const unsigned long channel = std::strtoul(number.c_str(), &end, 10);
  if (number.empty() || *end != '\0' || channel == 0 || channel > 100'000)
    throw Failure(kUsage, "CHANNEL", what, "'" + what + "' is no output: out:1 is the first");
  request.set_node("out");
  request.set_channel(static_cast<std::uint32_t>(channel));
  return request;
}

std::string level_text(double db) { return db <= -150.0 ? "silent" : format("%.1f dBFS", db); }

int why(Context& context, const std::string& what) {
  const v1::WhyResponse answer = context.connection().why(to_request(what));
  if (context.json) {
    print_line(to_json_line(answer));
    return kOk;
  }
  print_line(printable(answer.message()));
  for (const auto& step : answer.steps() | std::views::take(kMostSteps)) {
    print_line(printable("  " + step.node() + "  " + step.type() +
                         (step.has_level_db() ? "  " + level_text(step.level_db()) : std::string())));
  }
  if (answer.steps_size() > kMostSteps)
    print_line(format("  ... and %d more (--json has them)", answer.steps_size() - kMostSteps));
  return kOk;
}

}  // namespace

void add_why_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("why", "Why there is silence: looks upstream and names the first cause");
  auto what = std::make_shared<std::string>("out");
  command->add_option("NODE", *what, "A node, out, or out:N for one output of the device")->capture_default_str();
  command->callback([&context, what] { context.run = [&context, what] { return why(context, *what); }; });
}

}  // namespace continuo::cli
