#include <cmath>

#include "server/session/queue.hpp"
#include "server/session/session_read.hpp"

namespace continuo::session {

bool SessionReader::read_queue(std::vector<QueueItem>& queue) {
  return json.array([&](std::size_t index) {
    if (index >= kMaxQueueItems)
      return json.fail("TOO_MANY", "a queue has at most " + std::to_string(kMaxQueueItems) + " items");
    return read_item(queue.emplace_back());
  });
}

// Both spellings, as protobuf's JSON has it.
bool SessionReader::read_item(QueueItem& item) {
  item.uid = keep_uids ? 0 : new_uid();
  const auto frame = [&](std::int64_t& to) {
    std::uint64_t number = 0;
    if (!read_unsigned(number, static_cast<std::uint64_t>(kMaxQueueFrame))) return false;
    to = static_cast<std::int64_t>(number);
    return true;
  };
  const auto number = [&](double& to) {
    if (!json.number(to)) return false;
    to += 0.0;  // -0 and 0 are one value
    return true;
  };
  const auto curve = [&](QueueCurve& to) {
    std::string text;
    if (!json.string(text)) return false;
    const std::optional<QueueCurve> known = parse_queue_curve(text);
    if (!known) return json.fail(unknown_queue_curve(text, json.field()));
    to = *known;
    return true;
  };
  std::uint32_t seen = 0;
  const auto once = [&](std::uint32_t bit) {
    if ((seen & bit) != 0) return json.fail("DUPLICATE_KEY", "the key stands here in both spellings");
    seen |= bit;
    return true;
  };
  const bool read = json.object([&](const std::string& key) {
    std::uint64_t whole = 0;
    if (key == "uid") return read_uid(item.uid);
    if (key == "file") return json.string(item.file);
    if (key == "in_frame" || key == "inFrame") return once(1) && frame(item.in_frame);
    if (key == "out_frame" || key == "outFrame") return once(2) && frame(item.out_frame);
    if (key == "loops") {
      if (!read_unsigned(whole, kMaxQueueLoops)) return false;
      item.loops = static_cast<std::uint32_t>(whole);
      return true;
    }
    if (key == "gain_db" || key == "gainDb") return once(4) && number(item.gain_db);
    if (key == "fade_in_ms" || key == "fadeInMs") return once(8) && number(item.fade_in_ms);
    if (key == "fade_out_ms" || key == "fadeOutMs") return once(16) && number(item.fade_out_ms);
    if (key == "fade_in_curve" || key == "fadeInCurve") return once(32) && curve(item.fade_in_curve);
    if (key == "fade_out_curve" || key == "fadeOutCurve") return once(64) && curve(item.fade_out_curve);
    if (key == "crossfade_ms" || key == "crossfadeMs") return once(128) && number(item.crossfade_ms);
    if (key == "crossfade_curve" || key == "crossfadeCurve") return once(256) && curve(item.crossfade_curve);
    return unknown_field(key,
                         "file in_frame out_frame loops gain_db fade_in_ms fade_out_ms fade_in_curve fade_out_curve "
                         "crossfade_ms crossfade_curve");
  });
  if (item.uid == 0) item.uid = new_uid();
  return read;
}

}  // namespace continuo::session
