#include "server/control/lease_cover.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

std::string join(const std::string& parent, const std::string& id) { return parent.empty() ? id : parent + "/" + id; }

/// What of the paths of now was called otherwise before, or was not there.
class Names {
 public:
  struct Before {
    std::string path;
    bool fresh = false;  // the node is new: this is who holds it
  };

  [[nodiscard]] Before before(const std::string& path) const {
    for (std::string at = path;; at = session::parent_of(at)) {
      if (const auto found = known_.find(at); found != known_.end()) {
        if (found->second.fresh) return found->second;
        return {found->second.path + path.substr(at.size()), false};
      }
      if (at.empty()) return {path, false};
    }
  }
  void added(const std::string& parent, const std::string& id) {
    known_[join(parent, id)] = {before(parent).path, true};
  }
  void moved(const std::string& from, const std::string& to) {
    Before origin = before(from);
    std::map<std::string, Before> with;
    each_below(from, [&](auto entry) { with.emplace(to + entry->first.substr(from.size()), entry->second); });
    removed(from);
    for (auto& [path, was] : with) known_.insert_or_assign(path, std::move(was));
    known_.insert_or_assign(to, std::move(origin));
  }
  void removed(const std::string& path) {
    known_.erase(path);
    const auto first = known_.lower_bound(path + "/");
    auto last = first;
    while (last != known_.end() && last->first.starts_with(path + "/")) ++last;
    known_.erase(first, last);
  }

 private:
  template <class Visit>
  void each_below(const std::string& path, Visit&& visit) const {
    for (auto at = known_.lower_bound(path + "/"); at != known_.end() && at->first.starts_with(path + "/"); ++at)
      visit(at);
  }
  std::map<std::string, Before> known_;  // by the path of now
};

class Cover {
 public:
  Cover(const session::Document& before, const session::Document& after, const std::set<std::string>& recording)
      : before_(before), after_(after), recording_(recording) {}

  void add(const v1::Operation& operation, int index);
  /// Connections that went with their nodes, though the other end stays.
  void lost_connections();
  [[nodiscard]] std::vector<Touch> take() { return std::move(touches_); }

 private:
  void node(const std::string& path, bool below = false) {
    const Names::Before was = names_.before(path);
    touches_.push_back({was.path, below && !was.fresh, index_});
  }
  void whole() { touches_.push_back({"", false, index_}); }
  void end(const std::string& text, bool is_source) {
    if (const auto endpoint = session::parse_endpoint(text, is_source)) node(endpoint->path);
  }
  void players(const google::protobuf::RepeatedPtrField<std::string>& paths) {
    if (paths.empty()) whole();  // the timeline
    for (const std::string& path : paths) node(path);
  }
  void move(const v1::MoveNode& move);
  void record_start(const v1::RecordStart& start);

  const session::Document& before_;
  const session::Document& after_;
  const std::set<std::string>& recording_;
  Names names_;
  std::vector<Touch> touches_;
  int index_ = 0;
  std::optional<int> removes_;  // the first that does
};

void Cover::move(const v1::MoveNode& move) {
  const std::string parent = move.has_parent() ? move.parent() : session::parent_of(move.path());
  const std::size_t slash = move.path().rfind('/');
  const std::string id = move.has_id() ? move.id() : move.path().substr(slash == std::string::npos ? 0 : slash + 1);
  node(move.path(), true);
  node(session::parent_of(move.path()));
  node(parent);
  if (join(parent, id) != move.path()) names_.moved(move.path(), join(parent, id));
}

void Cover::record_start(const v1::RecordStart& start) {
  for (const std::string& path : start.nodes()) node(path);
  if (!start.nodes().empty()) return;
  // A recorder that this transaction adds, arms or moves is touched by that already.
  bool any = false;
  session::for_each_node(before_.nodes, "", [&](const std::string& path, const session::DocNode& one) {
    if (one.type != "recorder") return;
    any = true;
    if (session::number_of(one, "arm") != 0.0) touches_.push_back({path, false, index_});
  });
  if (!any || removes_) node("out");
}

void Cover::add(const v1::Operation& operation, int index) {
  index_ = index;
  switch (operation.kind_case()) {
    case v1::Operation::kAddNode: {
      const v1::AddNode& add = operation.add_node();
      node(add.parent());
      const auto id = add.node().fields().find("id");
      if (id != add.node().fields().end()) names_.added(add.parent(), id->second.string_value());
      return;
    }
    case v1::Operation::kRemoveNode:
      node(operation.remove_node().path(), true);
      node(session::parent_of(operation.remove_node().path()));
      names_.removed(operation.remove_node().path());
      if (!removes_) removes_ = index;
      return;
    case v1::Operation::kMoveNode:
      return move(operation.move_node());
    case v1::Operation::kConnect:
      end(operation.connect().from(), true);
      return end(operation.connect().to(), false);
    case v1::Operation::kDisconnect:
      end(operation.disconnect().from(), true);
      return end(operation.disconnect().to(), false);
    case v1::Operation::kSetParams:
      return node(operation.set_params().path());
    case v1::Operation::kSetAutomation:
      return node(operation.set_automation().path());
    case v1::Operation::kClearAutomation:
      return node(operation.clear_automation().path());
    case v1::Operation::kSetLabel:
      return node(operation.set_label().path());
    case v1::Operation::kPlay:
      return players(operation.play().players());
    case v1::Operation::kStop:
      return players(operation.stop().players());
    case v1::Operation::kLocate:
      return whole();
    case v1::Operation::kRecordStart:
      return record_start(operation.record_start());
    case v1::Operation::kRecordStop:
      for (const std::string& path : operation.record_stop().nodes()) node(path);
      if (operation.record_stop().nodes().empty())
        for (const std::string& path : recording_) node(path);
      return;
    case v1::Operation::kQueueInsert:
      return node(operation.queue_insert().path());
    case v1::Operation::kQueueRemove:
      return node(operation.queue_remove().path());
    case v1::Operation::kQueueMove:
      return node(operation.queue_move().path());
    case v1::Operation::kQueueSet:
      return node(operation.queue_set().path());
    case v1::Operation::kSkip:
      return node(operation.skip().path());
    case v1::Operation::kCueInsert:
    case v1::Operation::kCueRemove:
    case v1::Operation::kCueMove:
    case v1::Operation::kCueSet:
    case v1::Operation::kCueNext:
    case v1::Operation::kGo:  // the place in the list; what the cue does is expanded behind it
    case v1::Operation::KIND_NOT_SET:
      return whole();
  }
}

void Cover::lost_connections() {
  if (!removes_) return;
  std::set<rt::Uid> kept;
  for (const session::DocConnection& one : after_.connections) kept.insert(one.uid);
  for (const session::DocConnection& one : before_.connections) {
    if (kept.contains(one.uid)) continue;
    touches_.push_back({one.from.path, false, *removes_});
    touches_.push_back({one.to.path, false, *removes_});
  }
}

}  // namespace

std::vector<Touch> touches_of(const session::Operations& operations, const session::Document& before,
                              const session::Document& after, const std::set<std::string>& recording) {
  Cover cover(before, after, recording);
  for (int i = 0; i < operations.size(); ++i) cover.add(operations[i], i);
  cover.lost_connections();
  return cover.take();
}

bool touches(const Touch& touch, const std::string& path) {
  if (path.empty()) return true;
  if (touch.path.empty()) return false;
  return session::is_at_or_below(touch.path, path) || (touch.below && session::is_at_or_below(path, touch.path));
}

bool overlap(const std::string& one, const std::string& other) {
  return one.empty() || other.empty() || session::is_at_or_below(one, other) || session::is_at_or_below(other, one);
}

std::optional<std::string> path_in(const session::Document& document, const Part& part) {
  if (!part.node) return std::string();
  const session::DocNode* const there = session::find_node(document, part.path);
  if (there != nullptr && there->uid == *part.node) return part.path;
  std::optional<std::string> found;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    if (node.uid == *part.node) found = path;
  });
  return found;
}

}  // namespace continuo::control
