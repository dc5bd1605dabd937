#include "server/control/calibrate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "rt/nodes/generator.hpp"
#include "server/base/log.hpp"
#include "server/control/find_lag.hpp"

namespace continuo::control {
namespace {

constexpr double kSilenceDb = -150.0;
constexpr double kEdgeMs = 20.0;
constexpr double kBurstSeconds = 0.5;
constexpr double kMostSeconds = 1.0;    // of a round trip
constexpr double kBeforeSeconds = 0.3;  // between the recorders' begin and the burst: edits have faded in
constexpr std::chrono::milliseconds kTurn{20};
constexpr std::chrono::seconds kPatience{10};
constexpr double kQuietDb = -80.0;

Error failed(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::failed_precondition, std::move(reason), std::move(field), std::move(message));
}

/// A recorder's frames, one channel.
struct Ear {
  rt::Sink sink;
  rt::RingReader<float> frames;
  rt::RingReader<rt::Gap> gaps;
  std::vector<float> heard;
  explicit Ear(rt::FrameCount length) {
    auto [writer, reader] = rt::make_ring<float>(static_cast<std::size_t>(length) + 1024);
    auto [gap_writer, gap_reader] = rt::make_ring<rt::Gap>(16);
    sink.frames = std::move(writer);
    sink.gaps = std::move(gap_writer);
    sink.channels = 1;
    sink.limit = length;
    frames = std::move(reader);
    gaps = std::move(gap_reader);
  }
  [[nodiscard]] bool done() const { return sink.finished.load(std::memory_order_acquire); }
  void read() {
    heard.resize(frames.available());
    frames.read(heard);
  }
};

session::DocNode track(std::string id, rt::Uid uid, rt::Uid recorder) {
  session::DocNode node;
  node.id = std::move(id);
  node.type = "track";
  node.uid = uid;
  node.params = {{"channels", 1.0}};
  session::DocNode child;
  child.id = "ear";
  child.type = "recorder";
  child.uid = recorder;
  node.children.push_back(std::move(child));
  return node;
}

}  // namespace

struct Calibrate::Run {
  std::uint64_t token = 0;
  v1::CalibrateRequest request;
  Done<v1::CalibrateResponse> done;
  JobTicket job;
  device::DeviceInfo device;
  std::uint64_t generation = 0;
  double level_db = -20.0;
  rt::Uid noise = 0;
  std::string out_path, in_path;
  std::optional<Ear> out, back;
  rt::FrameCount begun = 0;
  bool lent = false;
  std::uint32_t graph_latency = 0;
  Timer::Clock::time_point limit;
  std::unique_ptr<Timer> timer;
};

void Calibrate::begin(std::uint64_t token, const v1::CalibrateRequest& request, Done<v1::CalibrateResponse> done,
                      JobTicket job) {
  const device::Device* device = parts_.devices.current();
  if (device == nullptr) return done(failed("NO_DEVICE", "", "no device runs"));
  const device::DeviceInfo& info = device->info();
  if (request.forget()) {
    return parts_.round_trips.forget(info, [done](const Result<>& forgotten) {
      if (forgotten)
        done(v1::CalibrateResponse{});
      else
        done(forgotten.error());
    });
  }
  const double level = request.has_level_db() ? request.level_db() : -20.0;
  if (!(level >= -60.0 && level <= -10.0))
    return done(make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "level_db", "level_db must be -60 to -10"));
  for (const auto& [field, channel, channels, port] : {std::tuple{"output", request.output(), info.out_channels, "out"},
                                                       {"input", request.input(), info.in_channels, "in"}}) {
    if (channel == 0)
      return done(make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field, "channels count from 1"));
    if (channel > channels) {
      return done(make_error(ErrorKind::not_found, "NO_CHANNEL", field,
                             std::string("there is no ") + port + ":" + std::to_string(channel) + ": the device has " +
                                 std::to_string(channels) + " such channels"));
    }
  }
  if (parts_.takes.running() > 0) return done(failed("TAKES_RUN", "", "takes run: stop them first"));
  if (run_) return done(failed("CALIBRATING", "", "a calibration is under way"));
  auto run = std::make_shared<Run>();
  run->token = token;
  run->request = request;
  run->done = std::move(done);
  run->job = std::move(job);
  run->device = info;
  run->generation = parts_.devices.generation();
  run->level_db = level;
  run->noise = parts_.uids.next();
  run->limit = Timer::Clock::now() + kPatience;
  run->timer = std::make_unique<Timer>(parts_.strand);
  const auto length =
      static_cast<rt::FrameCount>((kBeforeSeconds + kBurstSeconds + kMostSeconds) * info.sample_rate_hz);
  run->out.emplace(length);
  run->back.emplace(length);
  run_ = run;

  // No client can give such ids.
  const std::string out_id = "calibrate out " + std::to_string(token), in_id = "calibrate in " + std::to_string(token);
  run->out_path = out_id + "/ear";
  run->in_path = in_id + "/ear";
  Graph::Overlay source{track(out_id, parts_.uids.next(), parts_.uids.next()), {}};
  session::DocNode noise;
  noise.id = "noise";
  noise.type = "noise";
  noise.uid = run->noise;
  noise.params = {{"gain_db", kSilenceDb}};
  source.node.children.insert(0, std::move(noise));
  source.connection.from = {out_id, "out", 0};
  source.connection.to = {"out", "", request.output()};
  source.connection.channels = {{1, 1}};
  source.connection.uid = parts_.uids.next();
  Graph::Overlay echo{track(in_id, parts_.uids.next(), parts_.uids.next()), {}};
  echo.connection.from = {"in", "", request.input()};
  echo.connection.to = {in_id, "in", 0};
  echo.connection.channels = {{1, 1}};
  echo.connection.uid = parts_.uids.next();
  parts_.graph.overlays[token] = std::move(source);
  parts_.graph.overlays[token + 1] = std::move(echo);
  parts_.jobs.add([this, run](JobQueue::Finish finished) {
    Delta delta;
    delta.document = parts_.graph.document();
    delta.compile = true;
    parts_.delivery.deliver(
        std::move(delta), [finished](const auto&) { finished(); },
        [this, run](AudioLink::Fate fate, rt::FrameCount) {
          if (fate == AudioLink::Fate::applied) sounding(run);
        });
  });
  turn(run);
}

void Calibrate::sounding(const Ptr& run) {
  if (run_ != run) return;
  const session::CompiledRecorder* out = parts_.graph.recorder(run->out_path);
  const session::CompiledRecorder* back = parts_.graph.recorder(run->in_path);
  const auto noise = parts_.graph.param_target(run->noise);
  if (out == nullptr || back == nullptr || !noise) return;  // the patience ends it
  // What the document delays at "out" is part of the way that is heard, not of the device's.
  run->graph_latency = parts_.graph.output_latency_frames();
  const double rate = run->device.sample_rate_hz;
  const auto frames = [rate](double seconds) { return static_cast<rt::FrameCount>(std::llround(seconds * rate)); };
  run->begun = parts_.transport.reading().engine_frame + frames(0.1);
  AudioLink::Shipment ears;
  ears.frame = run->begun;
  for (const auto& [recorder, ear] : {std::pair{out, &*run->out}, {back, &*run->back}}) {
    rt::Action action;
    action.kind = rt::Action::Kind::record_start;
    action.node = recorder->ref;
    action.sink = &ear->sink;
    ears.actions.push_back(action);
  }
  parts_.link.send(std::move(ears));
  run->lent = true;
  const auto gain = [&](double db, rt::FrameCount at) {
    rt::Action action;
    action.kind = rt::Action::Kind::set_param;
    action.node = *noise;
    action.param = rt::NoiseParam::gain_db;
    action.value = db;
    action.ramp_frames = parts_.graph.ramp_frames(kEdgeMs);
    AudioLink::Shipment shipment;
    shipment.actions.push_back(action);
    shipment.frame = at;
    parts_.link.send(std::move(shipment));
  };
  gain(run->level_db, run->begun + frames(kBeforeSeconds));
  gain(kSilenceDb, run->begun + frames(kBeforeSeconds + kBurstSeconds));
  parts_.pump.wake();
}

void Calibrate::turn(const Ptr& run) {
  if (run_ != run) return;
  if (run->lent && run->out->done() && run->back->done()) return finish(run);
  if (run->lent)
    run->job.progress(static_cast<double>(run->back->frames.available()) / static_cast<double>(run->back->sink.limit));
  if (Timer::Clock::now() >= run->limit)
    return end(run, make_error(ErrorKind::unavailable, "NO_ANSWER", "", "the sound device stands still"));
  run->timer->after(kTurn, [this, run] { turn(run); });
}

void Calibrate::finish(const Ptr& run) {
  if (parts_.devices.generation() != run->generation || parts_.devices.current() == nullptr ||
      parts_.devices.current()->info().name != run->device.name)
    return end(run, make_error(ErrorKind::aborted, "DEVICE_CHANGED", "", "another device runs now: try again"));
  run->out->read();
  run->back->read();
  parts_.worker.post([this, run, post = parts_.strand.poster()] {
    const double rate = run->device.sample_rate_hz;
    const auto from = static_cast<std::size_t>(kBeforeSeconds * rate);
    const auto length = static_cast<std::size_t>(kBurstSeconds * rate);
    std::optional<Lag> lag;
    float peak = 0.0f;
    if (run->out->heard.size() >= from + length && run->back->heard.size() >= from + length) {
      const std::span<const float> back = std::span(run->back->heard).subspan(from);
      for (const float s : back) peak = std::max(peak, std::abs(s));
      lag = find_lag(std::span(run->out->heard).subspan(from, length), back,
                     static_cast<std::size_t>(kMostSeconds * rate));
    }
    const double peak_db = peak > 0.0f ? 20.0 * std::log10(static_cast<double>(peak)) : kSilenceDb;
    post([this, run, lag, peak_db] {
      if (run_ != run) return;
      const std::string way =
          "out:" + std::to_string(run->request.output()) + " to in:" + std::to_string(run->request.input());
      if (!lag || peak_db < kQuietDb || run->out->sink.lost_frames != 0 || run->back->sink.lost_frames != 0) {
        return end(run, failed("NO_LOOPBACK", "input",
                               way + ": the input does not hear the output (its peak was " +
                                   std::to_string(static_cast<int>(std::lround(peak_db))) + " dBFS)"));
      }
      v1::CalibrateResponse response;
      v1::Calibration& found = *response.mutable_calibration();
      found.set_device(run->device.name);
      found.set_host_api(run->device.host_api);
      found.set_sample_rate_hz(run->device.sample_rate_hz);
      found.set_buffer_frames(run->device.buffer_frames);
      found.set_output(run->request.output());
      found.set_input(run->request.input());
      found.set_round_trip_frames(std::max(0.0, lag->frames - run->graph_latency));
      found.set_reported_frames(RoundTrips::reported_frames(run->device));
      found.set_correlation(lag->correlation);
      found.set_peak_dbfs(peak_db);
      found.set_measured(utc_now());
      log::info("calibrated {}: {}: {:.2f} frames out and in again", run->device.name, way, found.round_trip_frames());
      parts_.round_trips.keep(found, [this, run, response](const Result<>& kept) {
        if (kept)
          end(run, response);
        else
          end(run, kept.error());
      });
    });
  });
}

void Calibrate::end(const Ptr& run, Result<v1::CalibrateResponse> result) {
  if (run_ != run) return;
  run_.reset();
  for (const std::string* path : {&run->out_path, &run->in_path}) {
    const session::CompiledRecorder* recorder = parts_.graph.recorder(*path);
    if (recorder == nullptr || !run->lent) continue;
    rt::Action action;
    action.kind = rt::Action::Kind::record_stop;
    action.node = recorder->ref;
    parts_.link.send_value(action);
  }
  parts_.graph.overlays.erase(run->token);
  parts_.graph.overlays.erase(run->token + 1);
  parts_.delivery.compile_again();
  run->timer->cancel();
  std::erase_if(ending_, [](const Ptr& ended) { return ended->out->done() && ended->back->done(); });
  if (run->lent) ending_.push_back(run);
  if (run->done) std::exchange(run->done, nullptr)(std::move(result));
}

void Calibrate::cancel(std::uint64_t token) {
  if (const Ptr run = run_; run && run->token == token) end(run, cancelled_error());
}

void Calibrate::close() {
  if (const Ptr run = run_) end(run, make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"));
}

}  // namespace continuo::control
