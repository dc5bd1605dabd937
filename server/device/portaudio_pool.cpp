#include "server/device/portaudio_pool.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "server/base/log.hpp"
#include "server/device/bounded_call.hpp"
#include "server/device/device_match.hpp"
#include "server/device/driver_noise.hpp"
#include "server/device/portaudio_probe.hpp"

namespace continuo::device {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStartBound{5000};  // Pa_Initialize probes everything: up to 0.6 s seen
constexpr milliseconds kOpenBound{4000};
constexpr milliseconds kFirstBeatBound{2000};  // opened, but does it call?
constexpr milliseconds kPulseBound{500};       // JACK's longest period lasts 0.19 s
constexpr milliseconds kCloseBound{1300};

Error unavailable(std::string reason, std::string message) {
  return make_error(ErrorKind::unavailable, std::move(reason), "device", std::move(message));
}

std::vector<DeviceInfo> infos_of(const std::vector<SeenDevice>& devices) {
  std::vector<DeviceInfo> infos;
  for (const auto& d : devices) infos.push_back(d.info);
  return infos;
}

}  // namespace

PortAudioPool& PortAudioPool::get() {
  static PortAudioPool& the = *new PortAudioPool;
  return the;
}

PortAudioPool::Counts PortAudioPool::counts() const {
  const std::lock_guard lock(mutex_);
  return {copies_, idle_.size(), lost_.size(), late_starts_};
}

Result<PortAudioApi> PortAudioPool::take_copy() {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (late_starts_ > 0) {
      return unavailable("AUDIO_SYSTEM_BLOCKED",
                         "the audio system does not answer (a frozen JACK server?): an earlier start of PortAudio has "
                         "not come back; resume or restart that server");
    }
    if (!idle_.empty()) {
      const PortAudioApi api = idle_.back();
      idle_.pop_back();
      return api;
    }
    if (copies_ >= kMaxCopies) {
      return make_error(ErrorKind::resource_exhausted, "TOO_MANY_LOST_DEVICES", "device",
                        "audio servers were lost " + std::to_string(lost_.size()) + " times: restart the daemon");
    }
    first = copies_ == 0;
  }
  auto api = first ? load_portaudio() : load_private_portaudio();
  const std::lock_guard lock(mutex_);
  if (api) ++copies_;
  return api;
}

void PortAudioPool::give_back(const PortAudioApi& api) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(api);
}

Result<PortAudioPool::Ready> PortAudioPool::start_copy() {
  reclaim();
  auto api = take_copy();
  if (!api) return api.error();
  {
    const std::lock_guard lock(mutex_);
    ++late_starts_;
  }
  const auto came_back = [this] {
    const std::lock_guard lock(mutex_);
    --late_starts_;
  };
  forget_driver_messages();
  struct Started {
    Result<std::vector<SeenDevice>> devices;
    bool fit;
  };
  auto started = call_bounded<Started>(
      kStartBound, [api = *api] { return Started{start_and_list(api), true}; },
      [] {
        return Started{unavailable("AUDIO_SERVER_LOST", "an audio server went away while PortAudio started"), false};
      },
      [this, api = *api, came_back](const Started& late) {
        if (late.devices) api.terminate();
        if (late.fit) give_back(api);
        came_back();
      });
  if (!started) {
    return unavailable("AUDIO_SYSTEM_BLOCKED",
                       "the audio system does not answer (a frozen JACK server?): PortAudio did not start within 5 s; "
                       "resume or restart that server");
  }
  came_back();
  if (!started->devices) {
    if (started->fit) give_back(*api);
    return started->devices.error();
  }
  Ready ready{*api, std::move(*started->devices)};
  const std::lock_guard lock(mutex_);
  std::erase_if(ready.devices, [&](const SeenDevice& d) {
    return d.type == paJACK && std::find(own_clients_.begin(), own_clients_.end(), d.info.name) != own_clients_.end();
  });
  return ready;
}

void PortAudioPool::end_copy(const PortAudioApi& api) {
  const auto end = [api] {
    api.terminate();
    return true;
  };
  const auto ended = call_bounded<bool>(
      kCloseBound, end, [] { return false; },
      [this, api](bool late) {
        if (late) give_back(api);
      });
  if (ended && *ended) {
    give_back(api);
  } else {
    log::warning("PortAudio does not end: this copy of it is left alone");
  }
}

Result<std::vector<SeenDevice>> PortAudioPool::list() {
  const std::lock_guard one(slow_);
  const QuietDrivers quiet;
  auto ready = start_copy();
  if (!ready) return ready.error();
  end_copy(ready->api);
  return std::move(ready->devices);
}

Result<std::shared_ptr<PortAudioStream>> PortAudioPool::open(const DeviceRequest& request) {
  const std::lock_guard one(slow_);
  const QuietDrivers quiet;
  auto ready = start_copy();
  if (!ready) return ready.error();
  const auto refuse = [&](Error error) {
    end_copy(ready->api);
    return error;
  };

  std::vector<std::size_t> candidates;
  if (request.name.empty()) {
    candidates = best_devices(ready->devices, request);
    if (candidates.empty()) return refuse(unavailable("NO_DEVICE", "there is no sound device"));
  } else {
    const auto match = match_device(infos_of(ready->devices), request.name, request.host_api);
    if (!match) return refuse(match.error());
    candidates.push_back(*match);
  }

  std::optional<Error> first;
  for (const std::size_t i : candidates) {
    const SeenDevice& device = ready->devices[i];
    if (channels_to_try(device, request).empty()) {
      if (!first) {
        first =
            make_error(ErrorKind::invalid_argument, "NO_SUCH_CHANNELS", "device.channels",
                       "\"" + device.info.name + "\" has " + std::to_string(device.info.in_channels) + " inputs and " +
                           std::to_string(device.info.out_channels) + " outputs: none of them was asked for");
      }
      continue;
    }
    auto opened = call_bounded<OpenedStream>(
        kOpenBound, [api = ready->api, device, request] { return open_stream(api, device, request); },
        [] {
          return OpenedStream{nullptr,
                              unavailable("AUDIO_SERVER_LOST", "an audio server went away while the device was opened"),
                              false};
        },
        [this, api = ready->api](OpenedStream late) {
          // The server thawed. What it gave us nobody wants any more.
          if (late.stream &&
              !(late.stream->active() && late.stream->wait_for_beat(kPulseBound) && late.stream->close())) {
            lose(late.stream, false, "it opened too late");
          } else if (late.fit) {
            api.terminate();
            give_back(api);
          }
        });
    if (!opened) {
      return unavailable("AUDIO_SYSTEM_BLOCKED",
                         "\"" + device.info.name + "\" does not answer: opening it did not come back within 4 s");
    }
    if (!opened->fit) {
      if (opened->stream) lose(opened->stream, false, "it opened but would not start");
      return opened->error;
    }
    if (opened->stream) {
      {
        const std::lock_guard lock(mutex_);
        if (!opened->stream->client_name().empty()) own_clients_.push_back(opened->stream->client_name());
      }
      const bool calls = opened->stream->wait_for_beat(kFirstBeatBound);
      if (calls && opened->stream->keeps_time()) {
        opened->stream->dress_thread(request.priority);
        return std::move(opened->stream);
      }
      close(opened->stream);  // takes the copy along
      if (calls)
        return unavailable(
            "DEVICE_WITHOUT_CLOCK",
            "\"" + device.info.name + "\" takes sound without end: it has no clock; use the device \"clock\"");
      return unavailable("DEVICE_STANDS_STILL", "\"" + device.info.name + "\" opens, but asks for no sound");
    }
    if (!first) first = std::move(opened->error);
  }
  return refuse(std::move(*first));
}

void PortAudioPool::close(const std::shared_ptr<PortAudioStream>& stream) {
  // A frozen or dead JACK server is never asked for anything: the call would not come back, or abort the process.
  if (stream->is_jack() && !(stream->active() && stream->wait_for_beat(kPulseBound))) {
    lose(stream, false, "its server is gone or frozen");
    return;
  }
  const QuietDrivers quiet;
  if (stream->active()) stream->undress_thread();
  const auto end = [stream] {
    if (!stream->close()) return false;
    stream->api().terminate();
    return true;
  };
  const auto fit = call_bounded<bool>(
      kCloseBound, end, [] { return false; },
      [this, stream](bool late_fit) {
        if (late_fit) {
          found(stream);
        } else {
          const std::lock_guard lock(mutex_);
          for (Lost& lost : lost_)
            if (lost.stream == stream) lost.in_driver = false;
        }
      });
  if (!fit) {
    lose(stream, true, "closing it does not come back");
  } else if (!*fit) {
    lose(stream, false, "its server went away while it was being closed");
  } else {
    found(stream);
  }
}

void PortAudioPool::lose(const std::shared_ptr<PortAudioStream>& stream, bool in_driver, const char* why) {
  log::warning("the stream on \"{}\" ({}) is left alone for good: {}", stream->info().name, stream->info().host_api,
               why);
  const std::lock_guard lock(mutex_);
  lost_.push_back({stream, stream->context.beats(), in_driver});
}

void PortAudioPool::found(const std::shared_ptr<PortAudioStream>& stream) {
  const std::lock_guard lock(mutex_);
  std::erase_if(lost_, [&](const Lost& lost) { return lost.stream == stream; });
  std::erase(own_clients_, stream->client_name());
  idle_.push_back(stream->api());
}

void PortAudioPool::reclaim() {
  std::vector<std::shared_ptr<PortAudioStream>> revived;
  {
    const std::lock_guard lock(mutex_);
    for (const Lost& lost : lost_) {
      if (!lost.in_driver && lost.stream->active() && lost.stream->context.beats() != lost.beats)
        revived.push_back(lost.stream);
    }
    std::erase_if(lost_, [&](const Lost& lost) {
      return std::find(revived.begin(), revived.end(), lost.stream) != revived.end();
    });
  }
  for (const auto& stream : revived) close(stream);  // found, or lost again
}

}  // namespace continuo::device
