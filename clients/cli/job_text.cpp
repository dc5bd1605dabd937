#include "clients/cli/job_text.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "clients/cli/output.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

std::string lower_name(std::string name, std::string_view prefix) {
  name = name.starts_with(prefix) ? name.substr(prefix.size()) : "?";
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

std::string render_text(const v1::RenderResult& result) {
  return format("%lld frames (%s), %u Hz, %u channels, peak %.2f dBFS, %.1f times real time",
                static_cast<long long>(result.frames()), time_text(result.frames(), result.sample_rate_hz()).c_str(),
                result.sample_rate_hz(), result.channels(), result.peak_db(), result.speed());
}

std::string loudness_text(const v1::Loudness& loudness) {
  std::string text = loudness.has_integrated_lufs() ? format("%.1f LUFS", loudness.integrated_lufs())
                                                    : "too short or too quiet for a loudness";
  if (loudness.has_range_lu()) text += format(", range %.1f LU", loudness.range_lu());
  return text + format(", true peak %.1f dBTP", loudness.max_true_peak_db());
}

std::string scan_text(const v1::ScanResult& result) {
  return format("%u files read to their end, %s of sound, %u broken", result.files(),
                time_text(static_cast<std::int64_t>(result.seconds() * 1000.0), 1000.0).c_str(), result.broken_count());
}

}  // namespace

JobClient job_client(Context& context) {
  return {context.connection().address(),
          std::chrono::milliseconds(static_cast<std::int64_t>(context.timeout_seconds * 1000.0))};
}

std::string kind_text(v1::Job::Kind kind) { return lower_name(v1::Job::Kind_Name(kind), "KIND_"); }
std::string state_text(v1::Job::State state) { return lower_name(v1::Job::State_Name(state), "STATE_"); }

std::string progress_text(const v1::Job& job) {
  return job.has_progress() ? format("%.0f %%", job.progress() * 100.0) : "";
}

std::vector<std::string> loudness_lines(const v1::Job& job) {
  std::vector<std::string> lines;
  if (job.render().has_loudness()) lines.push_back("  " + loudness_text(job.render().loudness()));
  for (const auto& stem : job.render().stems())
    lines.push_back("  " + stem.node() + ": " + loudness_text(stem.loudness()));
  return lines;
}

bool has_ended(const v1::Job& job) {
  return job.state() != v1::Job::STATE_WAITING && job.state() != v1::Job::STATE_RUNNING;
}

std::string outcome_text(const v1::Job& job) {
  switch (job.result_case()) {
    case v1::Job::kRender:
      return render_text(job.render());
    case v1::Job::kScan:
      return scan_text(job.scan());
    case v1::Job::kCalibration:
      return format("%.2f frames out and in again", job.calibration().round_trip_frames());
    case v1::Job::kRevision:
      return format("revision %llu", static_cast<unsigned long long>(job.revision().number()));
    case v1::Job::kBytes:
      return format("%lld bytes", static_cast<long long>(job.bytes()));
    case v1::Job::RESULT_NOT_SET:
      break;
  }
  return job.message() + (job.reason().empty() ? "" : " (" + job.reason() + ")");
}

ExitCode exit_code_of(const std::string& reason) {
  static constexpr std::array<std::pair<const char*, ExitCode>, 20> kCodes{{
      {"FILE_EXISTS", kCannotCreate},    {"FILE_NOT_FOUND", kNoInput}, {"FOLDER_NOT_FOUND", kNoInput},
      {"UNKNOWN_ROOT", kNoInput},        {"DISK_FULL", kIoError},      {"WRITE_FAILED", kIoError},
      {"READ_FAILED", kIoError},         {"FILE_GONE", kIoError},      {"NOT_REACHABLE", kIoError},
      {"NOT_WRITABLE", kRefused},        {"OUTSIDE_ROOT", kRefused},   {"HIDDEN_FILE", kRefused},
      {"DAEMON_ENDED", kNoServer},       {"RENDER_DIED", kFault},      {"RENDER_FAILED", kFault},
      {"RENDER_NOT_STARTED", kFault},    {"MEDIA_BUSY", kTryAgain},    {"TRANSFER_IDLE", kTryAgain},
      {"SOUND_STANDS_STILL", kTryAgain}, {"NO_ANSWER", kNoServer},
  }};
  const auto found = std::ranges::find_if(kCodes, [&](const auto& one) { return reason == one.first; });
  return found == kCodes.end() ? kBadData : found->second;
}

Failure left_behind(const Failure& failure, std::uint64_t job_id) {
  const std::string number = std::to_string(job_id);
  const std::string name = "job " + number;
  const std::string fate = failure.exit_code == kNoServer
                               ? name + " goes on where the daemon does; 'continuo jobs show " + number + "' tells"
                               : name + " goes on without this program; 'continuo jobs cancel " + number + "' ends it";
  return {failure.exit_code, failure.reason, name, failure.message.empty() ? fate : failure.message + "; " + fate};
}

v1::Job wait_for(Context& context, JobClient& client, const v1::Job& job) {
  const bool terminal = !context.json && ::isatty(STDERR_FILENO) != 0;
  v1::Job last = job;
  const auto clear = [terminal] {
    if (terminal) std::fputs("\r\x1b[K", stderr);
  };
  bool whole = false;
  try {
    whole = client.watch(job.job_id(), [&](const v1::Job& now) {
      last = now;
      if (context.json) {
        print_line(to_json_line(now));
        flush_output();
      } else if (terminal) {
        std::fprintf(stderr, "\r\x1b[K%s %s", state_text(now.state()).c_str(), progress_text(now).c_str());
      }
    });
  } catch (const Failure& failure) {
    clear();
    if (has_ended(last)) throw;
    throw left_behind(failure, job.job_id());
  }
  clear();
  if (!whole) throw left_behind({kTryAgain, "INTERRUPTED", "", ""}, job.job_id());
  const std::string name = "job " + std::to_string(job.job_id());
  if (last.state() == v1::Job::STATE_CANCELLED) throw Failure(kTryAgain, "CANCELLED", name, last.message());
  if (last.state() == v1::Job::STATE_FAILED)
    throw Failure(exit_code_of(last.reason()), last.reason(), name, last.message());
  return last;
}

}  // namespace continuo::cli
