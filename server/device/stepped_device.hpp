// THREAD: any one thread steps it - a device without a clock: a test, or an offline drive, calls step()
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "server/device/device.hpp"

namespace continuo::device {

/// The far side of a stepped device, as a test holds it: what "the hardware" is told to do. It outlives the Devices
/// that a SteppedFactory opens on it, so a device may be lost, opened again and stepped on. step() runs the callback on
/// the calling thread; start() and stop() may come from another and wait for a step to end.
class SteppedHardware {
 public:
  explicit SteppedHardware(DeviceInfo info);

  /// Calls the callback once with `frames` frames (0 is allowed). False, and nothing called: not started, lost or
  /// frozen.
  bool step(std::uint32_t frames);
  /// step() in buffers of at most `buffer` frames until `frames` are done. Returns how many were.
  std::uint64_t run(std::uint64_t frames, std::uint32_t buffer = 256);

  /// What input channel `channel` (from 0) holds at `frame`, counted over all steps. Without one: silence.
  void set_input(std::function<float(std::uint32_t channel, rt::FrameCount frame)> input);
  /// What the last step wrote to output channel `channel` (from 0).
  [[nodiscard]] std::vector<float> last_output(std::uint32_t channel) const;
  /// Everything that output channel `channel` got since clear_recording(). Bounded: kMaxRecording frames, then it
  /// stops.
  [[nodiscard]] std::vector<float> recording(std::uint32_t channel) const;
  void clear_recording();
  static constexpr std::size_t kMaxRecording = 48'000 * 120;

  void set_present(bool present);    // false: a factory neither lists nor opens it
  void set_openable(bool openable);  // false: open() answers UNAVAILABLE
  void lose();    // its server ended: alive() is false for good, steps do nothing; opened again it is well
  void freeze();  // no callback comes; alive() is false
  void thaw();    // ... and they come again

  [[nodiscard]] bool present() const;
  [[nodiscard]] bool started() const;
  [[nodiscard]] std::uint32_t opens() const;
  [[nodiscard]] std::uint64_t frames() const;  // stepped so far
  [[nodiscard]] DeviceInfo info() const;

 private:
  friend class SteppedDevice;
  friend class SteppedFactory;
  mutable std::mutex mutex_;
  const DeviceInfo info_;
  AudioCallback* callback_ = nullptr;
  std::uint64_t owner_ = 0;  // which opening runs; 0: none
  DeviceCounters* counters_ = nullptr;
  std::function<float(std::uint32_t, rt::FrameCount)> input_;
  std::vector<std::vector<float>> in_, out_, recording_;
  std::uint64_t frames_ = 0;
  std::uint32_t opens_ = 0;
  bool present_ = true, openable_ = true, frozen_ = false;
};

/// One opening of a SteppedHardware, as the engine holds it.
class SteppedDevice final : public Device {
 public:
  explicit SteppedDevice(std::shared_ptr<SteppedHardware> hardware);
  ~SteppedDevice() override;
  [[nodiscard]] const DeviceInfo& info() const noexcept override { return hardware_->info_; }
  Result<> start(AudioCallback& callback) override;
  void stop() noexcept override;
  [[nodiscard]] bool alive() noexcept override;
  [[nodiscard]] RealtimeReport realtime() override;
  [[nodiscard]] const DeviceCounters& counters() const noexcept override { return counters_; }

 private:
  friend class SteppedHardware;
  const std::shared_ptr<SteppedHardware> hardware_;
  const std::uint64_t opening_;
  DeviceCounters counters_;
};

/// Opens what it was given, by the same matching as the real factory; an empty name opens the first that is present.
class SteppedFactory final : public DeviceFactory {
 public:
  explicit SteppedFactory(std::vector<std::shared_ptr<SteppedHardware>> hardware) : hardware_(std::move(hardware)) {}
  [[nodiscard]] Result<std::vector<DeviceInfo>> list() override;
  [[nodiscard]] Result<std::unique_ptr<Device>> open(const DeviceRequest& request) override;

 private:
  const std::vector<std::shared_ptr<SteppedHardware>> hardware_;
};

/// A plain description for tests: `in` and `out` channels named "stepped", 48 kHz unless given.
[[nodiscard]] DeviceInfo stepped_info(std::string name = "stepped", std::uint32_t in = 2, std::uint32_t out = 2,
                                      double sample_rate_hz = 48'000.0);

}  // namespace continuo::device
