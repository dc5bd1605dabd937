#include "server/control/why_source.hpp"

#include <cstdio>
#include <utility>

#include "server/control/why_gain.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

using session::DocNode;
using Found = std::optional<WhyAnswer>;

WhyAnswer answer(WhyReason reason, std::string path, std::string message) {
  return {reason, std::move(path), std::move(message), {}};
}

Found player_cause(const WhyFacts& facts, const std::string& path, const DocNode& node) {
  if (const std::string error = facts.player_error(path); !error.empty())
    return answer(WhyReason::missing_file, path, path + " cannot play: " + error);
  if (node.queue.empty() && session::text_of(node, "file").empty())
    return answer(WhyReason::nothing_to_play, path, path + " has nothing to play: set its file, or add to its queue");
  const auto at = facts.player(path);
  const bool free = session::text_of(node, "mode") == "free";
  using State = rt::PlayReading::State;
  const State state = at ? at->state : State::none;
  if (!free && !facts.rolling)
    return answer(WhyReason::stopped, path, "the timeline stands, and " + path + " follows it: play");
  if (free && (state == State::stopped || state == State::none))
    return answer(WhyReason::stopped, path, path + " stands: play it (" + path + " is a free player)");
  if (state == State::waiting)
    return answer(WhyReason::waiting, path,
                  path + " follows the timeline, and begins later (start_s): locate, or wait");
  if (state == State::late)
    return answer(WhyReason::late, path, path + " waits for the disk: see 'starved frames' in the status");
  if (state == State::ended)
    return answer(WhyReason::ended, path, path + " is behind its last frame: locate, or give it more to play");
  return answer(WhyReason::silent_source, path, path + " plays, and what it plays is silent here");
}

}  // namespace

std::string why_decibels(double db) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f dB", db);
  return text;
}

std::string why_name(const session::DocConnection& connection) {
  return "the connection from " + session::to_string(connection.from, true) + " to " +
         session::to_string(connection.to, false);
}

bool is_strip(const DocNode& node) { return session::is_strip(session::find_type(node.type)->role); }

bool gain_is_automated(const DocNode& node) {
  const auto lane = node.lanes.find("gain_db");
  return lane != node.lanes.end() && lane->second.on;
}

Found gain_cause(const std::string& path, const DocNode& node) {
  if (session::find_type(node.type)->find("gain_db") == nullptr || gain_is_automated(node)) return std::nullopt;
  const double gain = session::number_of(node, "gain_db");
  if (gain > kSilentDb) return std::nullopt;
  return answer(WhyReason::gain, path, path + ".gain_db is " + why_decibels(gain) + ": raise it");
}

Found source_cause(const WhyFacts& facts, const std::string& path, const DocNode& node) {
  if (is_loud(facts.level_db(path, 0))) return std::nullopt;
  if (Found found = gain_cause(path, node)) return found;
  if (Found found = faded_cause(facts, path)) return found;
  if (node.type == "player") return player_cause(facts, path, node);
  return answer(WhyReason::silent_source, path, path + " gives silence here");
}

Found input_cause(const WhyFacts& facts, std::uint32_t channel) {
  if (facts.inputs == 0)
    return answer(WhyReason::no_input, "in",
                  "the device has no inputs" + std::string(facts.clock_device ? ": it is the clock device" : ""));
  const std::string name = "in" + (channel > 0 ? ":" + std::to_string(channel) : std::string());
  if (channel > facts.inputs)
    return answer(WhyReason::no_channel, name,
                  "the device has " + std::to_string(facts.inputs) + " inputs, and no " + name);
  if (is_loud(facts.level_db("in", channel))) return std::nullopt;
  return answer(WhyReason::silent_input, name,
                facts.clock_device ? "nothing comes in: the clock device has no microphone"
                                   : "nothing comes in at " + name + ": look at the cable and at the driver's mixer");
}

}  // namespace continuo::control
