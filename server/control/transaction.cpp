#include "server/control/transaction.hpp"

#include <algorithm>
#include <utility>

#include "server/control/cue_plan.hpp"
#include "server/control/take_order.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

Error failed(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::failed_precondition, std::move(reason), std::move(field), std::move(message));
}

bool names_file(const google::protobuf::Value& value, const std::string& file) {
  if (value.kind_case() == google::protobuf::Value::kStringValue) return value.string_value() == file;
  if (value.kind_case() == google::protobuf::Value::kStructValue) {
    return std::ranges::any_of(value.struct_value().fields(),
                               [&](const auto& member) { return names_file(member.second, file); });
  }
  if (value.kind_case() == google::protobuf::Value::kListValue) {
    return std::ranges::any_of(value.list_value().values(),
                               [&](const auto& member) { return names_file(member, file); });
  }
  return false;
}

bool cue_names_file(const v1::Cue& cue, const std::string& file) {
  session::DocCue given;
  given.operations = session::make_cue_operations(cue.operations());
  bool named = false;
  session::for_each_cue_file(given, [&](const std::string& one) { named = named || one == file; });
  return named;
}

void take_uid_out(std::vector<rt::Uid>& list, rt::Uid uid) { std::erase(list, uid); }

}  // namespace

std::string field_of_file(const session::Operations& operations, const std::string& file) {
  for (int i = operations.size() - 1; i >= 0; --i) {
    const v1::Operation& operation = operations[i];
    const std::string field = "operations[" + std::to_string(i) + "]";
    if (operation.has_set_params()) {
      for (const auto& [name, value] : operation.set_params().values()) {
        if (names_file(value, file)) return field + ".set_params.values." + name;
      }
    }
    if (operation.has_queue_insert()) {
      for (int j = 0; j < operation.queue_insert().items_size(); ++j)
        if (operation.queue_insert().items(j).file() == file)
          return field + ".queue_insert.items[" + std::to_string(j) + "].file";
    }
    std::string cue;
    for (int j = 0; j < operation.cue_insert().cues_size(); ++j) {
      if (cue.empty() && cue_names_file(operation.cue_insert().cues(j), file))
        cue = field + ".cue_insert.cues[" + std::to_string(j) + "].operations";
    }
    if (!cue.empty()) return cue;
    if (cue_names_file(operation.cue_set().values(), file)) return field + ".cue_set.values.operations";
    if (operation.has_queue_set() && operation.queue_set().values().file() == file)
      return field + ".queue_set.values.file";
    if (operation.has_add_node()) {
      const auto& node = operation.add_node().node();
      for (const auto& [name, value] : node.fields()) {
        if (names_file(value, file)) return field + ".add_node.node" + (name == "params" ? ".params.file" : "." + name);
      }
    }
  }
  return "operations";
}

void name_files(std::vector<v1::Operation>& accepted, const std::vector<Takes::Opened>& takes) {
  if (takes.empty()) return;
  std::vector<v1::Operation> result;
  bool named = false;
  for (v1::Operation& operation : accepted) {
    if (!operation.has_record_start()) {
      result.push_back(std::move(operation));
      continue;
    }
    if (std::exchange(named, true)) continue;
    for (const Takes::Opened& take : takes) {
      v1::RecordStart& start = *result.emplace_back().mutable_record_start();
      start.add_nodes(take.order.node);
      start.set_file(take.name);
      if (take.order.limit != rt::kEndless) start.set_frames(take.order.limit);
      if (take.order.stop_timeline_frame) start.set_stop_timeline_frame(*take.order.stop_timeline_frame);
      if (take.order.split) start.set_split_channels(true);
      if (take.order.split_seconds > 0.0) start.set_split_seconds(take.order.split_seconds);
      if (take.order.split_bytes > 0) start.set_split_bytes(static_cast<std::uint64_t>(take.order.split_bytes));
      if (!take.order.second_root.empty()) start.set_second_root(take.order.second_root);
    }
  }
  accepted = std::move(result);
}

Result<> Transactions::read_transport(Transaction& tx) {
  Delta& delta = tx.delta;
  const auto uid_of = [&](const std::string& path) { return session::find_node(*tx.document, path)->uid; };
  const session::Operations& operations = tx.expanded.operations;
  delta.skips = read_skips(operations, *tx.document);
  for (int i = 0; i < operations.size(); ++i) {
    const v1::Operation& operation = operations[i];
    const std::string field = "operations[" + std::to_string(i) + "]";
    if (operation.has_play()) {
      if (operation.play().players().empty()) delta.roll = true;
      for (const std::string& path : operation.play().players()) {
        const rt::Uid uid = uid_of(path);
        take_uid_out(delta.stop, uid);
        take_uid_out(delta.play, uid);
        delta.play.push_back(uid);
      }
    } else if (operation.has_stop()) {
      if (operation.stop().players().empty()) delta.roll = false;
      for (const std::string& path : operation.stop().players()) {
        const rt::Uid uid = uid_of(path);
        take_uid_out(delta.play, uid);
        take_uid_out(delta.stop, uid);
        delta.stop.push_back(uid);
      }
    } else if (operation.has_locate()) {
      const std::int64_t frame = operation.locate().timeline_frame();
      if (frame > kLatestFrame) {
        return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field + ".locate.timeline_frame",
                          "timeline_frame must be 0 to " + std::to_string(kLatestFrame));
      }
      delta.locate = parts_.graph.to_engine(frame);
    } else if (operation.has_record_start()) {
      if (const Result<> read = read_record_start(tx, operation.record_start(), field + ".record_start"); !read)
        return read;
    } else if (operation.has_record_stop()) {
      if (const Result<> read = read_record_stop(tx, operation.record_stop(), field + ".record_stop"); !read)
        return read;
    }
  }
  for (const rt::Uid uid : delta.play) {
    if (std::ranges::find(delta.skips, uid, &Skip::player) != delta.skips.end()) continue;
    const rt::FrameCount length = parts_.sources.length(uid);
    if (length != rt::kEndless && parts_.transport.player_position(uid) >= length) delta.rewind.push_back(uid);
  }
  return {};
}

Operations Transactions::with_current(const Transaction& tx) const {
  return with_current_items(tx.expanded.operations, *tx.before, [this](rt::Uid uid) {
    return current_of(uid, parts_.graph, parts_.sources, parts_.transport);
  });
}

Result<> Transactions::read_record_start(Transaction& tx, const v1::RecordStart& start, const std::string& field) {
  std::vector<std::string> nodes(start.nodes().begin(), start.nodes().end());
  if (nodes.empty()) {
    std::size_t recorders = 0;
    session::for_each_node(tx.document->nodes, "", [&](const std::string& path, const session::DocNode& node) {
      if (node.type != "recorder") return;
      ++recorders;
      if (session::number_of(node, "arm") != 0.0) nodes.push_back(path);
    });
    if (recorders == 0) nodes.push_back("out");
    if (nodes.empty()) {
      return failed("NOTHING_ARMED", field + ".nodes",
                    "none of the session's " + std::to_string(recorders) + " recorders is armed: arm or name one");
    }
    if (start.has_file() && nodes.size() > 1) {
      return make_error(
          ErrorKind::invalid_argument, "WRONG_FIELD", field + ".file",
          std::to_string(nodes.size()) + " recorders are armed: name one, or leave the file out");
    }
  }
  if (start.stop_timeline_frame() > kLatestFrame) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field + ".stop_timeline_frame",
                      "stop_timeline_frame must be 0 to " + std::to_string(kLatestFrame));
  }
  for (const std::string& node : nodes) {
    const bool twice = std::ranges::any_of(tx.orders, [&](const Takes::Order& order) { return order.node == node; });
    if (twice || (!tx.due && parts_.takes.recording(node))) {  // what is for later finds other takes
      return failed("ALREADY_RECORDING", field + ".nodes", "\"" + node + "\" records already: stop that take first");
    }
    Takes::Order order;
    order.node = node;
    if (const Result<> read = read_take_files(start, *tx.document, field, order); !read) return read;
    order.second_root = start.has_second_root() ? start.second_root() : parts_.takes.default_second();
    order.second_must = start.has_second_root();
    const std::string root = order.file.empty() ? "takes" : order.file.substr(0, order.file.find(':'));
    if (order.second_root == root) {
      if (order.second_must) {
        return make_error(ErrorKind::invalid_argument, "SAME_ROOT", field + ".second_root",
                          "\"" + root + "\" is where the take goes anyway");
      }
      order.second_root.clear();
    }
    if (!order.second_root.empty() && !parts_.takes.has_root(order.second_root)) {
      return make_error(ErrorKind::not_found, "UNKNOWN_ROOT", field + ".second_root",
                        "there is no media root \"" + order.second_root + "\"");
    }
    if (start.has_frames()) order.limit = start.frames();
    if (start.has_stop_timeline_frame()) order.stop_timeline_frame = start.stop_timeline_frame();
    tx.orders.push_back(std::move(order));
  }
  if (!tx.due && parts_.takes.running() + tx.orders.size() > Takes::kMaxRunning) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_TAKES", field,
                      "at most " + std::to_string(Takes::kMaxRunning) + " takes run at once");
  }
  tx.order_field = field + (start.has_file() ? ".file" : "");
  return {};
}

Result<> Transactions::read_record_stop(Transaction& tx, const v1::RecordStop& stop, const std::string& field) {
  std::set<std::string> recording = parts_.takes.recording();
  recording.merge(parts_.takes.cut_off());
  tx.stops_takes = true;
  if (stop.nodes().empty()) tx.delta.stop_takes.insert(recording.begin(), recording.end());
  for (int i = 0; i < stop.nodes_size(); ++i) {
    if (!recording.contains(stop.nodes(i))) {
      if (tx.due || tx.entry) continue;  // what was for later stops what then records
      return failed("NOT_RECORDING", field + ".nodes[" + std::to_string(i) + "]",
                    "\"" + stop.nodes(i) + "\" does not record");
    }
    tx.delta.stop_takes.insert(stop.nodes(i));
  }
  return {};
}

}  // namespace continuo::control
