#include "server/control/why.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include "server/control/why_source.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {
namespace {

using session::DocConnection;
using session::DocNode;
using session::TypeRole;

bool is_strip(const DocNode& node) {
  const TypeRole role = session::find_type(node.type)->role;
  return role == TypeRole::track || role == TypeRole::bus;
}

/// Nothing: what was looked at is not silent.
using Found = std::optional<WhyAnswer>;

/// Who may have lost the sound, where sound there was.
struct Suspects {
  std::string gate;  // the first one that it would have had to pass
  std::string lost;  // the first one in a chain out of which, by its own meter, nothing comes
};

/// What a chain, or a part of it, was found to do.
struct Chain {
  Found blocked;  // by one of its nodes, whatever comes in
  Found source;   // why its last source gives nothing
  bool sounds = false;
};

class Walk {
 public:
  Walk(const WhyFacts& facts, std::vector<WhyStep>& steps)
      : facts_(facts), steps_(steps), audible_(session::audible_map(facts.document)) {}

  Found unit(const std::string& path);
  /// A node in a chain.
  Found child(const std::string& strip, const DocNode& node, std::size_t index);
  /// The sound that arrives at `path` by connections, or at one channel of the device.
  Found arrives(const std::string& path, std::uint32_t output, bool& any);

 private:
  static WhyAnswer answer(WhyReason reason, std::string path, std::string message) {
    return {reason, std::move(path), std::move(message), {}};
  }
  void step(const std::string& path, const DocNode& node) {
    steps_.push_back({path, node.type, facts_.level_db(path, 0)});
  }
  Found here(const std::string& path, const DocNode& node, Suspects& suspects) const;
  Chain chain(const std::string& path, const DocNode& node, std::size_t count, Suspects& suspects);
  /// What comes through the first `count` children of `path`, which comes to nothing behind them.
  Found upstream(const std::string& path, const DocNode& node, std::size_t count, Suspects suspects);
  [[nodiscard]] WhyAnswer lost(const std::string& path) const;
  Found fed_by(const DocConnection& connection, std::uint32_t output);
  [[nodiscard]] bool reaches(const DocConnection& connection, std::uint32_t output) const;
  [[nodiscard]] bool loud(const std::string& path, std::uint32_t channel = 0) const {
    return is_loud(facts_.level_db(path, channel));
  }

  const WhyFacts& facts_;
  std::vector<WhyStep>& steps_;
  const std::unordered_map<rt::Uid, double> audible_;
  std::set<std::string> seen_;
};

/// What the node itself does to its sound, whatever comes in.
Found Walk::here(const std::string& path, const DocNode& node, Suspects& suspects) const {
  for (const std::string& faulty : facts_.faulty) {
    if (session::is_at_or_below(faulty, path)) {
      return answer(
          WhyReason::fault, faulty,
          faulty + " gave NaN or Inf and is muted for a second of sound, again and again: change or remove it");
    }
  }
  if (is_strip(node)) {
    if (session::number_of(node, "mute") != 0.0)
      return answer(WhyReason::muted, path, path + " is muted: set " + path + ".mute=false");
    if (const auto heard = audible_.find(node.uid); heard != audible_.end() && heard->second == 0.0) {
      std::string soloed;
      session::for_each_node(facts_.document.nodes, "", [&](const std::string& other, const DocNode& one) {
        if (is_strip(one) && session::number_of(one, "solo") != 0.0) soloed += (soloed.empty() ? "" : ", ") + other;
      });
      return answer(WhyReason::other_solo, path, path + " is silent because of the solo of " + soloed);
    }
  }
  if (node.type == "gate" && suspects.gate.empty() && session::number_of(node, "bypass") == 0.0) suspects.gate = path;
  return gain_cause(path, node);
}

/// Children in order: the last is asked first; sources add to what comes in.
Chain Walk::chain(const std::string& path, const DocNode& node, std::size_t count, Suspects& suspects) {
  Chain found;
  for (std::size_t i = count; i-- > 0;) {
    const DocNode& child = node.children[i];
    const std::string below = path + "/" + child.id;
    const TypeRole role = session::find_type(child.type)->role;
    if (role == TypeRole::source) {
      step(below, child);
      Found cause = source_cause(facts_, below, child);
      found.sounds = !cause;
      if (!found.source) found.source = std::move(cause);
    } else {
      found.blocked = here(below, child, suspects);
      if (found.blocked) step(below, child);
      found.sounds = !found.blocked && loud(below);  // what is behind it lost it
      if (role == TypeRole::processor && facts_.level_db(below, 0) && !found.sounds) suspects.lost = below;
    }
    if (found.sounds || found.blocked) break;
  }
  return found;
}

bool Walk::reaches(const DocConnection& connection, std::uint32_t output) const {
  if (output == 0) return true;
  const std::uint32_t begin = std::max(connection.to.channel, 1u);
  if (!connection.channels.empty()) {
    return std::ranges::any_of(connection.channels,
                               [&](const auto& pair) { return begin + pair.second - 1 == output; });
  }
  const std::uint32_t width = connection.from.channel > 0 ? 1 : facts_.channels(connection.from.path);
  return output >= begin && (width == 0 || output < begin + width);
}

/// The connection's sound, which does not arrive.
Found Walk::fed_by(const DocConnection& connection, std::uint32_t output) {
  const std::string& from = connection.from.path;
  const std::string name = "the connection from " + session::to_string(connection.from, true) + " to " +
                           session::to_string(connection.to, false);
  if (connection.gain_db <= kSilentDb)
    return answer(WhyReason::gain, from, name + " has a gain of " + why_decibels(connection.gain_db) + ": raise it");
  if (from == "in") {
    steps_.push_back({session::to_string(connection.from, true), "in", facts_.level_db("in", connection.from.channel)});
    return input_cause(facts_, connection.from.channel);
  }
  Found found = unit(from);
  const auto level = facts_.level_db(from, connection.from.channel);
  if (found || !is_loud(level)) return found;
  if (*level + connection.gain_db <= kSilentDb) {
    return answer(WhyReason::gain, from,
                  name + " has a gain of " + why_decibels(connection.gain_db) + ", and what comes is at " +
                      why_decibels(*level) + ": raise one of them");
  }
  const std::uint32_t channel = output - std::min(output, std::max(connection.to.channel, 1u)) + 1;
  if (output > 0 && connection.from.channel == 0 && connection.channels.empty() && facts_.level_db(from, channel) &&
      !loud(from, channel)) {
    return answer(WhyReason::lost_within, from,
                  from + " sounds, but not on its channel " + std::to_string(channel) +
                      ", which goes there: look at its pan, and at what is in its chain");
  }
  return std::nullopt;
}

Found Walk::arrives(const std::string& path, std::uint32_t output, bool& any) {
  Found first;
  for (const DocConnection& connection : facts_.document.connections) {
    if (connection.to.path != path || connection.to.port == "sidechain" || !reaches(connection, output)) continue;
    any = true;
    Found found = fed_by(connection, output);
    if (!found) return std::nullopt;
    if (!first) first = std::move(found);
  }
  return first;
}

WhyAnswer Walk::lost(const std::string& path) const {
  const DocNode* const node = session::find_node(facts_.document, path);
  if (node != nullptr && gain_is_automated(*node)) {
    return answer(WhyReason::gain, path,
                  "sound comes to " + path + ", and its gain_db follows an automation: look at where that is now");
  }
  if (node != nullptr && is_strip(*node)) {
    return answer(WhyReason::lost_within, path,
                  "sound comes in at " + path +
                      " and does not come out: look at its chain, its channels and opposite polarities");
  }
  return answer(WhyReason::lost_within, path,
                "sound comes to " + path + " and does not come out of it: look at what it is set to");
}

Found Walk::upstream(const std::string& path, const DocNode& node, std::size_t count, Suspects suspects) {
  Chain in_chain = chain(path, node, count, suspects);
  if (in_chain.blocked) return std::move(in_chain.blocked);
  bool connected = false;
  Found arrived = in_chain.sounds ? std::nullopt : arrives(path, 0, connected);
  if (in_chain.sounds || (connected && !arrived)) {
    if (!suspects.gate.empty() && (suspects.lost.empty() || suspects.lost == suspects.gate)) {
      return answer(WhyReason::gate, suspects.gate,
                    "sound comes as far as " + suspects.gate + ", and its gate is shut: look at its threshold");
    }
    return lost(suspects.lost.empty() ? path : suspects.lost);
  }
  if (in_chain.source) return std::move(in_chain.source);
  if (arrived) return arrived;
  return answer(WhyReason::unconnected, path, "nothing feeds " + path + ": no player in it, and no connection to it");
}

Found Walk::unit(const std::string& path) {
  if (path == "in") return input_cause(facts_, 0);
  const DocNode* node = session::find_node(facts_.document, path);
  step(path, *node);
  if (loud(path)) return std::nullopt;
  if (!seen_.insert(path).second) return answer(WhyReason::unconnected, path, path + " hears only itself");
  Suspects suspects;
  if (Found found = here(path, *node, suspects)) return found;
  if (session::find_type(node->type)->role == TypeRole::source) return source_cause(facts_, path, *node);
  return upstream(path, *node, node->children.size(), std::move(suspects));
}

Found Walk::child(const std::string& strip, const DocNode& node, std::size_t index) {
  const DocNode& asked = node.children[index];
  const std::string path = strip + "/" + asked.id;
  step(path, asked);
  if (loud(path)) return std::nullopt;
  const TypeRole role = session::find_type(asked.type)->role;
  if (role == TypeRole::source) return source_cause(facts_, path, asked);
  Suspects suspects;
  if (Found found = here(path, asked, suspects)) return found;
  if (role == TypeRole::processor) suspects.lost = path;
  return upstream(strip, node, index, std::move(suspects));
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
                "the device has " + std::to_string(facts.outputs) + " outputs, and no " + name);
  }
  Walk walk(facts, steps);
  Found found;
  if (out) {
    const auto level = facts.level_db("out", output);
    steps.push_back({name, "out", level});
    if (!is_loud(level)) {
      bool any = false;
      found = walk.arrives("out", output, any);
      if (!any) {
        return done(WhyReason::unconnected, name,
                    "nothing is connected to " + name + ": continuo connect NODE " + name);
      }
      if (!found) {
        return done(WhyReason::lost_within, name,
                    "sound comes to " + name +
                        " and is not heard there: a fade, a gain that just moved, or opposite polarities");
      }
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
