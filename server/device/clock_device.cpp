#include "server/device/clock_device.hpp"

#include <time.h>

#include <cmath>
#include <string>
#include <utility>

#include "server/base/check.hpp"
#include "server/device/memory_lock.hpp"
#include "server/device/realtime.hpp"

namespace continuo::device {
namespace {

constexpr double kLowestRate = 8'000.0, kHighestRate = 768'000.0;
constexpr std::uint32_t kMostFrames = 16'384, kMostChannels = 1'024;

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);  // answered by the vDSO: no system call
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void sleep_until(std::int64_t ns) {
  const timespec t{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

}  // namespace

Pacer::Step Pacer::advance(std::int64_t now_ns) noexcept {
  Step step;
  const std::int64_t due = deadline_ns();
  frames_ += buffer_;
  const double buffer_ns = ns_per_frame_ * static_cast<double>(buffer_);
  const auto behind = static_cast<double>(now_ns - due);
  step.late = behind > buffer_ns;
  if (behind > buffer_ns * kMaxCatchUp) {
    // Keep the last kMaxCatchUp buffers of the debt, forget the rest, in whole buffers so that the phase stays.
    const auto buffers = static_cast<std::uint64_t>(behind / buffer_ns) - kMaxCatchUp;
    step.skipped_frames = buffers * buffer_;
    frames_ += step.skipped_frames;
  }
  return step;
}

ClockDevice::ClockDevice(DeviceInfo info, int priority)
    : info_(std::move(info)),
      priority_(priority),
      context_(info_.in_channels, info_.out_channels),
      liveness_(std::chrono::milliseconds(static_cast<int>(kStallSeconds * 1000))) {
  const std::size_t stride = (info_.buffer_frames + 15u) & ~15u;
  slab_floats_ = stride * (std::size_t{info_.in_channels} + info_.out_channels);
  slab_ = rt::make_aligned_floats(slab_floats_ + 16);
  float* next = slab_.get();
  for (std::uint32_t c = 0; c < info_.in_channels; ++c, next += stride) in_.push_back(next);  // silence for ever
  for (std::uint32_t c = 0; c < info_.out_channels; ++c, next += stride) out_.push_back(next);
  lock_memory(slab_.get(), slab_floats_ * sizeof(float));
}

ClockDevice::~ClockDevice() {
  stop();
  unlock_memory(slab_.get(), slab_floats_ * sizeof(float));
}

Result<> ClockDevice::start(AudioCallback& callback) {
  const std::lock_guard lock(mutex_);
  CONTINUO_CHECK(!thread_.joinable(), "a device is started once at a time");
  stopping_.store(false, std::memory_order_relaxed);
  liveness_.reset();
  thread_ = std::thread([this] { play(); });
  const pthread_t id = thread_.native_handle();
  name_audio_thread(id);
  warning_ = ask_realtime(id, priority_);
  pin_stack(id);
  context_.open(callback, counters_);
  ready_.release();
  return {};
}

void ClockDevice::play() {
  ready_.acquire();
  Pacer pacer(info_.sample_rate_hz, info_.buffer_frames, now_ns());
  // From here on the wait is the only system call that this thread makes.
  while (!stopping_.load(std::memory_order_acquire)) {
    sleep_until(pacer.deadline_ns());
    const Pacer::Step step = pacer.advance(now_ns());
    if (step.late) counters_.late_wakeups.fetch_add(1, std::memory_order_relaxed);
    if (step.skipped_frames > 0) counters_.skipped_frames.fetch_add(step.skipped_frames, std::memory_order_relaxed);
    context_.run({in_.data(), info_.in_channels}, {out_.data(), info_.out_channels}, info_.buffer_frames);
  }
}

void ClockDevice::stop() noexcept {
  const std::lock_guard lock(mutex_);  // for one buffer at most
  if (!thread_.joinable()) return;
  context_.close();
  stopping_.store(true, std::memory_order_release);
  unpin_stack(thread_.native_handle());
  thread_.join();
}

bool ClockDevice::alive() noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || !thread_.joinable()) return true;  // being started or stopped this moment
  return liveness_.look(context_.beats(), std::chrono::steady_clock::now());
}

RealtimeReport ClockDevice::realtime() {
  RealtimeReport report;
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) return report;
  read_scheduling(thread_.native_handle(), report);
  report.thread_known = context_.thread_known();
  report.flush_denormals = context_.flush_denormals();
  if (report.warning.empty()) report.warning = warning_;
  return report;
}

Result<std::unique_ptr<Device>> make_clock_device(const DeviceRequest& request) {
  DeviceInfo info;
  info.name = "clock";
  info.host_api = "clock";
  info.sample_rate_hz = request.sample_rate_hz == 0.0 ? 48'000.0 : request.sample_rate_hz;
  info.buffer_frames = request.buffer_frames == 0 ? 256 : request.buffer_frames;
  info.in_channels = request.in_channels == UINT32_MAX ? 2 : request.in_channels;
  info.out_channels = request.out_channels == UINT32_MAX ? 2 : request.out_channels;
  const auto refuse = [](std::string field, std::string message) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", std::move(field), std::move(message));
  };
  if (!std::isfinite(info.sample_rate_hz) || info.sample_rate_hz < kLowestRate || info.sample_rate_hz > kHighestRate) {
    return refuse("device.rate", "the clock device runs at 8000 to 768000 Hz");
  }
  if (info.buffer_frames > kMostFrames) return refuse("device.buffer", "a buffer has at most 16384 frames");
  if (info.in_channels > kMostChannels || info.out_channels > kMostChannels) {
    return refuse("device.channels", "the clock device has at most 1024 channels each way");
  }
  return std::unique_ptr<Device>(std::make_unique<ClockDevice>(std::move(info), request.priority));
}

}  // namespace continuo::device
