// THREAD: test - a free player with a queue, and what is heard of it
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

inline constexpr const char* kPlayer =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'mode':"
    "'free'}}]}}},{'connect':{'from':'a','to':'out'}}]}";

inline std::string insert(const std::string& items, const std::string& place = "") {
  return "{'queueInsert':{'path':'a/p','items':[" + items + "]" + place + "}}";
}
inline std::string item(const std::string& name, const std::string& more = "") {
  return "{'file':'media:" + name + "'" + more + "}";
}
inline std::string part(const std::string& name, std::size_t in, std::size_t out) {
  return item(name, ",'inFrame':'" + std::to_string(in) + "','outFrame':'" + std::to_string(out) + "'");
}
inline const std::string kPlay = "{'play':{'players':['a/p']}}";

inline v1::GetStatusResponse::Player player(Rig& rig) {
  const auto status = rig.status();
  REQUIRE(status.players_size() == 1);
  return status.players(0);
}

inline std::uint64_t uid_of(Rig& rig, int index) {
  auto params = rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a/p", std::move(done)); });
  REQUIRE(params);
  REQUIRE(params->queue_size() > index);
  return params->queue(index).uid();
}

/// What was heard on output 1 from an engine frame on.
struct Heard {
  explicit Heard(Rig& of) : rig(of), from(static_cast<std::int64_t>(of.hardware->frames())) {
    rig.hardware->clear_recording();
  }
  float at(std::int64_t frame) const {
    const auto i = static_cast<std::size_t>(frame - from);
    if (i >= known.size()) known = rig.hardware->recording(0);
    return known.at(i);
  }
  Rig& rig;
  std::int64_t from;
  mutable std::vector<float> known;  // a copy of what was recorded, renewed where it is too short
};

inline std::vector<float> smooth(std::size_t frames, double step, float level) {
  std::vector<float> samples;
  for (std::size_t i = 0; i < frames; ++i) {
    const auto value = level * static_cast<float>(std::sin(static_cast<double>(i) * step));
    samples.insert(samples.end(), {value, value});
  }
  return samples;
}

}  // namespace continuo::control::test
