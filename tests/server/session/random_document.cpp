#include "tests/server/session/random_document.hpp"

#include <algorithm>
#include <random>

#include "server/session/expand.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_read.hpp"
#include "server/session/validate.hpp"

namespace continuo::session::test {
namespace {

class Generator {
 public:
  Generator(std::uint32_t seed, const RandomShape& shape) : random_(seed), shape_(shape) {}

  Document run() {
    document_.name = one_of<std::string>({"", "Evening", "\"quoted\" \\ \n \xc3\xbc \xf0\x9f\x8e\xb5", "\x01"});
    document_.sample_rate_hz = shape_.sounding ? 0 : one_of<std::uint32_t>({0, 8000, 44100, 48000, 384000});
    fill(document_.nodes, shape_.roots, 1);
    ensure_device_nodes(document_);
    collect(document_.nodes, "");
    std::shuffle(ends_.begin(), ends_.end(), random_);
    for (int i = 0; i < shape_.connections; ++i) connect();
    if (shape_.steady) settle(document_.nodes, "");
    return std::move(document_);
  }

 private:
  template <class T>
  T one_of(std::vector<T> choices) {
    return choices[random_() % choices.size()];
  }
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  void fill(NodeList& list, int count, int depth) {
    for (int i = 0; i < count; ++i) {
      const std::string type = one_of<std::string>({"track", "track", "track", "bus", "bus", "container", "player",
                                                    "noise", "gain", "pan", "meter", "recorder", "oscillator"});
      DocNode& node = list.emplace_back();
      node = made(type, i);
      if (type == "container" && depth < 4) fill(node.children, static_cast<int>(random_() % 3), depth + 1);
      if (type == "track" || type == "bus") {
        for (int k = static_cast<int>(random_() % 5); k > 0; --k) {
          const std::string child = one_of<std::string>(
              {"player", "player", "gain", "gain", "pan", "noise", "oscillator", "meter", "recorder"});
          node.children.push_back(made(child, k));
        }
      }
    }
  }

  DocNode made(std::string type, int number) {
    if (shape_.sounding && type == "oscillator") type = "noise";
    if (shape_.steady && find_type(type)->role == TypeRole::source) type = "gain";
    DocNode node;
    node.id = type + "-" + std::to_string(number);
    node.type = type;
    node.uid = next_uid_++;
    if (chance(20)) node.label = one_of<std::string>({"L", "\xe2\x82\xac", "tab\there"});
    for (const ParamSpec& spec : find_type(type)->params) {
      if (chance(50)) node.params[std::string(spec.name)] = value(spec);
      if (shape_.sounding || shape_.steady || !check_automatable(spec, "") || !chance(10)) continue;
      node.lanes[std::string(spec.name)] = lane(spec);
    }
    if (shape_.sounding && type == "player") {
      node.params["file"] = one_of<std::string>({"mono.wav", "stereo.wav", "quad.wav", "missing.wav"});
      node.params["mode"] = std::string("timeline");
      node.params["start_s"] = one_of<double>({0.0, 0.001, 0.005});
      node.params["loop"] = false;
    }
    tidy_params(node);
    return node;
  }

  DocLane lane(const ParamSpec& spec) {
    std::vector<LanePoint> points;
    std::int64_t frame = chance(50) ? 0 : static_cast<std::int64_t>(random_());
    for (int i = static_cast<int>(random_() % 5); i >= 0; --i) {
      points.push_back({frame, std::get<double>(value(spec)), chance(30) ? LaneCurve::hold : LaneCurve::linear});
      frame += 1 + static_cast<std::int64_t>(random_() % 100000);
    }
    return {.on = chance(70), .points = std::make_shared<const std::vector<LanePoint>>(std::move(points))};
  }

  Value value(const ParamSpec& spec) {
    switch (spec.kind) {
      case ParamKind::boolean:
        return chance(spec.name == "solo" ? 10 : 25);
      case ParamKind::integer:
        return static_cast<double>(
            std::max<int>(static_cast<int>(spec.min), static_cast<int>(random_() % (shape_.sounding ? 4 : 65))));
      case ParamKind::choice:
        return std::string(spec.choices[random_() % spec.choices.size()]);
      case ParamKind::text:
      case ParamKind::file:
        return one_of<std::string>({"", "a.wav", "music:x y/\xc3\xbc.flac", "back\\slash\"quote"});
      case ParamKind::number:
        break;
    }
    if (chance(20)) return one_of<double>({spec.min, spec.max, 0.5 * (spec.min + spec.max)});
    if (spec.name == "gain_db") return -0.01 * static_cast<double>(random_() % 2000);
    return spec.min + (spec.max - spec.min) * (static_cast<double>(random_()) / 4294967295.0);
  }

  static rt::Uid uid_of(const std::string& name) { return (stable_hash(name) & (kDeviceInUid - 2)) + 1; }
  static std::string map_of(const DocConnection& connection) {
    std::string text = std::to_string(connection.gain_db);
    for (const auto& [from, to] : connection.channels) text += " " + std::to_string(from) + "-" + std::to_string(to);
    return text;
  }

  // A node of the same path is the same node in every document.
  static void settle(NodeList& nodes, const std::string& prefix) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      DocNode& node = nodes.edit_values(i);
      const std::string path = prefix + "/" + node.id;
      const std::uint64_t hash = stable_hash(path);
      if (node.uid < kDeviceInUid) node.uid = uid_of(path);
      node.params.clear();
      if (find_type(node.type)->find("gain_db") != nullptr)
        node.params["gain_db"] = -0.1 * static_cast<double>(hash % 100);
      if (find_type(node.type)->find("pan") != nullptr)
        node.params["pan"] = 0.01 * static_cast<double>(hash % 150) - 0.75;
      tidy_params(node);
      settle(node.children, path);
    }
  }

  void collect(const NodeList& nodes, const std::string& prefix) {
    for (const DocNode& node : nodes) {
      const std::string path = prefix.empty() ? node.id : prefix + "/" + node.id;
      if (node.type == "container")
        collect(node.children, path);
      else if (path != "in" && path != "out")
        ends_.emplace_back(path, find_type(node.type)->role);
    }
  }

  // From what stands earlier in a shuffled list to what stands later: never a circle.
  void connect() {
    DocConnection connection;
    const bool from_device = chance(15) || ends_.empty();
    const bool to_device = chance(40) || ends_.empty();
    std::size_t from = ends_.empty() ? 0 : random_() % ends_.size();
    std::size_t to = ends_.empty() ? 0 : random_() % ends_.size();
    if (from > to) std::swap(from, to);
    connection.from = {from_device ? "in" : ends_[from].first, "out", 0};
    connection.to = {to_device ? "out" : ends_[to].first, "in", 0};
    if (!from_device && !to_device && from == to) return;
    if (!from_device && ends_[from].second == TypeRole::sink) return;
    if (!to_device && ends_[to].second == TypeRole::source) return;
    const bool strip = !from_device && (ends_[from].second == TypeRole::track || ends_[from].second == TypeRole::bus);
    if (strip && chance(30)) connection.from.port = "pre";
    if (from_device && chance(50)) connection.from = {"in", "", 1 + static_cast<std::uint32_t>(random_() % 5)};
    if (to_device && chance(30)) connection.to = {"out", "", 1 + static_cast<std::uint32_t>(random_() % 4)};
    if (chance(50)) connection.gain_db = one_of<double>({-150.0, 24.0, -3.0, 0.25, -60.5});
    if (shape_.sounding && connection.gain_db > 0.0) connection.gain_db = -1.0;
    for (unsigned i = chance(30) ? random_() % 4 : 0; i > 0; --i) {
      connection.channels.emplace_back(1 + random_() % 4, 1 + random_() % 4);
    }
    std::sort(connection.channels.begin(), connection.channels.end());
    connection.channels.erase(std::unique(connection.channels.begin(), connection.channels.end()),
                              connection.channels.end());
    for (const DocConnection& other : document_.connections) {
      if (same_route(other, connection)) return;
    }
    connection.uid =
        shape_.steady
            ? uid_of(to_string(connection.from, true) + ">" + to_string(connection.to, false) + map_of(connection))
            : next_uid_++;
    document_.connections.push_back(std::move(connection));
  }

  std::mt19937 random_;
  const RandomShape shape_;
  Document document_;
  std::vector<std::pair<std::string, TypeRole>> ends_;
  rt::Uid next_uid_ = 1;
};

}  // namespace

Document random_document(std::uint32_t seed, const RandomShape& shape) { return Generator(seed, shape).run(); }

}  // namespace continuo::session::test
