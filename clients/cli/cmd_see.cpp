// THREAD: any - status, health, version
#include <CLI/CLI.hpp>
#include <algorithm>

#include "clients/cli/failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

using Status = v1::GetStatusResponse;

struct Word {
  const char* text;
  const char* colour;
};

Word state_word(Status::State state) {
  switch (state) {
    case Status::STATE_HEALTHY:
      return {"healthy", "\x1b[1;32m"};
    case Status::STATE_DEGRADED:
      return {"degraded", "\x1b[1;33m"};
    case Status::STATE_STALLED:
      return {"stalled", "\x1b[1;31m"};
    default:
      return {"unknown", ""};
  }
}

std::string bytes_text(std::uint64_t bytes) { return format("%.1f MiB", static_cast<double>(bytes) / 1048576.0); }

std::string device_text(const Status::Device& device) {
  std::string text = device.name();
  if (!device.host_api().empty()) text += " (" + device.host_api() + ")";
  text += format(", %u in, %u out, ", device.in_channels(), device.out_channels()) +
          number_text(device.sample_rate_hz()) + " Hz";
  text += device.buffer_frames() == 0 ? ", buffer varies" : format(", buffer %u", device.buffer_frames());
  if (device.input_latency_seconds() > 0.0 || device.output_latency_seconds() > 0.0) {
    text += format(", latency %.1f + %.1f ms", device.input_latency_seconds() * 1000.0,
                   device.output_latency_seconds() * 1000.0);
  }
  return text;
}

std::string uptime_text(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  if (whole >= 86400) return format("%lld d %lld h", whole / 86400, whole / 3600 % 24);
  if (whole >= 3600) return format("%lld h %lld min", whole / 3600, whole / 60 % 60);
  return whole >= 60 ? format("%lld min %lld s", whole / 60, whole % 60) : format("%lld s", whole);
}

void print_realtime(const Status& status) {
  const Status::Realtime& rt = status.realtime();
  print_line(printable(format("thread    %s priority %d, denormals %s, ", rt.policy().c_str(), rt.priority(),
                              rt.flush_denormals() ? "flushed" : "NOT flushed") +
                       bytes_text(rt.locked_bytes()) + " locked"));
  for (const std::string& warning : rt.warnings()) print_line(printable("warning   " + warning));
  print_line(format("callback  mean %.1f us, longest %.1f us, load %.1f %%", rt.callback_mean_us(),
                    rt.callback_max_us(), rt.load() * 100.0));
  if (rt.render_workers() > 0) {
    print_line(format("workers   %u, awake for %llu callbacks, %llu tasks done", rt.render_workers(),
                      static_cast<unsigned long long>(rt.worker_callbacks()),
                      static_cast<unsigned long long>(rt.worker_tasks())));
  }
  std::uint64_t most = 1;
  for (const auto& bucket : rt.callback_histogram()) most = std::max(most, bucket.count());
  for (const auto& bucket : rt.callback_histogram()) {
    if (bucket.count() == 0) continue;
    // At least one mark: a single slow callback is what one looks for.
    const auto length = std::max<std::size_t>(
        1, static_cast<std::size_t>(40.0 * static_cast<double>(bucket.count()) / static_cast<double>(most)));
    print_line(format("  <= %8.0f us %12llu ", bucket.upper_us(), static_cast<unsigned long long>(bucket.count())) +
               std::string(length, '#'));
  }
  const Status::Counters& c = status.counters();
  const auto count = [](const char* name, std::uint64_t value) {
    print_line(format("  %-20s %llu", name, static_cast<unsigned long long>(value)));
  };
  print_line("counters");
  count("callbacks", c.callbacks());
  count("xruns", c.xruns());
  count("starved frames", c.starved_frames());
  count("lost record frames", c.lost_record_frames());
  count("commands orphaned", c.commands_orphaned());
  count("commands refused", c.commands_refused());
  count("non-finite samples", c.non_finite_samples());
  count("late wakeups", c.late_wakeups());
  count("node faults", c.node_faults());
  count("above the ceiling", c.ceiling_samples());
  count("non-finite inputs", c.non_finite_inputs());
  count("non-finite recorded", c.non_finite_recorded());
  count("automation refused", c.automation_refused());
}

std::string cues_text(const Status::Cues& cues) {
  const auto named = [](const Status::Cues::Cue& cue) {
    return cue.name() + (cue.label().empty() ? "" : " (" + cue.label() + ")");
  };
  std::string text = format("%u", cues.count());
  if (cues.has_current()) text += ", fired last " + named(cues.current());
  if (!cues.has_next()) return text + ", none is next";
  text += ", next " + named(cues.next());
  switch (cues.next_state()) {
    case Status::Cues::NEXT_STATE_PREPARING:
      return text + ", being prepared";
    case Status::Cues::NEXT_STATE_ARMED:
      return text + ", armed";
    case Status::Cues::NEXT_STATE_BROKEN:
      return text + ", broken: " + cues.next_reason();
    default:
      return text + ", not armed: " + cues.next_reason();
  }
}

int status(Context& context, bool realtime) {
  const Status status = context.connection().status();
  if (context.json) {
    print_line(to_json_line(status));
    return kOk;
  }
  const Word word = state_word(status.state());
  print_line(wants_colour() ? std::string(word.colour) + word.text + "\x1b[0m" : word.text);
  for (const std::string& reason : status.reasons()) print_line(printable("  " + reason));
  const v1::Clock& clock = status.clock();
  print_line(printable("device    " + device_text(status.device())));
  if (!status.device().wanted().empty()) print_line(printable("wanted    " + status.device().wanted()));
  if (status.device().round_trip_frames() > 0.0) {
    print_line(format("way       %.2f frames out and in again, ", status.device().round_trip_frames()) +
               (status.device().calibrated() ? "as calibrated" : "as the driver says"));
  }
  if (!status.pre_records().empty()) {
    double least = status.pre_records(0).kept_seconds();
    for (const auto& one : status.pre_records()) least = std::min(least, one.kept_seconds());
    print_line(format("listening %d recorder%s, with %.1f s or more before a take", status.pre_records_size(),
                      status.pre_records_size() == 1 ? "" : "s", least));
  }
  std::string session = status.session_name().empty() ? "(no name)" : status.session_name();
  session += format(", %u node%s, revision %llu", status.nodes(), status.nodes() == 1 ? "" : "s",
                    static_cast<unsigned long long>(status.revision().number()));
  print_line(printable("session   " + session));
  std::string timeline = time_text(clock.timeline_frame(), clock.timeline_rate_hz());
  if (status.timeline_end_frame() > 0)
    timeline += " of " + time_text(status.timeline_end_frame(), clock.timeline_rate_hz());
  print_line("timeline  " + timeline + (clock.rolling() ? ", rolling" : ", stopped"));
  if (status.has_cues()) print_line(printable("cues      " + cues_text(status.cues())));
  for (const auto& take : status.takes()) {
    if (take.recording())
      print_line(printable("recording " + take.file() + ", " + time_text(take.frames(), clock.engine_rate_hz())));
  }
  for (const auto& volume : status.take_volumes()) {
    std::string roots;
    for (const std::string& root : volume.roots()) roots += root + ": ";
    print_line(printable("disk      " + roots + uptime_text(volume.seconds_left()) + " left at " +
                         format("%.0f kB/s", volume.bytes_per_second() / 1000.0)));
  }
  const auto ago = [&](std::int64_t frame) {
    return uptime_text(static_cast<double>(clock.engine_frame() - frame) / clock.engine_rate_hz()) + " ago";
  };
  for (const auto& fault : status.node_faults())
    print_line(printable("fault     " + fault.path() + ": NaN or Inf, " +
                         format("%llu times", static_cast<unsigned long long>(fault.count())) +
                         (fault.muted() ? ", muted" : "; the last one " + ago(fault.last_engine_frame()))));
  print_line("up        " + uptime_text(status.uptime_seconds()) +
             format(", %llu xrun%s", static_cast<unsigned long long>(status.counters().xruns()),
                    status.counters().xruns() == 1 ? "" : "s"));
  if (realtime) print_realtime(status);
  return kOk;
}

int health(Context& context) {
  const bool api = context.connection().serving("");
  const bool audio = context.connection().serving("continuo.audio");
  if (context.json) {
    print_line(format("{\"api\":%s,\"audio\":%s}", api ? "true" : "false", audio ? "true" : "false"));
  } else {
    print_line(api ? "api    serving" : "api    not serving");
    print_line(audio ? "audio  serving" : "audio  not serving");
  }
  return api && audio ? kOk : kNoServer;
}

// A daemon is not needed: without one it tells of itself alone.
int version(Context& context) {
  std::string address;
  v1::GetInfoResponse info;
  try {
    address = context.connection().address();
    info = context.connection().info();
  } catch (const Failure&) {
    address.clear();
  }
  if (context.json) {
    print_line(std::string("{\"continuo\":\"" CONTINUO_VERSION "\"") +
               (address.empty() ? "" : ",\"daemon\":" + to_json_line(info)) + "}");
    return kOk;
  }
  print_line("continuo " CONTINUO_VERSION);
  if (!address.empty())
    print_line(printable(
        format("continuod %s at %s, API level %u", info.version().c_str(), address.c_str(), info.api_level())));
  return kOk;
}

}  // namespace

void add_see_commands(CLI::App& app, Context& context) {
  auto realtime = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("status", "One word (healthy, degraded, stalled), the reasons, and what runs");
  command->add_flag("--rt", *realtime, "Also the audio thread: rights, callback times, counters");
  command->callback(
      [&context, realtime] { context.run = [&context, realtime] { return status(context, *realtime); }; });

  command = app.add_subcommand("health", "Whether the API and the sound are served; exit code 69 where one is not");
  command->callback([&context] { context.run = [&context] { return health(context); }; });

  command = app.add_subcommand("version", "This program's version, and the daemon's where one answers");
  command->callback([&context] { context.run = [&context] { return version(context); }; });
}

}  // namespace continuo::cli
