// THREAD: control, which asks a worker - the device that sounds, the one that should, and every move from one to
// another
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/control/delivery.hpp"
#include "server/control/engine.hpp"
#include "server/control/history.hpp"
#include "server/control/worker.hpp"
#include "server/device/device.hpp"

namespace continuo::control {

/// A device always runs: where the wanted one is missing or lost it is the clock device, and the wanted one is looked
/// for.
///
/// A move: [worker] open the new one -> [control] wait in line; fade out -> [worker] stop the old one -> [control] rate
/// and channels: compile, [disk] prime, send -> [worker] start the new one -> [audio] fade in.
class DeviceManager {
 public:
  static constexpr std::chrono::milliseconds kLook{200};

  struct Parts {
    Strand& strand;
    Worker& worker;
    JobQueue& jobs;
    Graph& graph;
    Takes& takes;
    Transport& transport;
    AudioLink& link;
    EventPump& pump;
    Delivery& delivery;
    device::AudioCallback& callback;
    device::DeviceRequest wanted;
    std::chrono::milliseconds retry;
    std::shared_ptr<device::DeviceFactory> factory;
    std::function<void()> moved;  // another device sounds: its rate counts from now on
    std::function<void()> lost;   // the device is: before the clock device goes on in its place
    std::function<void()> look;   // called every kLook, for whoever else must look at what the audio thread left
  };
  explicit DeviceManager(Parts parts);

  void start(Done<std::monostate> done);
  /// `allowed` is asked at once, and again before anything moves.
  using Allowed = std::function<Result<>()>;
  void use(const v1::UseDeviceRequest& request, const Allowed& allowed, Done<v1::UseDeviceResponse> done);
  void list(Done<std::vector<device::DeviceInfo>> done);
  /// `done` once no callback runs any more, or false after `limit`: then the driver hangs in its own code, and what it
  /// may still call must outlive it.
  void stop(std::chrono::milliseconds limit, std::function<void(bool)> done);
  /// The same, waiting; for an engine that goes without a shutdown.
  [[nodiscard]] bool stop_now();

  /// Null before the first start.
  [[nodiscard]] device::Device* current() const noexcept { return current_.get(); }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  /// What was asked for, where something else runs, and why; empty when all is as asked.
  [[nodiscard]] const std::string& wanted_missing() const noexcept { return missing_; }
  [[nodiscard]] std::string wanted_name() const { return wanted_.name; }
  /// Any thread: callbacks came within the last second.
  [[nodiscard]] bool audio_alive() const noexcept { return alive_.load(std::memory_order_relaxed); }

  /// Since the daemon started, over all devices.
  struct Totals {
    std::uint64_t callbacks = 0, xruns = 0, late_wakeups = 0;
  };
  [[nodiscard]] Totals totals() const;

 private:
  using DevicePtr = std::shared_ptr<device::Device>;
  using Opened = Result<DevicePtr>;
  using Moved = std::function<void(Result<>)>;
  void open(const device::DeviceRequest& request, std::function<void(Opened)> then);
  void open_clock(std::function<void(DevicePtr)> then);
  void move_to(DevicePtr next, bool fade, Moved then, const Allowed& allowed = {});
  void stop_current(const DevicePtr& next, const std::shared_ptr<Moved>& then, const JobQueue::Finish& finish);
  void take_shape(const DevicePtr& next, std::function<void()> then);
  void run(const DevicePtr& next, const DevicePtr& before, const std::shared_ptr<Moved>& then,
           const JobQueue::Finish& finish);
  void look();
  void fall_back(const std::string& why);
  void look_for_wanted();

  Parts parts_;
  device::DeviceRequest wanted_;
  DevicePtr current_;
  std::string missing_;
  std::uint64_t generation_ = 1;
  Totals before_;  // of devices that are gone
  std::atomic<bool> alive_{false};
  std::uint64_t beats_ = 0;
  Timer::Clock::time_point last_beat_{};
  Timer watch_;
  Timer retry_;
  bool moving_ = false;
  bool looking_ = false;
  bool stopped_ = false;
  /// What the worker's start() and the end of the daemon see of each other: neither overlooks the other.
  struct Gate {
    std::atomic<bool> closing{false};
    std::atomic<bool> starting{false};
  };
  [[nodiscard]] static bool halt(const DevicePtr& device, Gate& gate);
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  std::unique_ptr<Worker> stopper_;
};

}  // namespace continuo::control
