#include "server/control/player_report.hpp"

#include <algorithm>

#include "server/control/queue_place.hpp"

namespace continuo::control {
namespace {

constexpr int kMaxPlayers = 1000;

void report_queue(const Sources::Queue& queue, rt::FrameCount at, v1::GetStatusResponse::Player& out) {
  const QueuePlaces places(queue.items, queue.rate_hz);
  const std::size_t index = places.at(at);
  out.set_item_count(static_cast<std::uint32_t>(places.count()));
  out.set_queue_revision(queue.revision);
  if (index == places.count()) return;
  out.set_item_index(static_cast<std::uint32_t>(index) + 1);
  out.set_item_uid(queue.items[index].uid);
  out.set_item_position_frame(at - places.begin(index));
  if (places.end(index) != rt::kEndless) out.set_item_frames(places.end(index) - places.begin(index));
}

}  // namespace

void report_players(const Graph& graph, const Sources& sources, const Transport& transport,
                    v1::GetStatusResponse& out) {
  for (const session::CompiledPlayer& player : graph.players()) {
    if (!player.free && !player.queue) continue;
    if (out.players_size() == kMaxPlayers) return;
    auto& report = *out.add_players();
    report.set_path(player.path);
    report.set_rolling(player.free ? transport.player_rolls(player.uid) : transport.rolling());
    const bool empty = player.file.empty() && !player.queue;
    const rt::FrameCount length = empty ? 0 : sources.length(player.uid);
    const rt::FrameCount there =
        player.free ? transport.player_position(player.uid) : transport.position() - player.timeline_start;
    const rt::FrameCount at = std::clamp<rt::FrameCount>(there, 0, length);
    report.set_position_frame(at);
    if (length != rt::kEndless) report.set_duration_frames(length);
    if (const Sources::Queue* const queue = sources.queue(player.uid)) report_queue(*queue, at, report);
  }
}

}  // namespace continuo::control
