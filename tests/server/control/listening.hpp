// THREAD: test - an engine whose meters are listened to: the sound advances, and is analysed, where a test says so
#pragma once

#include <algorithm>
#include <cmath>
#include <future>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

[[nodiscard]] inline RigOptions by_hand() {
  RigOptions options;
  options.adjust = [](EngineConfig& config) { config.analysis_by_hand = true; };
  return options;
}

/// "in" hears a sine of 1 kHz on both channels, at `level` (linear).
struct Listening : Rig {
  explicit Listening(double level = 0.5, RigOptions options = by_hand()) : Rig(options) {
    sound(level);
    stepping = false;
  }
  void sound(double level) {
    hardware->set_input([level](std::uint32_t, rt::FrameCount frame) {
      return static_cast<float>(level * std::sin(2.0 * 3.14159265358979323846 * static_cast<double>(frame % 48) / 48));
    });
  }
  /// All of it analysed.
  void run(std::uint64_t frames) {
    for (std::uint64_t n; frames > 0; frames -= n) {
      n = std::min<std::uint64_t>(frames, 4800);
      hardware->run(n);
      engine->analyse();
    }
  }
  std::shared_ptr<const v1::MeterFrame> frame(Feed<v1::MeterFrame>& feed) {
    std::shared_ptr<const v1::MeterFrame> got;
    REQUIRE(until([&] { return (got = feed.next({})) != nullptr; }));
    return got;
  }
  Result<v1::Measurement> start(const std::string& name, const std::string& node = "in") {
    v1::StartMeasurementRequest request;
    request.set_name(name);
    request.set_node(node);
    request.set_client("test");
    return answer<v1::Measurement>([&](auto done) { engine->start_measurement(request, std::move(done), "me"); });
  }
  Result<v1::Measurement> reset(const std::string& name) {
    return answer<v1::Measurement>([&](auto done) { engine->reset_measurement(name, std::move(done)); });
  }
  Result<v1::Measurement> stop(const std::string& name) {
    return answer<v1::Measurement>([&](auto done) { engine->stop_measurement(name, std::move(done)); });
  }
  std::vector<v1::Measurement> list() {
    const auto got =
        answer<v1::ListMeasurementsResponse>([&](auto done) { engine->list_measurements(std::move(done)); });
    REQUIRE(got);
    return {got->measurements().begin(), got->measurements().end()};
  }
  /// What the journal tells of measurements, the oldest first: cause, a colon, message.
  std::vector<std::string> told() {
    v1::ListEventsRequest ask;
    ask.add_kinds(v1::Event::KIND_LOG);
    std::promise<Result<v1::ListEventsResponse>> promise;
    engine->journal().list(ask, [&](auto events) { promise.set_value(std::move(events)); });
    const auto got = promise.get_future().get();
    REQUIRE(got);
    std::vector<std::string> lines;
    for (const auto& event : got->events())
      if (event.cause().starts_with("MEASUREMENT_")) lines.push_back(event.cause() + ": " + event.message());
    return lines;
  }
  Result<std::shared_ptr<Feed<v1::SpectrumFrame>>> spectrum(const v1::WatchSpectrumRequest& request) {
    return answer<std::shared_ptr<Feed<v1::SpectrumFrame>>>(
        [&](auto done) { engine->watch_spectrum(request, std::move(done)); });
  }
};

[[nodiscard]] inline v1::WatchMetersRequest of_in(std::initializer_list<v1::MeterKind> kinds,
                                                  std::uint32_t rate_hz = 100) {
  v1::WatchMetersRequest request;
  request.add_nodes("in");
  request.set_rate_hz(rate_hz);
  for (const v1::MeterKind kind : kinds) request.add_kinds(kind);
  return request;
}

[[nodiscard]] inline bool missing(const v1::MeterFrame::Values& values, std::uint32_t index) {
  return std::ranges::find(values.not_measured(), index) != values.not_measured().end();
}

}  // namespace continuo::control::test
