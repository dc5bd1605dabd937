// THREAD: any - sessions of any size for the live benches, made of the node types that are registered
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "server/session/document.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::bench {

/// Built in place, not parsed: a machine may carry more tracks than a session file may name.
class DocumentBuilder {
 public:
  using Params = std::vector<std::pair<std::string, session::Value>>;

  DocumentBuilder() { document_.sample_rate_hz = 48000; }

  [[nodiscard]] session::DocNode node(std::string id, std::string type, const Params& params = {}) {
    session::DocNode made;
    made.id = std::move(id);
    made.type = std::move(type);
    made.uid = ++uid_;
    for (const auto& [name, value] : params) made.params.emplace(name, value);
    return made;
  }
  void add(session::DocNode node) { document_.nodes.push_back(std::move(node)); }
  void connect(std::string from, std::string to) {
    session::DocConnection connection;
    connection.from = *session::parse_endpoint(from, true);
    connection.to = *session::parse_endpoint(to, false);
    connection.uid = ++uid_;
    document_.connections.push_back(std::move(connection));
  }
  [[nodiscard]] session::Document finish() {
    session::ensure_device_nodes(document_);
    return std::move(document_);
  }

 private:
  session::Document document_;
  rt::Uid uid_ = 0;
};

/// One track's chain: a player and what follows it. `missing`: a type that is not there yet.
struct TrackShape {
  std::string name;
  std::vector<std::string> types;
  [[nodiscard]] std::string missing() const {
    for (const std::string& type : types) {
      if (session::find_type(type) == nullptr) return type;
    }
    return {};
  }
};

/// The parameters of works.py's mix64 and mix64comp; nothing where the type has none of them.
inline DocumentBuilder::Params work_params(const std::string& type) {
  if (type == "gain") return {{"gain_db", -6.0}};
  if (type == "compressor")
    return {{"threshold_db", -30.0}, {"ratio", 4.0}, {"attack_ms", 10.0}, {"release_ms", 100.0}, {"knee_db", 0.0}};
  if (type != "eq") return {};
  const struct {
    const char* type;
    double freq_hz, gain_db, q;
  } bands[] = {{"low_shelf", 80.0, 3.0, 0.7071},
               {"peak", 400.0, -4.0, 1.0},
               {"peak", 2500.0, 2.0, 1.4},
               {"high_shelf", 10000.0, 1.5, 0.7071}};
  DocumentBuilder::Params params;
  for (int b = 0; b < 4; ++b) {
    const std::string band = "band" + std::to_string(b + 1);
    params.emplace_back(band + ".type", std::string(bands[b].type));
    params.emplace_back(band + ".freq_hz", bands[b].freq_hz);
    params.emplace_back(band + ".gain_db", bands[b].gain_db);
    params.emplace_back(band + ".q", bands[b].q);
  }
  return params;
}

/// `tracks` mono tracks of one shape, straight to the output, each with its fader and its meter.
inline session::Document mixer(const TrackShape& shape, std::uint32_t tracks) {
  DocumentBuilder b;
  for (std::uint32_t t = 0; t < tracks; ++t) {
    const std::string id = "t" + std::to_string(t + 1);
    session::DocNode track = b.node(id, "track", {{"pan", -1.0 + 2.0 * (t % 64) / 63.0}});
    track.children.push_back(b.node("player", "player", {{"file", std::string("memory")}}));
    for (const std::string& type : shape.types)
      track.children.push_back(b.node(type + std::to_string(track.children.size()), type, work_params(type)));
    b.add(std::move(track));
    b.connect(id, "out");
  }
  return b.finish();
}

/// `count` gains of -1 dB: side by side between a noise and a bus, or in a row.
inline session::Document gains(std::uint32_t count, bool in_a_row) {
  DocumentBuilder b;
  if (in_a_row) {
    session::DocNode track = b.node("t", "track");
    track.children.push_back(b.node("noise", "noise"));
    for (std::uint32_t g = 0; g < count; ++g)
      track.children.push_back(b.node("g" + std::to_string(g), "gain", {{"gain_db", g % 2 == 0 ? -1.0 : 1.0}}));
    b.add(std::move(track));
    b.connect("t", "out");
    return b.finish();
  }
  b.add(b.node("noise", "noise"));
  b.add(b.node("mix", "bus", {{"channels", 1.0}}));
  for (std::uint32_t g = 0; g < count; ++g) {
    const std::string id = "g" + std::to_string(g);
    b.add(b.node(id, "gain", {{"gain_db", -60.0}}));
    b.connect("noise", id);
    b.connect(id, "mix");
  }
  b.connect("mix", "out");
  return b.finish();
}

}  // namespace continuo::bench
