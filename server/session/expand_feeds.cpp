#include "server/session/expand_feeds.hpp"

#include <algorithm>

#include "rt/dsp/math.hpp"

namespace continuo::session {

Feed connected(const DocConnection& connection, const Port& from, std::uint32_t width) {
  const std::uint32_t base = std::max(connection.to.channel, 1u) - 1;
  Feed feed{.source = from.node,
            .connection = connection.uid,
            .factor = rt::dsp::db_to_gain(connection.gain_db),
            .links = {}};
  const auto link = [&](std::uint32_t source_channel, std::uint32_t channel) {
    if (source_channel >= from.width || channel >= width) return;
    feed.links.push_back(
        {static_cast<std::uint16_t>(from.first + source_channel), static_cast<std::uint16_t>(channel)});
  };
  for (const auto& [source_channel, channel] : connection.channels) link(source_channel - 1, base + channel - 1);
  if (connection.channels.empty()) {
    for (std::uint32_t c = 0; c < from.width; ++c) link(c, base + c);
  }
  return feed;
}

Feed straight(const Port& from) {
  Feed feed{.source = from.node, .links = {}};
  for (std::uint32_t c = 0; c < from.width; ++c) {
    feed.links.push_back({static_cast<std::uint16_t>(from.first + c), static_cast<std::uint16_t>(c)});
  }
  return feed;
}

}  // namespace continuo::session
