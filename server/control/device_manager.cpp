#include "server/control/device_manager.hpp"

#include <memory>
#include <thread>
#include <utility>

#include "server/base/check.hpp"
#include "server/base/log.hpp"
#include "server/control/output_fade.hpp"
#include "server/device/memory_lock.hpp"

namespace continuo::control {
namespace {

constexpr std::chrono::seconds kAlive{1};
constexpr std::chrono::seconds kStartPatience{2};

std::string name_of(const device::DeviceInfo& info) {
  return info.host_api == info.name || info.host_api.empty() ? info.name : info.name + " (" + info.host_api + ")";
}

std::uint64_t xruns_of(const device::DeviceCounters& counters) {
  return counters.input_overflows.load(std::memory_order_relaxed) +
         counters.output_underflows.load(std::memory_order_relaxed);
}

}  // namespace

DeviceManager::DeviceManager(Parts parts)
    : parts_(std::move(parts)), wanted_(parts_.wanted), watch_(parts_.strand), retry_(parts_.strand) {}

void DeviceManager::open(const device::DeviceRequest& request, std::function<void(Opened)> then) {
  parts_.worker.post([request, then = std::move(then), factory = parts_.factory, post = parts_.strand.poster()] {
    auto opened = request.name == "clock" ? device::make_clock_device(request) : factory->open(request);
    Opened result = opened ? Opened(DevicePtr(std::move(*opened))) : Opened(opened.error());
    device::lock_code();
    post([then, result = std::move(result)] { then(result); });
  });
}

void DeviceManager::open_clock(std::function<void(DevicePtr)> then) {
  device::DeviceRequest request = wanted_;
  request.name = "clock";
  request.host_api.clear();
  if (current_) {  // as the one before, so that the session keeps its rate and its channels
    request.sample_rate_hz = current_->info().sample_rate_hz;
    request.in_channels = current_->info().in_channels;
    request.out_channels = current_->info().out_channels;
  }
  open(request, [then = std::move(then)](const Opened& opened) {
    CONTINUO_CHECK(static_cast<bool>(opened), "the clock device needs no hardware");
    then(*opened);
  });
}

void DeviceManager::start(Done<std::monostate> done) {
  moving_ = true;
  open(wanted_, [this, done = std::move(done)](const Opened& opened) {
    const auto started = [this, done](const Result<>& moved) {
      look();
      if (moved)
        done(std::monostate{});
      else
        done(moved.error());
    };
    if (opened) {
      return move_to(*opened, false, [this, started](const Result<>& moved) {
        if (moved) return started(moved);
        missing_ = moved.error().message;
        open_clock([this, started](const DevicePtr& clock) { move_to(clock, false, started); });
        look_for_wanted();
      });
    }
    missing_ = opened.error().message;
    log::warning("{}; the clock device runs in its place, looking again every {} s", missing_,
                 static_cast<double>(parts_.retry.count()) / 1000.0);
    look_for_wanted();
    open_clock([this, started](const DevicePtr& clock) { move_to(clock, false, started); });
  });
}

void DeviceManager::use(const v1::UseDeviceRequest& request, const Allowed& allowed, Done<v1::UseDeviceResponse> done) {
  if (const Result<> may = allowed(); !may) return done(may.error());
  device::DeviceRequest wanted = wanted_;
  wanted.name = request.name();
  wanted.host_api = request.host_api();
  wanted.sample_rate_hz = request.sample_rate_hz();
  wanted.buffer_frames = request.buffer_frames();
  open(wanted, [this, wanted, allowed, done = std::move(done)](const Opened& opened) {
    if (!opened) return done(opened.error());
    if (stopped_) return done(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"));
    const auto answer = [this, wanted, done, info = (*opened)->info()](const Result<>& moved) {
      if (!moved) return done(moved.error());
      wanted_ = wanted;
      missing_.clear();
      retry_.cancel();
      v1::UseDeviceResponse response;
      response.set_name(info.name);
      response.set_host_api(info.host_api);
      response.set_sample_rate_hz(info.sample_rate_hz);
      done(std::move(response));
    };
    move_to(*opened, true, answer, allowed);
  });
}

void DeviceManager::list(Done<std::vector<device::DeviceInfo>> done) {
  parts_.worker.post([done = std::move(done), factory = parts_.factory, post = parts_.strand.poster()] {
    post([done, listed = factory->list()] { done(listed); });
  });
}

void DeviceManager::move_to(DevicePtr next, bool fade, Moved then, const Allowed& allowed) {
  const auto shared = std::make_shared<Moved>(std::move(then));
  const auto dropped = [shared] {
    (*shared)(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"));
  };
  parts_.jobs.add(
      [this, next = std::move(next), fade, allowed, then = shared](JobQueue::Finish finish) {
        if (const Result<> may = allowed ? allowed() : Result<>(); !may) {
          finish();
          return (*then)(may.error());
        }
        moving_ = true;
        if (!fade) return stop_current(next, then, finish);
        fade_out(parts_.graph, parts_.link, parts_.pump,
                 [this, next, then, finish] { stop_current(next, then, finish); });
        parts_.pump.wake();
      },
      dropped);
}

void DeviceManager::stop_current(const DevicePtr& next, const std::shared_ptr<Moved>& then,
                                 const JobQueue::Finish& finish) {
  if (!current_) return take_shape(next, [this, next, then, finish] { run(next, nullptr, then, finish); });
  parts_.worker.post([this, next, then, finish, before = current_, post = parts_.strand.poster()] {
    before->stop();
    post([this, next, before, then, finish] { take_shape(next, [=, this] { run(next, before, then, finish); }); });
  });
}

void DeviceManager::take_shape(const DevicePtr& next, std::function<void()> then) {
  const device::DeviceInfo& info = next->info();
  parts_.link.land();
  const double old_rate = parts_.graph.shape().sample_rate_hz;
  Delta delta;
  delta.document = parts_.graph.document();
  delta.compile = true;
  delta.fade_edits = false;
  delta.keep_players = true;
  if (current_ && info.sample_rate_hz != old_rate) {
    // No callback runs: the renderer's rate may be set. The timeline keeps its seconds; a file has one rate, so takes
    // end here.
    std::vector<Takes::Ref> stopped;
    parts_.link.send_together(parts_.takes.stop(parts_.takes.recording(), stopped));
    parts_.transport.change_rate(old_rate, info.sample_rate_hz);
    delta.locate = convert_frames(parts_.transport.position(), old_rate, info.sample_rate_hz);
  }
  if (!current_ || info.sample_rate_hz != old_rate) {
    parts_.link.renderer().set_sample_rate(info.sample_rate_hz);
    if (current_) ++generation_;
  }
  parts_.graph.set_shape({info.sample_rate_hz, info.in_channels, info.out_channels});
  delta.last.push_back(output_level(0.0, 0));
  delta.last.push_back(output_level(1.0, parts_.graph.ramp_frames(kFadeInMs)));
  // The clocks show the new rate from the frame on that counts in it.
  parts_.delivery.deliver(
      std::move(delta), [then = std::move(then)](const auto&) { then(); },
      [this](AudioLink::Fate, rt::FrameCount) { parts_.moved(); });
}

void DeviceManager::run(const DevicePtr& next, const DevicePtr& before, const std::shared_ptr<Moved>& then,
                        const JobQueue::Finish& finish) {
  parts_.worker.post([this, next, before, then, finish, callback = &parts_.callback, gate = gate_,
                      post = parts_.strand.poster()] {
    gate->starting = true;
    Result<> started = gate->closing ? make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending")
                                     : next->start(*callback);
    if (gate->closing) next->stop();  // the daemon ended meanwhile, and may not listen any more
    gate->starting = false;
    post([this, next, before, then, finish, started = std::move(started)] {
      if (stopped_) {
        finish();
        return (*then)(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"));
      }
      if (!started && before) {  // the one before goes on
        log::warning("{}: {}", name_of(next->info()), started.error().message);
        return take_shape(before, [this, before, then, finish, error = started.error()] {
          run(before, nullptr, std::make_shared<Moved>([then, error](const Result<>&) { (*then)(error); }), finish);
        });
      }
      moving_ = false;
      if (started) {
        if (current_ && current_ != next) {
          before_ = totals();
          parts_.worker.post([old = std::exchange(current_, nullptr)]() mutable { old.reset(); });
        }
        current_ = next;
        last_beat_ = Timer::Clock::now();
        alive_.store(true, std::memory_order_relaxed);  // it has a second to show itself
        const device::DeviceInfo& info = next->info();
        log::info("device {}: {} in, {} out, {} Hz, {} frames", name_of(info), info.in_channels, info.out_channels,
                  info.sample_rate_hz, info.buffer_frames);
      }
      finish();
      (*then)(started);
    });
  });
}

void DeviceManager::look() {
  if (stopped_) return;
  watch_.after(kLook, [this] { look(); });
  parts_.look();
  if (!current_) return;
  const std::uint64_t beats = parts_.link.renderer().counters().buffers.load(std::memory_order_relaxed);
  const auto now = Timer::Clock::now();
  if (beats != beats_) {
    beats_ = beats;
    last_beat_ = now;
  }
  alive_.store(now - last_beat_ < kAlive, std::memory_order_relaxed);
  if (moving_ || current_->alive()) return;
  fall_back("the device " + name_of(current_->info()) + " is lost");
}

void DeviceManager::fall_back(const std::string& why) {
  moving_ = true;
  missing_ = why;
  log::error("{}; the clock device runs in its place, looking again every {} s", why,
             static_cast<double>(parts_.retry.count()) / 1000.0);
  parts_.lost();
  open_clock([this](const DevicePtr& clock) {
    move_to(clock, false, [](const Result<>& moved) {
      if (!moved && moved.error().reason != "SHUTTING_DOWN")
        log::error("the clock device does not start: {}", moved.error().message);
    });
  });
  look_for_wanted();
}

void DeviceManager::look_for_wanted() {
  retry_.after(parts_.retry, [this] {
    if (stopped_ || missing_.empty()) return;
    look_for_wanted();
    if (moving_ || std::exchange(looking_, true)) return;
    open(wanted_, [this](const Opened& opened) {
      looking_ = false;
      if (stopped_ || moving_ || missing_.empty() || !opened) return;
      move_to(*opened, true, [this](const Result<>& moved) {
        if (!moved) return;
        missing_.clear();
        retry_.cancel();
      });
    });
  });
}

void DeviceManager::stop(std::chrono::milliseconds limit, std::function<void(bool)> done) {
  stopped_ = true;
  gate_->closing = true;
  watch_.cancel();
  retry_.cancel();
  struct Wait {
    std::function<void(bool)> done;
    std::unique_ptr<Timer> timer;
    void end(bool left) {
      timer.reset();
      if (done) std::exchange(done, nullptr)(left);
    }
  };
  auto wait = std::make_shared<Wait>();
  wait->done = std::move(done);
  wait->timer = std::make_unique<Timer>(parts_.strand);
  wait->timer->after(limit, [wait] { wait->end(false); });
  // A thread of its own: the worker may hang in a driver's call.
  stopper_ = std::make_unique<Worker>("continuo-stop");
  stopper_->post([device = current_, wait, gate = gate_, post = parts_.strand.poster()] {
    const bool left = halt(device, *gate);
    post([wait, left] { wait->end(left); });
  });
}

bool DeviceManager::stop_now() {
  if (std::exchange(stopped_, true)) return true;  // stop() has told
  gate_->closing = true;
  return halt(current_, *gate_);
}

bool DeviceManager::halt(const DevicePtr& device, Gate& gate) {
  if (device) device->stop();
  const auto limit = Timer::Clock::now() + kStartPatience;
  while (gate.starting && Timer::Clock::now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return !gate.starting;
}

DeviceManager::Totals DeviceManager::totals() const {
  Totals result = before_;
  if (!current_) return result;
  const device::DeviceCounters& counters = current_->counters();
  result.callbacks += counters.callbacks.load(std::memory_order_relaxed);
  result.late_wakeups += counters.late_wakeups.load(std::memory_order_relaxed);
  result.xruns += xruns_of(counters);
  return result;
}

}  // namespace continuo::control
