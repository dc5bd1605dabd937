#include "server/session/queue.hpp"

#include <algorithm>
#include <cmath>

#include "rt/dsp/math.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {
namespace {

constexpr std::size_t kMaxFileName = 4096;

Result<> check_range(double value, double least, double most, const char* name, const std::string& field) {
  if (std::isfinite(value) && value >= least && value <= most) return {};
  return bad("OUT_OF_RANGE", field + "." + name,
             std::string(name) + " must be " + std::to_string(static_cast<std::int64_t>(least)) + " to " +
                 std::to_string(static_cast<std::int64_t>(most)));
}

}  // namespace

std::optional<QueueCurve> parse_queue_curve(std::string_view text) {
  if (text.empty() || text == "linear") return QueueCurve::linear;
  if (text == "equal_power") return QueueCurve::equal_power;
  return std::nullopt;
}

const char* to_string(QueueCurve curve) { return curve == QueueCurve::linear ? "linear" : "equal_power"; }

Error unknown_queue_curve(std::string_view text, const std::string& field) {
  return bad("UNKNOWN_CURVE", field, "no curve " + quoted(text) + "; there are linear and equal_power");
}

Result<> check_item(const QueueItem& item, const std::string& field) {
  if (item.file.empty()) return bad("MISSING_FIELD", field + ".file", "an item needs a file");
  if (const Result<> text = check_text(item.file, kMaxFileName, field + ".file"); !text) return text.error();
  if (item.in_frame < 0 || item.in_frame > kMaxQueueFrame)
    return bad("OUT_OF_RANGE", field + ".in_frame", "in_frame must be 0 to " + std::to_string(kMaxQueueFrame));
  if (item.out_frame != 0 && (item.out_frame <= item.in_frame || item.out_frame > kMaxQueueFrame))
    return bad("OUT_OF_RANGE", field + ".out_frame", "out_frame must lie behind in_frame");
  if (item.loops > kMaxQueueLoops)
    return bad("OUT_OF_RANGE", field + ".loops", "loops must be 0 to " + std::to_string(kMaxQueueLoops));
  if (const Result<> good = check_range(item.gain_db, -150.0, 24.0, "gain_db", field); !good) return good.error();
  if (const Result<> good = check_range(item.fade_in_ms, 0.0, kMaxQueueFadeMs, "fade_in_ms", field); !good)
    return good.error();
  if (const Result<> good = check_range(item.fade_out_ms, 0.0, kMaxQueueFadeMs, "fade_out_ms", field); !good)
    return good.error();
  return check_range(item.crossfade_ms, 0.0, kMaxQueueFadeMs, "crossfade_ms", field);
}

Result<> check_queue(const DocNode& node, const std::string& field) {
  if (node.queue.empty()) return {};
  if (node.type != "player") return bad("WRONG_NODE", field + ".queue", "a " + node.type + " has no queue");
  if (node.queue.size() > kMaxQueueItems)
    return bad("TOO_MANY", field + ".queue", "a queue has at most " + std::to_string(kMaxQueueItems) + " items");
  if (!text_of(node, "file").empty())
    return bad("FILE_AND_QUEUE", field + ".params.file",
               "a player with a queue has no file of its own: set it to \"\"");
  for (std::size_t i = 0; i < node.queue.size(); ++i) {
    const std::string where = field + ".queue[" + std::to_string(i) + "]";
    if (const Result<> good = check_item(node.queue[i], where); !good) return good.error();
  }
  return {};
}

Result<> merge_item(QueueItem& item, const v1::QueueItem& given, const std::string& field) {
  if (!given.file().empty()) item.file = given.file();
  if (given.has_in_frame()) item.in_frame = given.in_frame();
  if (given.has_out_frame()) {
    if (given.out_frame() <= 0) return bad("OUT_OF_RANGE", field + ".out_frame", "out_frame must lie behind in_frame");
    item.out_frame = given.out_frame();
  }
  if (given.has_loops()) item.loops = given.loops();
  if (given.has_gain_db()) item.gain_db = given.gain_db() + 0.0;
  if (given.has_fade_in_ms()) item.fade_in_ms = given.fade_in_ms() + 0.0;
  if (given.has_fade_out_ms()) item.fade_out_ms = given.fade_out_ms() + 0.0;
  if (given.has_crossfade_ms()) item.crossfade_ms = given.crossfade_ms() + 0.0;
  for (const auto& [text, name, curve] : {std::tuple{&given.fade_in_curve(), ".fade_in_curve", &item.fade_in_curve},
                                          {&given.fade_out_curve(), ".fade_out_curve", &item.fade_out_curve},
                                          {&given.crossfade_curve(), ".crossfade_curve", &item.crossfade_curve}}) {
    if (text->empty()) continue;
    const std::optional<QueueCurve> known = parse_queue_curve(*text);
    if (!known) return unknown_queue_curve(*text, field + name);
    *curve = *known;
  }
  return check_item(item, field);
}

v1::QueueItem item_to_proto(const QueueItem& item) {
  v1::QueueItem out;
  out.set_uid(item.uid);
  out.set_file(item.file);
  if (item.in_frame != 0) out.set_in_frame(item.in_frame);
  if (item.out_frame != 0) out.set_out_frame(item.out_frame);
  if (item.loops != 1) out.set_loops(item.loops);
  if (item.gain_db != 0.0) out.set_gain_db(item.gain_db);
  if (item.fade_in_ms != 0.0) out.set_fade_in_ms(item.fade_in_ms);
  if (item.fade_out_ms != 0.0) out.set_fade_out_ms(item.fade_out_ms);
  if (item.fade_in_curve != QueueCurve::linear) out.set_fade_in_curve(to_string(item.fade_in_curve));
  if (item.fade_out_curve != QueueCurve::linear) out.set_fade_out_curve(to_string(item.fade_out_curve));
  if (item.crossfade_ms != 0.0) out.set_crossfade_ms(item.crossfade_ms);
  if (item.crossfade_curve != QueueCurve::linear) out.set_crossfade_curve(to_string(item.crossfade_curve));
  return out;
}

std::vector<CompiledItem> compile_queue(const std::vector<QueueItem>& queue, const MediaTable* media) {
  std::vector<CompiledItem> items;
  items.reserve(queue.size());
  for (const QueueItem& item : queue) {
    CompiledItem& made = items.emplace_back();
    made.uid = item.uid;
    made.file = item.file;
    if (media == nullptr) continue;
    const auto facts = media->find(item.file);
    if (facts == media->end() || facts->second.channels > kMaxChannels) continue;
    const std::int64_t end =
        item.out_frame == 0 ? facts->second.frames : std::min(item.out_frame, facts->second.frames);
    if (item.in_frame >= end) continue;
    made.facts = facts->second;
    made.begin = item.in_frame;
    made.end = end;
    made.loops = item.loops;
    made.gain = item.gain_db == 0.0 ? 1.0 : static_cast<double>(rt::dsp::db_to_gain(item.gain_db));
    const double length = item.loops == 0 ? 1e18 : static_cast<double>(made.end - made.begin) * item.loops;
    const auto frames = [&](double ms) {
      return static_cast<std::int64_t>(std::min(length, std::round(ms * made.facts.sample_rate_hz / 1000.0)));
    };
    made.fade_in = frames(item.fade_in_ms);
    made.fade_out = frames(item.fade_out_ms);
    made.fade_in_curve = item.fade_in_curve;
    made.fade_out_curve = item.fade_out_curve;
    made.crossfade_ms = item.crossfade_ms;
    made.crossfade_curve = item.crossfade_curve;
  }
  return items;
}

}  // namespace continuo::session
