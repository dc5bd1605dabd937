// THREAD: any - devices, device use, identify
#include <CLI/CLI.hpp>

#include "clients/cli/failure.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

struct UseOptions {
  std::string name;
  std::string host_api;
  double rate_hz = 0;
  std::uint32_t buffer_frames = 0;
};

struct IdentifyOptions {
  std::string channel;
  std::string length;
  std::string level;
};

using Device = v1::ListDevicesResponse::Device;
using Channels = google::protobuf::RepeatedPtrField<v1::ListDevicesResponse::Channel>;

void print_channels(const char* direction, const Channels& channels) {
  for (const auto& channel : channels) {
    if (channel.driver_name().empty() && channel.label().empty()) continue;
    std::string line = format("  %3s:%-4u", direction, channel.number()) + fit(channel.driver_name(), 28);
    if (!channel.label().empty()) line += "  " + channel.label();
    line = printable(line);
    line.erase(line.find_last_not_of(' ') + 1);
    print_line(line);
  }
}

int devices(Context& context) {
  const v1::ListDevicesResponse response = context.connection().list_devices();
  if (context.json) {
    for (const Device& device : response.devices()) print_line(to_json_line(device));
    return kOk;
  }
  const auto row = [](const Device& device) {
    const std::string marks = std::string(device.in_use() ? "in use" : "") +
                              (device.in_use() && device.is_default() ? ", " : "") +
                              (device.is_default() ? "default" : "") + (device.has_calibration() ? ", calibrated" : "");
    return std::vector<std::string>{device.name(),
                                    device.host_api(),
                                    std::to_string(device.inputs_size()),
                                    std::to_string(device.outputs_size()),
                                    number_text(device.default_sample_rate_hz()),
                                    marks};
  };
  const std::vector<std::string> headings{"DEVICE", "HOST API", ">IN", ">OUT", ">HZ", ""};
  Table table(headings);
  for (const Device& device : response.devices()) table.add(row(device));
  table.print();
  // The channels' names: of the device that runs, else a machine with many devices fills the screen.
  for (const Device& device : response.devices()) {
    if (!device.in_use() || !on_terminal()) continue;
    print_line("");
    print_channels("in", device.inputs());
    print_channels("out", device.outputs());
  }
  return kOk;
}

int channels(Context& context, const std::string& name) {
  const v1::ListDevicesResponse response = context.connection().list_devices();
  bool found = false;
  for (const Device& device : response.devices()) {
    if (name.empty() ? !device.in_use() : device.name() != name) continue;
    found = true;
    if (context.json) {
      print_line(to_json_line(device));
      continue;
    }
    Table table({"CHANNEL", "DRIVER'S NAME", "LABEL"});
    for (const auto& channel : device.inputs())
      table.add({"in:" + std::to_string(channel.number()), channel.driver_name(), channel.label()});
    for (const auto& channel : device.outputs())
      table.add({"out:" + std::to_string(channel.number()), channel.driver_name(), channel.label()});
    table.print();
  }
  if (!found)
    throw Failure(kNoInput, "UNKNOWN_DEVICE", name, "there is no device '" + name + "'; 'continuo devices' lists them");
  return kOk;
}

int use(Context& context, const UseOptions& options) {
  v1::UseDeviceRequest request;
  request.set_name(options.name);
  request.set_host_api(options.host_api);
  request.set_sample_rate_hz(options.rate_hz);
  request.set_buffer_frames(options.buffer_frames);
  const v1::UseDeviceResponse response = context.connection().use_device(request);
  tell_json(context, response);
  if (!context.json && on_terminal()) {
    print_line(printable(response.name() + (response.host_api().empty() ? "" : " (" + response.host_api() + ")") +
                         ", " + number_text(response.sample_rate_hz()) + " Hz"));
  }
  return kOk;
}

int identify(Context& context, const IdentifyOptions& options) {
  v1::IdentifyRequest request;
  request.set_channel(parse_output_channel(options.channel));
  request.set_seconds(3.0);
  if (!options.length.empty()) {
    const TimeText length = parse_time(options.length, "--for");
    request.set_seconds(length.to_seconds(length.is_frames ? context.connection().clock().engine_rate_hz() : 0.0));
  }
  if (!options.level.empty()) request.set_level_db(parse_db(options.level, "--level"));
  context.connection().identify(request);
  if (context.json) print_line("{\"channel\":" + std::to_string(request.channel()) + "}");
  return kOk;
}

}  // namespace

void add_device_commands(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("devices", "The sound devices, and the channels of the one in use");
  command->callback([&context] { context.run = [&context] { return devices(context); }; });

  CLI::App* device =
      app.add_subcommand("device", "Move to another device; list a device's channels")->require_subcommand(1);
  auto use_options = std::make_shared<UseOptions>();
  command = device->add_subcommand("use", "Move to another device, live, with a fade");
  command->add_option("NAME", use_options->name, "Its name, or a part that it alone has; 'clock' is no hardware")
      ->required();
  command->add_option("--host-api", use_options->host_api, "JACK, ALSA, ...");
  command->add_option("--rate", use_options->rate_hz, "Hz; else the device's own")
      ->check(CLI::NonNegativeNumber)
      ->check(finite_number());
  command->add_option("--buffer", use_options->buffer_frames, "Frames; else the device chooses");
  command->callback(
      [&context, use_options] { context.run = [&context, use_options] { return use(context, *use_options); }; });

  auto name = std::make_shared<std::string>();
  command = device->add_subcommand("channels", "A device's channels with their names and labels");
  command->add_option("NAME", *name, "The device's exact name; else the one in use");
  command->callback([&context, name] { context.run = [&context, name] { return channels(context, *name); }; });

  auto options = std::make_shared<IdentifyOptions>();
  command = app.add_subcommand("identify", "Quiet bursts on one output alone, so that you hear which it is");
  command->add_option("OUTPUT", options->channel, "out:N, from 1")->required();
  command->add_option("--for", options->length, "How long: 10s; else 3s. Ctrl-C ends it");
  command->add_option("--level", options->level, "dBFS, -80 to -10; else -30");
  command->callback([&context, options] { context.run = [&context, options] { return identify(context, *options); }; });
}

}  // namespace continuo::cli
