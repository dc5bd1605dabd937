#include "server/device/portaudio_device.hpp"

#include <chrono>
#include <utility>

#include "server/device/clock_device.hpp"
#include "server/device/portaudio_pool.hpp"

namespace continuo::device {

PortAudioDevice::PortAudioDevice(std::shared_ptr<PortAudioStream> stream, DeviceRequest request)
    : info_(stream->info()),
      request_(std::move(request)),
      stream_(std::move(stream)),
      liveness_(std::chrono::milliseconds(static_cast<int>(kStallSeconds * 1000))) {
  request_.name = info_.name;
  request_.host_api = info_.host_api;
  request_.sample_rate_hz = info_.sample_rate_hz;
  request_.in_channels = info_.in_channels;
  request_.out_channels = info_.out_channels;
}

PortAudioDevice::~PortAudioDevice() { stop(); }

Error PortAudioDevice::lost(const std::string& name) {
  return make_error(ErrorKind::unavailable, "DEVICE_LOST", "device.name", "\"" + name + "\" was lost: open it again");
}

Result<> PortAudioDevice::start(AudioCallback& callback) {
  bool reopen = false;
  {
    const std::lock_guard lock(mutex_);
    if (lost_ || (running_ && !stream_->active())) return lost(info_.name);
    reopen = !running_;
  }
  if (reopen) {
    auto opened = PortAudioPool::get().open(request_);
    if (!opened) return opened.error();
    const DeviceInfo& got = (*opened)->info();
    if (got.sample_rate_hz != info_.sample_rate_hz || got.in_channels != info_.in_channels ||
        got.out_channels != info_.out_channels) {
      PortAudioPool::get().close(*opened);
      return lost(info_.name);
    }
    const std::lock_guard lock(mutex_);
    stream_ = std::move(*opened);
    liveness_.reset();
    running_ = true;
  }
  stream_->context.open(callback, counters_);
  return {};
}

void PortAudioDevice::stop() noexcept {
  std::shared_ptr<PortAudioStream> stream;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(running_, false)) return;
    stream = stream_;
  }
  stream->context.close();
  PortAudioPool::get().close(stream);
}

bool PortAudioDevice::alive() noexcept {
  const std::lock_guard lock(mutex_);
  if (running_ && !lost_) {
    lost_ = !stream_->active() || !liveness_.look(stream_->context.beats(), std::chrono::steady_clock::now());
  }
  return !lost_;
}

RealtimeReport PortAudioDevice::realtime() {
  // Of a stream that is gone, the thread's handle may be gone too: the last report stands.
  const std::lock_guard lock(mutex_);
  if (running_ && !lost_ && stream_->active()) last_report_ = stream_->realtime();
  return last_report_;
}

namespace {

class PortAudioFactory final : public DeviceFactory {
 public:
  [[nodiscard]] Result<std::vector<DeviceInfo>> list() override {
    auto seen = PortAudioPool::get().list();
    if (!seen) return seen.error();
    const auto best = best_devices(*seen, {});
    if (!best.empty()) (*seen)[best.front()].info.is_default = true;
    std::vector<DeviceInfo> infos;
    for (auto& device : *seen) infos.push_back(std::move(device.info));
    if (const auto clock = make_clock_device({})) {
      infos.push_back((*clock)->info());
      infos.back().is_default = best.empty();
    }
    return infos;
  }

  [[nodiscard]] Result<std::unique_ptr<Device>> open(const DeviceRequest& request) override {
    if (request.name == "clock" && (request.host_api.empty() || request.host_api == "clock"))
      return make_clock_device(request);
    auto stream = PortAudioPool::get().open(request);
    if (!stream) return stream.error();
    return std::unique_ptr<Device>(std::make_unique<PortAudioDevice>(std::move(*stream), request));
  }
};

}  // namespace

std::unique_ptr<DeviceFactory> make_portaudio_factory() { return std::make_unique<PortAudioFactory>(); }

}  // namespace continuo::device
