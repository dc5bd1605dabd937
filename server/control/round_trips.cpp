#include "server/control/round_trips.hpp"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/state_file.hpp"
#include "server/control/uid_source.hpp"

namespace continuo::control {

RoundTrips::RoundTrips(Strand& strand, Worker& worker, std::filesystem::path folder)
    : strand_(strand), worker_(worker), file_(std::move(folder) / "calibrations.json") {
  const auto text = read_state(file_, 1u << 20);
  if (text && !*text) return;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (text && google::protobuf::util::JsonStringToMessage(**text, &all_, options).ok()) return;
  all_.Clear();
  log::warning("{} cannot be read: no device is calibrated", file_.string());
}

bool RoundTrips::same(const v1::Calibration& one, const device::DeviceInfo& device) {
  return one.device() == device.name && one.host_api() == device.host_api &&
         one.sample_rate_hz() == device.sample_rate_hz && one.buffer_frames() == device.buffer_frames;
}

const v1::Calibration* RoundTrips::measured(const device::DeviceInfo& device) const {
  const auto found = std::ranges::find_if(all_.calibrations(), [&](const auto& one) { return same(one, device); });
  return found == all_.calibrations().end() ? nullptr : &*found;
}

double RoundTrips::reported_frames(const device::DeviceInfo& device) {
  const double seconds = device.input_latency_s + device.output_latency_s;
  return seconds > 0.0 && seconds < 10.0 ? seconds * device.sample_rate_hz : 0.0;  // some drivers give garbage
}

double RoundTrips::frames(const device::DeviceInfo& device) const {
  const v1::Calibration* found = measured(device);
  return found != nullptr ? found->round_trip_frames() : reported_frames(device);
}

void RoundTrips::keep(v1::Calibration found, std::function<void(Result<>)> done) {
  auto& all = *all_.mutable_calibrations();
  for (int i = all.size() - 1; i >= 0; --i) {
    const auto& one = all[i];
    if (one.device() == found.device() && one.host_api() == found.host_api() &&
        one.sample_rate_hz() == found.sample_rate_hz() && one.buffer_frames() == found.buffer_frames())
      all.erase(all.begin() + i);
  }
  *all.Add() = std::move(found);
  if (all.size() > kMaxKept) all.erase(all.begin());
  save(std::move(done));
}

void RoundTrips::forget(const device::DeviceInfo& device, std::function<void(Result<>)> done) {
  auto& all = *all_.mutable_calibrations();
  for (int i = all.size() - 1; i >= 0; --i) {
    if (same(all[i], device)) all.erase(all.begin() + i);
  }
  save(std::move(done));
}

void RoundTrips::save(std::function<void(Result<>)> done) {
  worker_.post([all = all_, file = file_, done = std::move(done), post = strand_.poster()] {
    std::string text, error;
    google::protobuf::util::JsonPrintOptions options;
    options.add_whitespace = true;
    options.preserve_proto_field_names = true;
    (void)google::protobuf::util::MessageToJsonString(all, &text, options);
    Result<> saved;
    if (!write_whole(file, text, error))
      saved = make_error(ErrorKind::data_loss, "NOT_SAVED", file.string(), "the calibration is not saved: " + error);
    post([done, saved] { done(saved); });
  });
}

}  // namespace continuo::control
