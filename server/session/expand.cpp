#include "server/session/expand.hpp"

#include <algorithm>
#include <cmath>

#include "rt/nodes/device_io.hpp"
#include "rt/nodes/feedback.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/recorder.hpp"
#include "server/session/expand_feeds.hpp"
#include "server/session/expand_sources.hpp"
#include "server/session/expand_units.hpp"
#include "server/session/processor.hpp"

namespace continuo::session {
namespace {

class Expansion {
 public:
  explicit Expansion(const CompileRequest& request) : request_(request), units_(find_units(*request.document)) {}

  FlatGraph run() {
    outs_.resize(units_.all.size());
    pres_.resize(units_.all.size());
    for (const std::uint32_t unit : units_.order) expand(unit);
    for (const std::uint32_t unit : units_.order) {
      if (units_.all[unit].type->role == TypeRole::feedback) close_feedback(units_.all[unit], outs_[unit]);
    }
    return std::move(graph_);
  }

 private:
  void expand(std::uint32_t index) {
    const Unit& unit = units_.all[index];
    switch (unit.type->role) {
      case TypeRole::container:
        break;  // find_units() looked inside
      case TypeRole::device_in:
        outs_[index] = device_in(unit);
        break;
      case TypeRole::device_out:
        device_out(unit);
        break;
      case TypeRole::track:
      case TypeRole::bus:
        strip(unit, index);
        break;
      case TypeRole::source:
        outs_[index] = source(*unit.node, unit.path);
        look(*unit.node, unit.path, outs_[index]);
        break;
      case TypeRole::processor:
        outs_[index] = processor(*unit.node, unit.path, inbound(unit, 1));
        look(*unit.node, unit.path, outs_[index]);
        break;
      case TypeRole::feedback:
        outs_[index] = feedback(unit);
        look(*unit.node, unit.path, outs_[index]);
        break;
      case TypeRole::sink:
        sink(*unit.node, unit.path, inbound(unit, 1));
        break;
    }
  }

  // All of the device's inputs, and those beyond that somebody asks for: they are silent.
  Port device_in(const Unit& unit) {
    std::uint32_t width = request_.shape.in_channels;
    for (const DocConnection& connection : request_.document->connections) {
      if (connection.from.path == unit.path) width = std::max(width, connection.from.channel);
    }
    FlatNode& node = add({unit.node->uid, FlatRole::device_in}, *unit.node, unit.path);
    node.kind = &rt::device_input_kind();
    node.out_count = width;
    node.sound = FlatNode::Sound::always;
    const Port all{last(), 0, request_.shape.in_channels};
    taps(unit, all);
    return all;
  }

  void device_out(const Unit& unit) {
    const Port sum = inbound(unit, 2);
    FlatNode& node = add({unit.node->uid, FlatRole::device_out}, *unit.node, unit.path);
    node.kind = &rt::device_output_kind();
    node.in_count = sum.width;
    node.feeds.push_back(straight(sum));
    taps(unit, sum);
  }

  void strip(const Unit& unit, std::uint32_t index) {
    Port at = inbound(unit, unit.type->role == TypeRole::bus ? 2 : 0);
    for (const DocNode& child : unit.node->children) {
      const std::string path = unit.path + "/" + child.id;
      switch (find_type(child.type)->role) {
        case TypeRole::source: {
          const Port added = source(child, path);
          look(child, path, added);
          at = add_source(child, at, added);
          break;
        }
        case TypeRole::processor:
          at = processor(child, path, at);
          look(child, path, at);
          break;
        default:
          sink(child, path, at);
          break;
      }
    }
    pres_[index] = at = at_least_one(at);
    FlatNode& fader = add({unit.node->uid, FlatRole::fader, at.width}, *unit.node, unit.path);
    fader.kind = &rt::fader_kind();
    fader.in_count = at.width;
    fader.out_count = at.width == 1 ? 2 : at.width;
    fader.feeds.push_back(straight(at));
    outs_[index] = {last(), 0, fader.out_count};
    taps(unit, outs_[index]);
  }

  Port source(const DocNode& doc, const std::string& path) {
    graph_.nodes.push_back(make_source(request_, doc, path));
    return {last(), 0, graph_.nodes.back().out_count};
  }

  // Another time, width or rate: another node. What goes in is not known yet.
  Port feedback(const Unit& unit) {
    const auto channels = static_cast<std::uint32_t>(number_of(*unit.node, "channels"));
    const std::uint32_t frames = feedback_frames(*unit.node, request_.shape.sample_rate_hz);
    const std::uint64_t variant = stable_hash(std::to_string(channels) + " " + std::to_string(frames));
    FlatNode& node = add({unit.node->uid, FlatRole::feedback_out, variant}, *unit.node, unit.path);
    node.kind = &rt::feedback_out_kind();
    node.out_count = channels;
    node.sound = FlatNode::Sound::own_clock;
    return {last(), 0, channels};
  }

  void close_feedback(const Unit& unit, Port out) {
    const Port sum = inbound(unit, out.width);
    FlatNode& node = add(graph_.nodes[out.node].key, *unit.node, unit.path);
    node.key.role = FlatRole::feedback_in;
    node.kind = &rt::feedback_in_kind();
    node.in_count = sum.width;
    node.has_tail = true;
    node.feeds.push_back(straight(sum));
  }

  // A source in a chain adds to what comes from before it.
  Port add_source(const DocNode& doc, Port before, Port added) {
    FlatNode& join = add({doc.uid, FlatRole::join}, doc, "");
    join.in_count = join.out_count = std::max(before.width, added.width);
    if (before.width > 0) join.feeds.push_back(straight(before));
    join.feeds.push_back(straight(added));
    return {last(), 0, join.out_count};
  }

  Port processor(const DocNode& doc, const std::string& path, Port at) {
    at = at_least_one(at);
    const ProcessorShape shape =
        shape_of_processor(doc, at.width, request_.shape.sample_rate_hz, {request_.media, request_.impulses});
    FlatNode& node = add({doc.uid, FlatRole::processor, shape.variant}, doc, path);
    node.kind = shape.kind;
    node.size = shape.size;
    node.main_in_count = node.in_count = at.width;
    node.out_count = shape.out_count;
    node.latency_frames = shape.latency_frames;
    node.lookahead_frames = shape.lookahead_frames;
    node.settle_frames = shape.settle_frames;
    node.has_tail = shape.has_tail;
    node.feeds.push_back(straight(at));
    const Port out{last(), 0, node.out_count};
    if (shape.takes_key) add_key(path, at);
    return out;
  }

  // Inputs beyond the sound: what is connected to the port "sidechain"; without that, where the detector sees ahead,
  // the sound itself before it is delayed.
  void add_key(const std::string& path, Port at) {
    const auto keys = units_.keys.find(path);
    FlatNode& node = graph_.nodes.back();
    std::vector<Feed> feeds;
    if (keys != units_.keys.end()) {
      for (const DocConnection* connection : keys->second) feeds.push_back(feed(*connection, at.width));
    } else if (node.lookahead_frames != 0) {
      feeds.push_back(straight(at));
    }
    if (feeds.empty()) return;
    node.in_count = 2 * at.width;
    for (Feed& key : feeds) {
      key.is_key = true;
      for (ChannelLink& link : key.links) link.to = static_cast<std::uint16_t>(link.to + at.width);
      node.feeds.push_back(std::move(key));
    }
  }

  void sink(const DocNode& doc, const std::string& path, Port at) {
    at = at_least_one(at);
    if (doc.type == "meter") {
      if (request_.meters) watch(doc, path, FlatRole::meter, at);
      return;
    }
    record(doc, path, FlatRole::recorder, at);
    look(doc, path, at);
  }

  // What comes out of a node that has no meter of its own; what comes into a recorder.
  void look(const DocNode& doc, const std::string& path, Port at) {
    if (request_.meters && request_.meter_taps.contains(doc.uid)) watch(doc, path, FlatRole::meter_tap, at);
  }

  void watch(const DocNode& doc, const std::string& path, FlatRole role, Port at) {
    FlatNode& node = add({doc.uid, role, at.width}, doc, path);
    node.kind = &rt::meter_kind();
    node.in_count = at.width;
    node.feeds.push_back(straight(at));
  }

  void record(const DocNode& doc, const std::string& path, FlatRole role, Port at) {
    FlatNode& node = add({doc.uid, role}, doc, path);
    node.kind = &rt::recorder_kind();
    node.in_count = at.width;
    node.feeds.push_back(straight(at));
  }

  void taps(const Unit& unit, Port at) {
    if (request_.meters) watch(*unit.node, unit.path, FlatRole::meter_tap, at);
    if (request_.record_taps.contains(unit.path)) record(*unit.node, unit.path, FlatRole::recorder_tap, at);
  }

  // A chain that nothing feeds has one silent channel.
  Port at_least_one(Port at) {
    if (at.width > 0) return at;
    graph_.nodes[at.node].in_count = graph_.nodes[at.node].out_count = 1;
    return {at.node, 0, 1};
  }

  // The sum of what is connected to a unit, at least `least` wide.
  Port inbound(const Unit& unit, std::uint32_t least) {
    const bool device = unit.type->role == TypeRole::device_out;
    const bool has_width = is_strip(unit.type->role) || unit.type->role == TypeRole::feedback;
    const auto fixed = has_width ? static_cast<std::uint32_t>(number_of(*unit.node, "channels")) : 0;
    std::uint32_t width = fixed != 0 ? fixed : least;
    for (const DocConnection* connection : unit.inbound) {
      if (fixed == 0) width = std::max(width, highest_channel(*connection));
    }
    width = std::min(width, device ? kMaxDeviceChannels : kMaxChannels);
    FlatNode join;
    join.in_count = join.out_count = width;
    for (const DocConnection* connection : unit.inbound) join.feeds.push_back(feed(*connection, width));
    FlatNode& added = add({unit.node->uid, FlatRole::join}, *unit.node, "");
    added.in_count = added.out_count = width;
    added.feeds = std::move(join.feeds);
    return {last(), 0, width};
  }

  [[nodiscard]] Port port_of(const Endpoint& from) const {
    const std::uint32_t unit = units_.index.at(from.path);
    if (from.channel != 0) return {outs_[unit].node, from.channel - 1, 1};
    return from.port == "pre" ? pres_[unit] : outs_[unit];
  }

  [[nodiscard]] std::uint32_t highest_channel(const DocConnection& connection) const {
    std::uint32_t highest = connection.channels.empty() ? port_of(connection.from).width : 0;
    for (const auto& [from, to] : connection.channels) highest = std::max(highest, to);
    return highest == 0 ? 0 : highest + std::max(connection.to.channel, 1u) - 1;
  }

  [[nodiscard]] Feed feed(const DocConnection& connection, std::uint32_t width) const {
    return connected(connection, port_of(connection.from), width);
  }

  FlatNode& add(FlatKey key, const DocNode& doc, const std::string& path) {
    FlatNode& node = graph_.nodes.emplace_back();
    node.key = key;
    node.doc = &doc;
    node.path = path;
    return node;
  }
  [[nodiscard]] std::uint32_t last() const { return static_cast<std::uint32_t>(graph_.nodes.size() - 1); }

  const CompileRequest& request_;
  const Units units_;
  FlatGraph graph_;
  std::vector<Port> outs_;  // by unit: port "out"
  std::vector<Port> pres_;  // by unit: port "pre"
};

}  // namespace

std::uint32_t feedback_frames(const DocNode& feedback, double sample_rate_hz) {
  const auto frames = static_cast<std::uint32_t>(std::lround(number_of(feedback, "time_ms") * 1e-3 * sample_rate_hz));
  return std::max(frames, rt::kLeastFeedbackFrames);
}

FlatGraph expand(const CompileRequest& request) { return Expansion(request).run(); }

}  // namespace continuo::session
