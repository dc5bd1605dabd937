// THREAD: any - calibrate: how long the way out of the device and in again is
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <string>

#include "clients/cli/failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

struct CalibrateOptions {
  std::string output = "out:1";
  std::string input = "in:1";
  std::string level;
  bool forget = false;
};

std::uint32_t parse_channel(const std::string& text, const std::string& port) {
  std::uint32_t channel = 0;
  const std::string number = text.starts_with(port + ":") ? text.substr(port.size() + 1) : text;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), channel);
  if (error != std::errc() || end != number.data() + number.size() || channel == 0)
    throw Failure(kUsage, "BAD_CHANNEL", text, "'" + text + "' is no channel: write " + port + ":1");
  return channel;
}

int calibrate(Context& context, const CalibrateOptions& options) {
  v1::CalibrateRequest request;
  request.set_forget(options.forget);
  request.set_output(parse_channel(options.output, "out"));
  request.set_input(parse_channel(options.input, "in"));
  if (!options.level.empty()) request.set_level_db(parse_db(options.level, "--level"));
  const v1::CalibrateResponse response = context.connection().calibrate(request);
  tell_json(context, response);
  if (context.json) return kOk;
  if (options.forget) {
    print_line("forgotten: takes are placed by what the driver says");
    return kOk;
  }
  const v1::Calibration& found = response.calibration();
  print_line(printable(found.device() + ", out:" + std::to_string(found.output()) +
                       " to in:" + std::to_string(found.input()) + ": " + format("%.2f", found.round_trip_frames()) +
                       " frames, " + format("%.3f", found.round_trip_frames() * 1e3 / found.sample_rate_hz()) +
                       " ms out and in again; the driver says " + format("%.2f", found.reported_frames()) +
                       ". Takes of inputs are placed by it from now on."));
  return kOk;
}

}  // namespace

void add_calibrate_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<CalibrateOptions>();
  CLI::App* command = app.add_subcommand(
      "calibrate", "Measure the way out of the device and in again, over a cable or through the air, and keep it");
  command->add_option("OUTPUT", options->output, "out:N; else out:1");
  command->add_option("INPUT", options->input, "in:N; else in:1");
  command->add_option("--level", options->level, "dBFS of the burst, -60 to -10; else -20");
  command->add_flag("--forget", options->forget, "Play nothing, and forget what was measured for this device");
  command->callback(
      [&context, options] { context.run = [&context, options] { return calibrate(context, *options); }; });
}

}  // namespace continuo::cli
