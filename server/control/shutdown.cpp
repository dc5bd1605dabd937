#include <memory>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/engine_impl.hpp"
#include "server/control/output_fade.hpp"

namespace continuo::control {
namespace {

using namespace std::chrono_literals;

// Together below 4 s: fade and last events, the device's stop, the takes' files, the session's file.
constexpr auto kDeviceLimit = 2200ms;
constexpr auto kTakesLimit = 1000ms;
constexpr auto kSaveLimit = 400ms;
constexpr auto kLook = 5ms;

/// Looks every few milliseconds until `ready` or the limit, then goes on.
void wait_until(Strand& strand, Timer::Clock::time_point limit, std::function<bool()> ready,
                std::function<void()> then) {
  if (ready() || Timer::Clock::now() >= limit) return then();
  auto timer = std::make_shared<Timer>(strand);
  timer->after(kLook, [&strand, timer, limit, ready = std::move(ready), then = std::move(then)] {
    wait_until(strand, limit, ready, then);
  });
}

}  // namespace

/// [control] stop takes, fade out -> [worker] stop the device -> [disk] close takes -> [worker] save the session.
void Engine::Impl::shutdown(Done<std::monostate> done) {
  if (std::exchange(closing, true))
    return done(make_error(ErrorKind::failed_precondition, "SHUTTING_DOWN", "", "it is ending already"));
  resume.close();
  params.close();
  jobs.close();
  scheduled.close();
  transactions.close();
  identify.close();
  calibrate.close();
  cues.close();
  leases.close();
  transfer_check.cancel();
  desk.close();
  library.close();
  missing.close();
  lost.close();
  meters.close();
  spectra.close();
  measurements.close();
  why.close();
  history.close();
  prerolls.close();
  std::vector<Takes::Ref> stopped;
  link.send_together(takes.stop(takes.recording(), stopped));
  saver.save([] {});
  fade_out(graph, link, pump, [this, done = std::move(done)] {
    devices.stop(kDeviceLimit, [this, done](bool left) {
      driver_hangs = !left;
      if (!left) log::error("the driver does not come back from its stop; going on without it");
      // What the audio thread finished is closed in the usual way. What it will never finish is let go of, but only
      // where it cannot come any more.
      link.poll();
      if (left) takes.abandon();
      wait_until(
          strand, Timer::Clock::now() + kTakesLimit,
          [this] { return takes.running() == 0 && !takes.copies_under_way(); },
          [this, done] {
            if (takes.running() > 0) log::error("{} takes could not be closed in time", takes.running());
            pump.stop();
            wait_until(
                strand, Timer::Clock::now() + kSaveLimit, [this] { return worker.wait_idle(0ms) && desk.idle(); },
                [done] { done(std::monostate{}); });
          });
    });
  });
  pump.wake();
}

}  // namespace continuo::control
