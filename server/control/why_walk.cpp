#include "server/control/why_walk.hpp"

#include <algorithm>

#include "server/control/why_gain.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {
namespace {

using session::DocConnection;
using session::DocNode;
using session::TypeRole;

/// 0: another's solo silences it, whatever its own mute says. Empty: nothing is soloed.
std::unordered_map<rt::Uid, double> solo_map(session::Document document) {
  if (!session::any_solo(document.nodes)) return {};
  std::vector<std::string> muted;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
    if (is_strip(node) && node.params.contains("mute")) muted.push_back(path);
  });
  for (const std::string& path : muted) session::edit_node(document, path)->params.erase("mute");
  return session::audible_map(document);
}

/// The first channel of the device that it goes to.
std::uint32_t first_output(const DocConnection& connection) {
  std::uint32_t first = connection.channels.empty() ? 1 : session::kMaxDeviceChannels;
  for (const auto& [from, to] : connection.channels) first = std::min(first, to);
  return std::max(connection.to.channel, 1u) + first - 1;
}

}  // namespace

std::string has_outputs(std::uint32_t count) {
  return "the device has " + std::to_string(count) + (count == 1 ? " output" : " outputs");
}

WhyWalk::WhyWalk(const WhyFacts& facts, std::vector<WhyStep>& steps)
    : facts_(facts), steps_(steps), unsilenced_(solo_map(facts.document)) {}

bool WhyWalk::is_silenced(const DocNode& node) const {
  const auto found = unsilenced_.find(node.uid);
  return found != unsilenced_.end() && found->second == 0.0;
}

WhyAnswer WhyWalk::silenced(const std::string& path) const {
  std::string soloed, remedy;
  session::for_each_node(facts_.document.nodes, "", [&](const std::string& other, const DocNode& one) {
    if (!is_strip(one) || session::number_of(one, "solo") == 0.0) return;
    soloed += (soloed.empty() ? "" : ", ") + other;
    remedy += (remedy.empty() ? "" : ", ") + other + ".solo=false";
  });
  return answer(WhyReason::other_solo, path, path + " is silent because of the solo of " + soloed + ": set " + remedy);
}

bool WhyWalk::is_fed(const std::string& path, const DocNode& node, std::size_t count) {
  if (has_source(node, count)) return true;
  if (!fed_) fed_ = fed_by_connections(facts_.document);
  return fed_->contains(path);
}

bool WhyWalk::is_fed(const std::string& path) {
  const DocNode& node = *session::find_node(facts_.document, path);
  return !is_strip(node) || is_fed(path, node, node.children.size());
}

/// What the node itself does to its sound, whatever comes in.
WhyFound WhyWalk::here(const std::string& path, const DocNode& node, Suspects& suspects) const {
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
    if (is_silenced(node)) return silenced(path);
  }
  if (node.type == "gate" && suspects.gate.empty() && session::number_of(node, "bypass") == 0.0) suspects.gate = path;
  return gain_cause(path, node);
}

/// Children in order: the last is asked first; sources add to what comes in.
WhyWalk::Chain WhyWalk::chain(const std::string& path, const DocNode& node, std::size_t count, Suspects& suspects) {
  Chain found;
  for (std::size_t i = count; i-- > 0;) {
    const DocNode& child = node.children[i];
    const std::string below = path + "/" + child.id;
    const TypeRole role = session::find_type(child.type)->role;
    if (role == TypeRole::source) {
      step(below, child);
      WhyFound cause = source_cause(facts_, below, child);
      found.sounds = !cause;
      if (!found.source) found.source = std::move(cause);
    } else {
      found.blocked = here(below, child, suspects);
      if (found.blocked && found.blocked->reason == WhyReason::gain && !is_fed(path, node, i)) found.blocked.reset();
      if (found.blocked) step(below, child);
      found.sounds = !found.blocked && loud(below);  // what is behind it lost it
      if (found.sounds && suspects.gate == below) suspects.gate.clear();
      if (role == TypeRole::processor && facts_.level_db(below, 0) && !found.sounds) suspects.lost = below;
    }
    if (found.sounds || found.blocked) break;
  }
  return found;
}

bool WhyWalk::reaches(const DocConnection& connection, std::uint32_t output) const {
  if (output == 0) return connection.to.path != "out" || first_output(connection) <= facts_.outputs;
  const std::uint32_t begin = std::max(connection.to.channel, 1u);
  if (!connection.channels.empty()) {
    return std::ranges::any_of(connection.channels,
                               [&](const auto& pair) { return begin + pair.second - 1 == output; });
  }
  const std::uint32_t width = connection.from.channel > 0 ? 1 : facts_.channels(connection.from.path);
  return output >= begin && (width == 0 || output < begin + width);
}

/// The connection's sound, which does not arrive.
WhyFound WhyWalk::fed_by(const DocConnection& connection, std::uint32_t output) {
  const std::string& from = connection.from.path;
  const std::string name = why_name(connection);
  if (connection.gain_db <= kSilentDb && is_fed(from))
    return answer(WhyReason::gain, from, name + " has a gain of " + why_decibels(connection.gain_db) + ": raise it");
  if (from == "in") {
    steps_.push_back({session::to_string(connection.from, true), "in", facts_.level_db("in", connection.from.channel)});
    return input_cause(facts_, connection.from.channel);
  }
  WhyFound found = unit(from);
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

WhyFound WhyWalk::arrives(const std::string& path, std::uint32_t output, bool& any) {
  WhyFound first;
  bool is_aside = false;  // `first` is of one that another's solo silences: one that it lets through tells more
  for (const DocConnection& connection : facts_.document.connections) {
    if (connection.to.path != path || connection.to.port == "sidechain" || !reaches(connection, output)) continue;
    any = true;
    WhyFound found = fed_by(connection, output);
    if (!found) return std::nullopt;
    const bool aside = is_silenced(*session::find_node(facts_.document, connection.from.path));
    if (first && (aside || !is_aside)) continue;
    first = std::move(found);
    is_aside = aside;
  }
  return first;
}

WhyFound WhyWalk::beyond() const {
  for (const DocConnection& connection : facts_.document.connections) {
    if (connection.to.path != "out" || reaches(connection, 0)) continue;
    const std::string name = "out:" + std::to_string(first_output(connection));
    const std::string from = session::to_string(connection.from, true);
    return answer(WhyReason::no_channel, name,
                  from + " goes to " + name + ", and " + has_outputs(facts_.outputs) + ": " +
                      (facts_.outputs > 0 ? "continuo connect " + from + " out, or " : "") +
                      "continuo device use NAME (one that has " + name + ")");
  }
  return std::nullopt;
}

WhyAnswer WhyWalk::lost(const std::string& path) const {
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

WhyFound WhyWalk::upstream(const std::string& path, const DocNode& node, std::size_t count, Suspects suspects) {
  Chain in_chain = chain(path, node, count, suspects);
  if (in_chain.blocked) return std::move(in_chain.blocked);
  bool connected = false;
  WhyFound arrived = in_chain.sounds ? std::nullopt : arrives(path, 0, connected);
  if (in_chain.sounds || (connected && !arrived)) {
    const std::string& at = suspects.lost.empty() ? path : suspects.lost;
    const bool is_before_fader = at == path && count < node.children.size();  // what was asked for
    if (WhyFound faded = is_before_fader ? std::nullopt : faded_cause(facts_, at)) return faded;
    if (!suspects.gate.empty() && (suspects.lost.empty() || suspects.lost == suspects.gate)) {
      return answer(WhyReason::gate, suspects.gate,
                    "sound comes as far as " + suspects.gate + ", and its gate is shut: look at its threshold");
    }
    return lost(at);
  }
  if (in_chain.source) return std::move(in_chain.source);
  if (arrived) return arrived;
  return answer(WhyReason::unconnected, path, "nothing feeds " + path + ": no player in it, and no connection to it");
}

WhyFound WhyWalk::unit(const std::string& path) {
  if (path == "in") return input_cause(facts_, 0);
  const DocNode* node = session::find_node(facts_.document, path);
  step(path, *node);
  if (loud(path)) return std::nullopt;
  if (!seen_.insert(path).second) return answer(WhyReason::unconnected, path, path + " hears only itself");
  Suspects suspects;
  WhyFound found = here(path, *node, suspects);
  if (found && (found->reason != WhyReason::gain || is_fed(path))) return found;
  if (session::find_type(node->type)->role == TypeRole::source) return source_cause(facts_, path, *node);
  return upstream(path, *node, node->children.size(), std::move(suspects));
}

WhyFound WhyWalk::child(const std::string& strip, const DocNode& node, std::size_t index) {
  const DocNode& asked = node.children[index];
  const std::string path = strip + "/" + asked.id;
  step(path, asked);
  if (loud(path)) return std::nullopt;
  const TypeRole role = session::find_type(asked.type)->role;
  if (role == TypeRole::source) return source_cause(facts_, path, asked);
  Suspects suspects;
  WhyFound found = here(path, asked, suspects);
  if (found && (found->reason != WhyReason::gain || is_fed(strip, node, index))) return found;
  if (role == TypeRole::processor) suspects.lost = path;
  return upstream(strip, node, index, std::move(suspects));
}

}  // namespace continuo::control
