#include "server/render/range.hpp"

#include <algorithm>
#include <string>

#include "server/media/queue_layout.hpp"
#include "server/media/resample.hpp"

namespace continuo::render {
namespace {

Error bad(std::string reason, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), "to", std::move(message));
}

}  // namespace

std::int64_t end_of_players(const session::Compiled& compiled, const session::MediaTable& table,
                            std::uint32_t rate_hz) {
  std::int64_t end = 0;
  for (const session::CompiledPlayer& player : compiled.players) {
    if (player.queue && !player.free) {
      const media::QueueLayout layout(media::segments_of(player.items, [](const auto&) { return ""; }), rate_hz,
                                      player.loop);
      if (!layout.endless()) end = std::max(end, player.timeline_start + layout.length());
    }
    const auto facts = table.find(player.file);
    if (player.free || player.loop || facts == table.end()) continue;
    end = std::max(
        end, player.timeline_start + media::scale_frames(facts->second.frames, facts->second.sample_rate_hz, rate_hz));
  }
  return end;
}

Result<Range> find_range(const RangeText& text, double rate_hz, double session_rate_hz, std::int64_t players_end,
                         std::int64_t device_frames) {
  Range range;
  range.from = text.from.to_frames(rate_hz, session_rate_hz);
  const std::int64_t end = std::max(players_end, device_frames > 0 ? range.from + device_frames : 0);
  if (text.length) {
    range.to = range.from + text.length->to_frames(rate_hz, session_rate_hz);
  } else if (text.to) {
    range.to = text.to->to_frames(rate_hz, session_rate_hz);
  } else if (end > 0) {
    range.to = end;
  } else {
    return bad("NO_END", "the session has no player that ends by itself; say where the render ends");
  }
  if (range.to <= range.from)
    return bad("EMPTY_RANGE", "the render ends before it begins (frame " + std::to_string(range.from) + " to " +
                                  std::to_string(range.to) + ")");
  if (text.tail) range.to += text.tail->to_frames(rate_hz, session_rate_hz);
  return range;
}

}  // namespace continuo::render
