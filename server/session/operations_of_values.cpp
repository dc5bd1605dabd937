// What a node is set to, as operations: label, parameters, queue and lanes, in an order that each of them allows.
#include <algorithm>
#include <string>
#include <vector>

#include "server/session/node_registry.hpp"
#include "server/session/queue.hpp"
#include "server/session/session_file.hpp"
#include "server/session/take_back.hpp"

namespace continuo::session {
namespace {

using Operations = google::protobuf::RepeatedPtrField<v1::Operation>;

std::vector<rt::Uid> uids_of(const std::vector<QueueItem>& queue) {
  std::vector<rt::Uid> uids;
  for (const QueueItem& item : queue) uids.push_back(item.uid);
  return uids;
}

v1::QueueItem whole(const QueueItem& item) {
  v1::QueueItem out = item_to_proto(item);
  out.clear_uid();
  out.set_in_frame(item.in_frame);
  out.set_loops(item.loops);
  out.set_gain_db(item.gain_db);
  out.set_fade_in_ms(item.fade_in_ms);
  out.set_fade_out_ms(item.fade_out_ms);
  out.set_crossfade_ms(item.crossfade_ms);
  out.set_fade_in_curve(to_string(item.fade_in_curve));
  out.set_fade_out_curve(to_string(item.fade_out_curve));
  out.set_crossfade_curve(to_string(item.crossfade_curve));
  return out;
}

void params(const std::string& path, const DocNode& is, const DocNode& to, Operations& out) {
  v1::SetParams& op = *out.Add()->mutable_set_params();
  op.set_path(path);
  const TypeSpec& type = *find_type(is.type);
  for (const auto& [name, value] : to.params) {
    const auto was = is.params.find(name);
    if (was == is.params.end() || was->second != value) (*op.mutable_values())[name] = to_proto(value);
  }
  for (const auto& [name, value] : is.params)
    if (!to.params.contains(name)) (*op.mutable_values())[name] = to_proto(type.find(name)->default_value);
}

/// Items that are not in the target; and those which QueueSet cannot bring there.
void queue_goes(const std::string& path, std::vector<QueueItem>& queue, const std::vector<QueueItem>& to,
                Operations& out) {
  v1::QueueRemove op;
  op.set_path(path);
  std::erase_if(queue, [&](const QueueItem& item) {
    const auto wanted = std::ranges::find(to, item.uid, &QueueItem::uid);
    const bool goes = wanted == to.end() || (wanted->out_frame == 0 && item.out_frame != 0);
    if (goes) op.add_items()->set_uid(item.uid);
    return goes;
  });
  if (!op.items().empty()) *out.Add()->mutable_queue_remove() = std::move(op);
}

void queue_comes(const std::string& path, const std::vector<QueueItem>& queue, const std::vector<QueueItem>& to,
                 Operations& out) {
  const std::vector<rt::Uid> kept = uids_of(queue), order = common(uids_of(to), kept);
  const std::vector<rt::Uid> stay = longest_in_order(kept, order);
  for (std::size_t i = order.size(); i-- > 0;) {
    if (std::ranges::find(stay, order[i]) != stay.end()) continue;
    v1::QueueMove& op = *out.Add()->mutable_queue_move();
    op.set_path(path);
    op.mutable_item()->set_uid(order[i]);
    if (i + 1 < order.size()) op.mutable_before()->set_uid(order[i + 1]);
  }
  for (std::size_t i = 0; i < to.size();) {
    const auto there = std::ranges::find(queue, to[i].uid, &QueueItem::uid);
    if (there != queue.end()) {
      if (!(*there == to[i])) {
        v1::QueueSet& op = *out.Add()->mutable_queue_set();
        op.set_path(path);
        op.mutable_item()->set_uid(to[i].uid);
        *op.mutable_values() = whole(to[i]);
      }
      ++i;
      continue;
    }
    v1::QueueInsert& op = *out.Add()->mutable_queue_insert();
    op.set_path(path);
    for (; i < to.size() && std::ranges::find(kept, to[i].uid) == kept.end(); ++i)
      *op.add_items() = item_to_proto(to[i]);
    if (i < to.size()) op.mutable_before()->set_uid(to[i].uid);
  }
}

}  // namespace

void add_value_steps(const std::string& path, const DocNode& is, const DocNode& to, Operations& out) {
  if (same_values(is, to)) return;
  if (is.label != to.label) {
    v1::SetLabel& op = *out.Add()->mutable_set_label();
    op.set_path(path);
    op.set_label(to.label);
  }
  // A player has a file or a queue: what goes makes room for what comes.
  std::vector<QueueItem> queue = is.queue;
  if (!(is.queue == to.queue)) queue_goes(path, queue, to.queue, out);
  if (is.params != to.params) params(path, is, to, out);
  if (!(is.queue == to.queue)) queue_comes(path, queue, to.queue, out);
  for (const auto& [param, lane] : is.lanes) {
    if (to.lanes.contains(param)) continue;
    v1::ClearAutomation& op = *out.Add()->mutable_clear_automation();
    op.set_path(path);
    op.set_param(param);
  }
  for (const auto& [param, lane] : to.lanes) {
    const auto was = is.lanes.find(param);
    if (was != is.lanes.end() && was->second == lane) continue;
    v1::SetAutomation& op = *out.Add()->mutable_set_automation();
    op.set_path(path);
    op.set_param(param);
    op.set_on(lane.on);
    const bool points_stay =
        was != is.lanes.end() && (was->second.points == lane.points || *was->second.points == *lane.points);
    if (points_stay) continue;
    for (const LanePoint& point : *lane.points) {
      v1::AutomationPoint& one = *op.add_points();
      one.set_frame(point.frame);
      one.set_value(point.value);
      if (point.curve != LaneCurve::linear) one.set_curve(to_string(point.curve));
    }
  }
}

}  // namespace continuo::session
