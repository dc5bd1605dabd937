#include "server/control/why.hpp"

#include <utility>

#include "server/control/why_walk.hpp"

namespace continuo::control {
namespace {

using session::DocNode;

/// Of the channels that the device has: a connection may go to others, of another device.
std::optional<double> device_level_db(const WhyFacts& facts) {
  std::optional<double> most;
  for (std::uint32_t channel = 1; channel <= facts.outputs; ++channel) {
    const auto level = facts.level_db("out", channel);
    if (level && (!most || *level > *most)) most = level;
  }
  return most;
}

/// Why nothing is heard at the device, or at that channel of it.
WhyAnswer at_device(const WhyFacts& facts, WhyWalk& walk, const std::string& name, std::uint32_t output) {
  bool any = false;
  if (WhyFound found = walk.arrives("out", output, any)) return *std::move(found);
  if (WhyFound found = any || output > 0 ? std::nullopt : walk.beyond()) return *std::move(found);
  if (!any) {
    return {WhyReason::unconnected, name, "nothing is connected to " + name + ": continuo connect NODE " + name, {}};
  }
  if (output == 0 && is_loud(facts.level_db("out", 0))) {
    return {WhyReason::no_channel,
            name,
            "sound goes to " + name + ", but on channels alone that are not there: " + has_outputs(facts.outputs),
            {}};
  }
  return {WhyReason::lost_within,
          name,
          "sound comes to " + name + " and is not heard there: a fade, a gain that just moved, or opposite polarities",
          {}};
}

}  // namespace

WhyAnswer why_silent(const WhyFacts& facts, const std::string& path, std::uint32_t output) {
  std::vector<WhyStep> steps;
  WhyAnswer answer;
  const auto done = [&](WhyReason reason, std::string where, std::string message) {
    return WhyAnswer{reason, std::move(where), std::move(message), std::move(steps)};
  };
  if (facts.stalled) return done(WhyReason::stalled, "", "the sound device does not call: see 'continuo status'");
  const bool out = path == "out";
  const std::string name = output > 0 ? "out:" + std::to_string(output) : path;
  if (out && output > facts.outputs) {
    return done(WhyReason::no_channel, name,
                has_outputs(facts.outputs) + ", and no " + name + ": continuo device use NAME (one that has it)");
  }
  WhyWalk walk(facts, steps);
  WhyFound found;
  if (out) {
    const auto level = output > 0 ? facts.level_db("out", output) : device_level_db(facts);
    steps.push_back({name, "out", level});
    if (!is_loud(level)) {
      found = at_device(facts, walk, name, output);
    } else if (facts.clock_device) {
      return done(WhyReason::clock_device, "",
                  "the session sounds, but on the clock device, which has no loudspeaker: continuo device use NAME");
    }
  } else {
    const std::size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? std::string() : path.substr(0, slash);
    const DocNode* const parent = above.empty() ? nullptr : session::find_node(facts.document, above);
    std::size_t index = 0;
    if (parent != nullptr && is_strip(*parent)) {
      while (parent->children[index].id != path.substr(slash + 1)) ++index;
      found = walk.child(above, *parent, index);
    } else {
      found = walk.unit(path);
    }
  }
  if (!found) return done(WhyReason::sounds, path, name + " is not silent");
  found->steps = std::move(steps);
  return *std::move(found);
}

}  // namespace continuo::control
