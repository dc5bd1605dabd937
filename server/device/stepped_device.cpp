#include "server/device/stepped_device.hpp"

#include <algorithm>
#include <utility>

#include "server/device/device_match.hpp"

namespace continuo::device {

SteppedHardware::SteppedHardware(DeviceInfo info)
    : info_(std::move(info)), in_(info_.in_channels), out_(info_.out_channels), recording_(info_.out_channels) {}

bool SteppedHardware::step(std::uint32_t frames) {
  const std::lock_guard lock(mutex_);
  if (callback_ == nullptr || frozen_) return false;
  std::vector<const float*> in;
  std::vector<float*> out;
  for (std::uint32_t c = 0; c < info_.in_channels; ++c) {
    in_[c].assign(frames, 0.0f);
    for (std::uint32_t i = 0; input_ && i < frames; ++i)
      in_[c][i] = input_(c, static_cast<rt::FrameCount>(frames_ + i));
    in.push_back(in_[c].data());
  }
  for (auto& channel : out_) {
    channel.assign(frames, 1e9f);  // not silence: a callback that leaves a sample unwritten is to be noticed
    out.push_back(channel.data());
  }
  callback_->audio_callback({in.data(), info_.in_channels}, {out.data(), info_.out_channels}, frames);
  for (std::size_t c = 0; c < out_.size(); ++c) {
    const std::size_t room = kMaxRecording - recording_[c].size();
    recording_[c].insert(recording_[c].end(), out_[c].begin(),
                         out_[c].begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(room, frames)));
  }
  frames_ += frames;
  counters_->callbacks.fetch_add(1, std::memory_order_relaxed);
  counters_->frames.fetch_add(frames, std::memory_order_relaxed);
  return true;
}

std::uint64_t SteppedHardware::run(std::uint64_t frames, std::uint32_t buffer) {
  std::uint64_t done = 0;
  while (done < frames) {
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(buffer, frames - done));
    if (n == 0 || !step(n)) break;
    done += n;
  }
  return done;
}

void SteppedHardware::set_input(std::function<float(std::uint32_t, rt::FrameCount)> input) {
  const std::lock_guard lock(mutex_);
  input_ = std::move(input);
}

std::vector<float> SteppedHardware::last_output(std::uint32_t channel) const {
  const std::lock_guard lock(mutex_);
  return channel < out_.size() ? out_[channel] : std::vector<float>{};
}

std::vector<float> SteppedHardware::recording(std::uint32_t channel) const {
  const std::lock_guard lock(mutex_);
  return channel < recording_.size() ? recording_[channel] : std::vector<float>{};
}

void SteppedHardware::clear_recording() {
  const std::lock_guard lock(mutex_);
  for (auto& channel : recording_) channel.clear();
}

void SteppedHardware::set_present(bool present) {
  const std::lock_guard lock(mutex_);
  present_ = present;
}

void SteppedHardware::set_openable(bool openable) {
  const std::lock_guard lock(mutex_);
  openable_ = openable;
}

void SteppedHardware::lose() {
  const std::lock_guard lock(mutex_);
  callback_ = nullptr;
  counters_ = nullptr;
  owner_ = 0;
}

void SteppedHardware::freeze() {
  const std::lock_guard lock(mutex_);
  frozen_ = true;
}

void SteppedHardware::thaw() {
  const std::lock_guard lock(mutex_);
  frozen_ = false;
}

bool SteppedHardware::present() const {
  const std::lock_guard lock(mutex_);
  return present_;
}

bool SteppedHardware::started() const {
  const std::lock_guard lock(mutex_);
  return callback_ != nullptr;
}

std::uint32_t SteppedHardware::opens() const {
  const std::lock_guard lock(mutex_);
  return opens_;
}

std::uint64_t SteppedHardware::frames() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

DeviceInfo SteppedHardware::info() const { return info_; }

namespace {
std::uint64_t next_opening(std::uint32_t& opens, std::uint64_t& owner) {
  owner = ++opens;
  return owner;
}
}  // namespace

SteppedDevice::SteppedDevice(std::shared_ptr<SteppedHardware> hardware)
    : hardware_(std::move(hardware)), opening_([this] {
        const std::lock_guard lock(hardware_->mutex_);
        hardware_->callback_ = nullptr;
        return next_opening(hardware_->opens_, hardware_->owner_);
      }()) {}

SteppedDevice::~SteppedDevice() { stop(); }

Result<> SteppedDevice::start(AudioCallback& callback) {
  const std::lock_guard lock(hardware_->mutex_);
  if (hardware_->owner_ != opening_) {
    return make_error(ErrorKind::unavailable, "DEVICE_LOST", "device.name",
                      "\"" + info().name + "\" was lost; open it again");
  }
  hardware_->callback_ = &callback;
  hardware_->counters_ = &counters_;
  return {};
}

void SteppedDevice::stop() noexcept {
  const std::lock_guard lock(hardware_->mutex_);
  if (hardware_->owner_ != opening_) return;
  hardware_->callback_ = nullptr;
  hardware_->counters_ = nullptr;
}

bool SteppedDevice::alive() noexcept {
  const std::lock_guard lock(hardware_->mutex_);
  return hardware_->owner_ == opening_ && !hardware_->frozen_;
}

RealtimeReport SteppedDevice::realtime() {
  RealtimeReport report;
  report.thread_known = counters_.callbacks.load(std::memory_order_relaxed) > 0;
  report.policy = "SCHED_OTHER";
  return report;
}

Result<std::vector<DeviceInfo>> SteppedFactory::list() {
  std::vector<DeviceInfo> infos;
  for (const auto& hardware : hardware_)
    if (hardware->present()) infos.push_back(hardware->info());
  return infos;
}

Result<std::unique_ptr<Device>> SteppedFactory::open(const DeviceRequest& request) {
  std::vector<std::shared_ptr<SteppedHardware>> there;
  std::vector<DeviceInfo> infos;
  for (const auto& hardware : hardware_) {
    if (!hardware->present()) continue;
    there.push_back(hardware);
    infos.push_back(hardware->info());
  }
  std::size_t index = 0;
  if (!request.name.empty()) {
    auto match = match_device(infos, request.name, request.host_api);
    if (!match) return match.error();
    index = *match;
  } else if (there.empty()) {
    return make_error(ErrorKind::unavailable, "NO_DEVICE", "device.name", "there is no device");
  }
  {
    const std::lock_guard lock(there[index]->mutex_);
    if (!there[index]->openable_) {
      return make_error(ErrorKind::unavailable, "DEVICE_BUSY", "device.name",
                        "\"" + infos[index].name + "\" does not open");
    }
  }
  return std::unique_ptr<Device>(std::make_unique<SteppedDevice>(there[index]));
}

DeviceInfo stepped_info(std::string name, std::uint32_t in, std::uint32_t out, double sample_rate_hz) {
  DeviceInfo info;
  info.name = std::move(name);
  info.host_api = "stepped";
  info.in_channels = in;
  info.out_channels = out;
  info.sample_rate_hz = sample_rate_hz;
  return info;
}

}  // namespace continuo::device
