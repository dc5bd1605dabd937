#include "server/control/measurements.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "server/control/history.hpp"
#include "server/control/metered.hpp"
#include "server/control/text_check.hpp"

namespace continuo::control {
namespace {

constexpr std::chrono::milliseconds kLook{100};  // at meters that were replaced
constexpr std::size_t kMaxName = 63;

bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

Error unknown(const std::string& name) {
  return make_error(ErrorKind::not_found, "UNKNOWN_MEASUREMENT", "name",
                    "there is no measurement " + session::quoted(name));
}

std::string loudness_text(const v1::Measurement& measured) {
  char text[64] = "nothing above the gate";
  if (measured.has_integrated_lufs()) std::snprintf(text, sizeof text, "%.1f LUFS", measured.integrated_lufs());
  char seconds[64];
  std::snprintf(seconds, sizeof seconds, ", %.1f s", measured.seconds());
  return std::string(text) + seconds;
}

const session::CompiledMeter* meter_of(const Graph& graph, rt::Uid uid) {
  const auto found = std::ranges::find(graph.meters(), uid, &session::CompiledMeter::uid);
  return found == graph.meters().end() ? nullptr : &*found;
}

}  // namespace

Measurements::Measurements(Parts parts) : parts_(std::move(parts)), timer_(parts_.strand) {}

Result<v1::Measurement> Measurements::start(const v1::StartMeasurementRequest& request, const v1::Origin& origin) {
  if (!is_name(request.name())) {
    return make_error(ErrorKind::invalid_argument, "BAD_NAME", "name",
                      "a measurement's name is 1 to 63 of A-Z a-z 0-9 . _ -, not " + session::quoted(request.name()));
  }
  if (const Result<> good = check_text(request.client(), "client"); !good) return good.error();
  if (all_.contains(request.name())) {
    return make_error(ErrorKind::already_exists, "DUPLICATE_MEASUREMENT", "name",
                      "there is a measurement " + session::quoted(request.name()) + " already");
  }
  const std::string node = request.node().empty() ? "out" : request.node();
  const auto meter = find_meter(parts_.graph, node, "node");
  if (!meter) return meter.error();
  if (all_.size() >= kMax) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_MEASUREMENTS", "",
                      "at most " + std::to_string(kMax) + " measurements run at once");
  }
  One one;
  one.uid = (*meter)->uid;
  one.tap = parts_.taps.hold(node);
  one.node = node;
  one.origin = origin;
  if (!begin(one, **meter)) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_ANALYSES", "",
                      "the analysis of meters has no room: try again when others have gone");
  }
  const auto place = all_.emplace(request.name(), std::move(one)).first;
  tell("MEASUREMENT_STARTED", place->first, place->second, "began", &origin);
  if (!timer_.waiting()) arm();
  return describe(place->first, place->second);
}

Result<v1::Measurement> Measurements::reset(const std::string& name, const v1::Origin& by) {
  const auto place = all_.find(name);
  if (place == all_.end()) return unknown(name);
  v1::Measurement was = describe(name, place->second);
  const session::CompiledMeter* const meter = meter_of(parts_.graph, place->second.uid);
  if (meter == nullptr || !begin(place->second, *meter)) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_ANALYSES", "",
                      "the analysis of meters has no room: try again when others have gone");
  }
  place->second.origin.set_utc(utc_now());
  tell("MEASUREMENT_RESET", name, place->second, "began anew; it was " + loudness_text(was), &by);
  return was;
}

Result<v1::Measurement> Measurements::stop(const std::string& name, const v1::Origin& by) {
  const auto place = all_.find(name);
  if (place == all_.end()) return unknown(name);
  v1::Measurement was = describe(name, place->second);
  tell("MEASUREMENT_STOPPED", name, place->second, "was stopped: " + loudness_text(was), &by);
  all_.erase(place);
  return was;
}

v1::ListMeasurementsResponse Measurements::list() {
  v1::ListMeasurementsResponse response;
  for (const auto& [name, one] : all_) *response.add_measurements() = describe(name, one);
  return response;
}

void Measurements::close() {
  timer_.cancel();
  end_all("the daemon");
}

bool Measurements::begin(One& one, const session::CompiledMeter& meter) {
  const double rate = parts_.graph.shape().sample_rate_hz;
  auto measures = std::make_shared<MeasureMeter>(rate, static_cast<std::uint32_t>(meter.slots->size()));
  Analysis::Hearing hearing = parts_.analysis.hear(meter.slots, measures, parts_.engine_frame(), rate);
  if (!hearing) return false;
  one.sample_rate_hz = rate;
  one.slots = meter.slots;
  one.measures = std::move(measures);
  one.hearing = std::move(hearing);
  return true;
}

v1::Measurement Measurements::describe(const std::string& name, const One& one) {
  v1::Measurement measurement = one.measures->read();
  measurement.set_name(name);
  measurement.set_node(one.node);
  *measurement.mutable_origin() = one.origin;
  return measurement;
}

void Measurements::follow() {
  const double rate = parts_.graph.shape().sample_rate_hz;
  for (auto place = all_.begin(); place != all_.end();) {
    One& one = place->second;
    const session::CompiledMeter* const meter = meter_of(parts_.graph, one.uid);
    if (meter != nullptr) one.node = meter->path;
    bool goes_on = meter != nullptr;
    if (goes_on && one.sample_rate_hz != rate) {
      const std::string was = loudness_text(one.measures->read());
      goes_on = begin(one, *meter);
      one.origin.set_utc(utc_now());
      if (goes_on) tell("MEASUREMENT_RESET", place->first, one, "began anew at another rate; it was " + was, nullptr);
    } else if (goes_on && meter->slots != one.slots) {
      one.slots = meter->slots;
      one.before = std::move(one.hearing);
      one.hearing = parts_.analysis.hear(meter->slots, one.measures, parts_.engine_frame(), rate);
      goes_on = static_cast<bool>(one.hearing);
    }
    if (!goes_on) {
      tell("MEASUREMENT_ENDED", place->first, one, "ended with its node: " + loudness_text(one.measures->read()),
           nullptr);
      place = all_.erase(place);
      continue;
    }
    ++place;
  }
}

void Measurements::arm() {
  timer_.after(kLook, [this] {
    for (auto& [name, one] : all_) one.before = {};
    if (!all_.empty()) arm();
  });
}

void Measurements::end_all(const std::string& with) {
  for (const auto& [name, one] : std::exchange(all_, {}))
    tell("MEASUREMENT_ENDED", name, one, "ended with " + with + ": " + loudness_text(one.measures->read()), nullptr);
}

void Measurements::tell(const char* cause, const std::string& name, const One& one, std::string what,
                        const v1::Origin* by) {
  v1::Event event;
  event.set_kind(v1::Event::KIND_LOG);
  event.set_severity(v1::Event::SEVERITY_INFO);
  event.set_cause(cause);
  event.set_message("measurement " + session::quoted(name) + " of " + session::quoted(one.node) + " " +
                    std::move(what));
  event.set_count(1);
  if (by != nullptr) *event.mutable_origin() = *by;
  parts_.journal(std::move(event));
}

}  // namespace continuo::control
