#include "server/control/ahead.hpp"

#include <algorithm>
#include <utility>

namespace continuo::control {

std::vector<StreamKey> streams_ahead(const session::Document& after, const Delta& delta,
                                     const session::MediaTable& media, const std::string& base, const Graph& graph,
                                     const Sources& sources, const Transport& transport) {
  const double rate_hz = graph.shape().sample_rate_hz;
  std::vector<session::CompiledPlayer> players;
  session::for_each_node(after.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    if (node.type != "player") return;
    session::CompiledPlayer& player = players.emplace_back(session::player_of(node, path, rate_hz, &media));
    player.uid = node.uid;
    const auto now = std::ranges::find(graph.players(), node.uid, &session::CompiledPlayer::uid);
    player.fresh = now == graph.players().end() || now->channels != player.channels;
    if (now != graph.players().end()) player.ref = now->ref;
  });
  const auto place = [&](rt::Uid uid) {
    const auto now = std::ranges::find(players, uid, &session::CompiledPlayer::uid);
    const bool stays = now != players.end() && (!now->fresh || (now->queue && sources.queue(uid) != nullptr));
    return stays ? transport.player_position(uid) : rt::FrameCount{0};
  };
  std::vector<StreamKey> keys;
  for (const Sources::Need& need :
       sources.needs(players, {delta.locate.value_or(transport.position()), delta.locate.has_value(), delta.rewind,
                               rate_hz, place, delta.skips})) {
    if (!need.silent) keys.push_back(need.key(rate_hz, base));
  }
  return keys;
}

}  // namespace continuo::control
