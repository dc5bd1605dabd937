#include "server/control/status.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/control/missing_channels.hpp"
#include "server/control/player_report.hpp"
#include "server/control/prerolls.hpp"
#include "server/control/queue_place.hpp"
#include "server/device/memory_lock.hpp"
#include "server/device/ticks.hpp"
#include "server/media/probe.hpp"

namespace continuo::control {
namespace {

constexpr std::size_t kMaxFilesNamed = 5;

std::uint64_t of(const std::atomic<std::uint64_t>& counter) { return counter.load(std::memory_order_relaxed); }

}  // namespace

v1::GetStatusResponse StatusReport::make() {
  v1::GetStatusResponse out;
  out.set_uptime_seconds(std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count());
  *out.mutable_clock() = parts_.clock();
  *out.mutable_revision() = parts_.history.revision();
  out.set_session_name(parts_.graph.document()->name);
  std::uint32_t nodes = 0;
  session::for_each_node(parts_.graph.document()->nodes, "",
                         [&](const std::string&, const session::DocNode&) { ++nodes; });
  out.set_nodes(nodes);
  parts_.takes.report(*out.mutable_takes());
  if (const Prerolls* prerolls = parts_.takes.prerolls()) prerolls->report(*out.mutable_pre_records());
  for (auto& [id, volume] : parts_.takes.volumes()) *out.add_take_volumes() = volume;
  for (auto& take : *out.mutable_takes())
    take.set_start_timeline_frame(parts_.graph.to_session(take.start_timeline_frame()));
  out.set_timeline_end_frame(timeline_end());
  device(out);
  realtime(out);
  counters(out);
  parts_.sources.look();
  parts_.faults.look();
  parts_.faults.report(out);
  report_players(parts_.graph, parts_.transport, out);
  reasons(out);
  return out;
}

std::int64_t StatusReport::timeline_end() const {
  const double rate_hz = parts_.graph.shape().sample_rate_hz;
  rt::FrameCount end = 0;
  for (const session::CompiledPlayer& player : parts_.graph.players()) {
    if (player.queue && !player.free) {
      const QueuePlaces places(player.items, rate_hz, player.loop);
      if (!places.layout().endless()) end = std::max(end, player.timeline_start + places.layout().length());
    }
    const auto facts = parts_.media.table().find(player.file);
    if (player.free || player.loop || facts == parts_.media.table().end()) continue;
    const media::MediaInfo info{facts->second.channels, facts->second.sample_rate_hz, facts->second.frames, {}};
    end = std::max<rt::FrameCount>(end, player.timeline_start + media::frames_at_rate(info, rate_hz));
  }
  return parts_.graph.to_session(end);
}

void StatusReport::device(v1::GetStatusResponse& out) const {
  const device::Device* device = parts_.devices.current();
  if (device == nullptr) return;
  const device::DeviceInfo& info = device->info();
  auto& report = *out.mutable_device();
  report.set_name(info.name);
  report.set_host_api(info.host_api);
  report.set_in_channels(info.in_channels);
  report.set_out_channels(info.out_channels);
  report.set_sample_rate_hz(info.sample_rate_hz);
  report.set_buffer_frames(info.buffer_frames);
  const auto finite = [](double value) { return std::isfinite(value) ? value : 0.0; };
  report.set_input_latency_seconds(finite(info.input_latency_s));
  report.set_output_latency_seconds(finite(info.output_latency_s));
  report.set_round_trip_frames(finite(parts_.round_trips.frames(info)));
  if (const v1::Calibration* found = parts_.round_trips.measured(info)) {
    report.set_calibrated(true);
    report.set_calibrated_utc(found->measured());
  }
  if (!parts_.devices.wanted_missing().empty()) {
    report.set_wanted(parts_.devices.wanted_name().empty() ? "any device" : parts_.devices.wanted_name());
  }
}

void StatusReport::realtime(v1::GetStatusResponse& out) const {
  device::Device* device = parts_.devices.current();
  if (device == nullptr) return;
  auto& report = *out.mutable_realtime();
  const device::RealtimeReport rights = device->realtime();
  report.set_policy(rights.policy);
  report.set_priority(rights.priority);
  report.set_flush_denormals(rights.flush_denormals);
  if (!rights.warning.empty()) report.add_warnings(rights.warning);
  const device::MemoryReport memory = device::memory_report();
  report.set_locked_bytes(memory.locked_bytes);
  if (!memory.warning.empty()) report.add_warnings(memory.warning);
  if (parts_.workers != nullptr) {
    report.set_render_workers(parts_.workers->team().workers());
    report.set_worker_callbacks(parts_.workers->seen());
    report.set_worker_tasks(parts_.workers->team().helped());
    if (!parts_.workers->warning().empty()) report.add_warnings(parts_.workers->warning());
  }

  const device::DeviceCounters& counters = device->counters();
  const rt::Histogram& ticks = counters.callback_ticks;
  const double us_per_tick = 1e6 / device::ticks_per_second();
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < rt::Histogram::kBuckets; ++i) {
    const std::uint64_t n = ticks.bucket(i);
    if (n == 0) continue;
    count += n;
    auto* bucket = report.add_callback_histogram();
    bucket->set_upper_us(std::ldexp(us_per_tick, static_cast<int>(i)));
    bucket->set_count(n);
  }
  if (count == 0) return;
  report.set_callback_mean_us(static_cast<double>(ticks.total_ticks()) * us_per_tick / static_cast<double>(count));
  report.set_callback_max_us(static_cast<double>(ticks.worst_ticks()) * us_per_tick);
  const double sounded_us = static_cast<double>(of(counters.frames)) / device->info().sample_rate_hz * 1e6;
  if (sounded_us > 0.0) report.set_load(static_cast<double>(ticks.total_ticks()) * us_per_tick / sounded_us);
}

void StatusReport::counters(v1::GetStatusResponse& out) const {
  const rt::Counters& engine = parts_.link.renderer().counters();
  const DeviceManager::Totals totals = parts_.devices.totals();
  auto& report = *out.mutable_counters();
  report.set_callbacks(totals.callbacks);
  report.set_xruns(totals.xruns);
  report.set_late_wakeups(totals.late_wakeups);
  report.set_starved_frames(of(engine.starved_frames));
  report.set_lost_record_frames(of(engine.lost_record_frames));
  report.set_commands_orphaned(of(engine.commands_orphaned));
  report.set_commands_refused(of(engine.commands_refused));
  report.set_non_finite_samples(of(engine.non_finite_samples));
  report.set_node_faults(of(engine.node_faults));
  report.set_ceiling_samples(of(engine.ceiling_samples));
  report.set_non_finite_inputs(of(engine.non_finite_inputs));
  report.set_non_finite_recorded(of(engine.non_finite_recorded));
  report.set_automation_refused(of(engine.automation_refused));
}

v1::GetStatusResponse::Counters StatusReport::look() {
  v1::GetStatusResponse now;
  *now.mutable_clock() = parts_.clock();
  counters(now);
  losses(now, false);
  return now.counters();
}

void StatusReport::losses(v1::GetStatusResponse& out, bool tell) {
  const auto look = [&](const char* counter, std::uint64_t value, const char* what) {
    const bool news = rises_.rose(counter, value, out.clock().engine_frame(), out.clock().engine_rate_hz());
    if (!news || !tell) return;
    out.set_state(v1::GetStatusResponse::STATE_DEGRADED);
    out.add_reasons(what);
  };
  const auto& counters = out.counters();
  look("output", counters.non_finite_samples(), "NaN or Inf reached the output and was silenced");
  look("take", counters.non_finite_recorded(), "NaN or Inf reached a take and was written as silence");
  look("lost", counters.lost_record_frames(), "a take lost frames, because the disk was too slow");
  look("starved", counters.starved_frames(), "a player was silent for some frames, because the disk was too slow");
}

void StatusReport::reasons(v1::GetStatusResponse& out) {
  out.set_state(v1::GetStatusResponse::STATE_HEALTHY);
  const auto degraded = [&](std::string reason) {
    out.set_state(v1::GetStatusResponse::STATE_DEGRADED);
    out.add_reasons(std::move(reason));
  };
  if (!parts_.devices.wanted_missing().empty()) {
    degraded("not the wanted device: " + parts_.devices.wanted_missing() + "; looking for it");
  }
  // The first few; says how many more there are.
  const auto first_of = [&](const auto& all, const auto& text) {
    std::size_t named = 0;
    for (const auto& one : all) {
      if (named++ == kMaxFilesNamed) break;
      degraded(text(one));
    }
    return all.size() - std::min(all.size(), kMaxFilesNamed);
  };
  if (const std::size_t more = first_of(parts_.media.errors(), [](const auto& one) {
        return "missing media: " + one.first + ": " + one.second.message;
      }))
    degraded("missing media: " + std::to_string(more) + " more files");
  first_of(parts_.media.cut_off(), [](const auto& one) { return one.second; });
  first_of(parts_.sources.errors(), [](const auto& one) { return one.first + " is silent: " + one.second; });
  first_of(parts_.impulses.errors(),
           [](const auto& one) { return "impulse response " + one.first + ": " + one.second; });
  if (const std::size_t more = first_of(missing_channels(*parts_.graph.document(), parts_.graph.shape()),
                                        [](const std::string& line) { return line; }))
    degraded(std::to_string(more) + " more connections to channels that the device has not");
  first_of(parts_.sources.spoiled(), [](const auto& one) {
    return one.first + " holds NaN or infinite samples: " + std::to_string(one.second) + " were played as silence";
  });
  std::size_t named = 0;
  for (const auto& fault : out.node_faults()) {  // the last one first
    if (!Rises::lately(fault.last_engine_frame(), out.clock().engine_frame(), out.clock().engine_rate_hz())) break;
    if (named++ == kMaxFilesNamed) break;
    degraded(fault.path() + " gave NaN or Inf, " + std::to_string(fault.count()) + " times" +
             (fault.muted() ? "; it is muted" : ""));
  }
  for (const std::string& why : parts_.takes.reasons()) degraded(why);
  for (const std::string& warning : out.realtime().warnings()) degraded(warning);
  losses(out, true);
  if (!parts_.uids.warning().empty()) degraded(parts_.uids.warning());
  if (!save_problem.empty()) degraded(save_problem);
  for (const auto& [who, notice] : notices) degraded(notice);
  if (parts_.devices.audio_alive()) return;
  out.set_state(v1::GetStatusResponse::STATE_STALLED);
  out.mutable_reasons()->Add("the sound device has not called for more than a second");
  for (int i = out.reasons_size() - 1; i > 0; --i) out.mutable_reasons()->SwapElements(i, i - 1);
}

}  // namespace continuo::control
