#include "server/session/warnings.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "server/session/cue.hpp"
#include "server/session/names.hpp"

namespace continuo::session {
namespace {

/// Empty: it lies within its file, or nobody knows.
std::string beyond(const std::string& file, std::int64_t in, std::int64_t out, const MediaTable& media) {
  const auto facts = media.find(file);
  if (facts == media.end() || facts->second.frames <= 0) return {};
  const std::string end = std::to_string(facts->second.frames);
  if (in >= facts->second.frames)
    return file + ": in " + std::to_string(in) + " is behind the file's end at " + end + ": the item is passed over";
  if (out > facts->second.frames)
    return file + ": out " + std::to_string(out) + " is behind the file's end at " + end + ": the item ends there";
  return {};
}

/// How long each queue is while a cue's operations go on; by path.
class Walk {
 public:
  Walk(const Document& document, const DocCue& cue) : document_(document), cue_(cue) {}

  std::string run() {
    for (const v1::Operation& op : cue_.operations->list) {
      if (op.has_queue_insert()) {
        std::size_t& count = of(op.queue_insert().path());
        if (!look_at_place(op.queue_insert())) break;
        count += static_cast<std::size_t>(op.queue_insert().items_size());
      } else if (op.has_queue_move()) {
        if (!look(op.queue_move().path(), op.queue_move().item()) || !look_at_place(op.queue_move())) break;
      } else if (op.has_queue_set()) {
        if (!look(op.queue_set().path(), op.queue_set().item())) break;
      } else if (op.has_queue_remove()) {
        if (!remove(op.queue_remove())) break;
      } else if (op.has_skip()) {
        if (op.skip().has_item() && !look(op.skip().path(), op.skip().item())) break;
        if (of(op.skip().path()) == 0 && !filled(op.skip().path())) {
          missing_ = "the queue of " + quoted(op.skip().path()) + " is empty";
          break;
        }
      }
    }
    return missing_;
  }

 private:
  std::size_t& of(const std::string& path) {
    const auto [found, fresh] = counts_.try_emplace(path);
    if (const DocNode* const node = fresh ? find_node(document_, path) : nullptr) found->second = node->queue.size();
    return found->second;
  }
  [[nodiscard]] bool filled(const std::string& path) const {
    return std::ranges::any_of(document_.cues, [&](const DocCue& other) {
      return other.uid != cue_.uid && std::ranges::any_of(other.operations->list, [&](const v1::Operation& op) {
               return op.has_queue_insert() && op.queue_insert().path() == path;
             });
    });
  }
  bool look(const std::string& path, const v1::QueueRef& ref) {
    const std::size_t count = of(path);
    if (ref.has_number() && ref.number() > count && !filled(path))
      missing_ = "the queue of " + quoted(path) + " has " + std::to_string(count) + " items, and no number " +
                 std::to_string(ref.number());
    else if (ref.has_current() && count == 0 && !filled(path))
      missing_ = "the queue of " + quoted(path) + " is empty";
    return missing_.empty();
  }
  template <class Op>
  bool look_at_place(const Op& op) {
    if (op.has_before() && !look(op.path(), op.before())) return false;
    return !op.has_after() || look(op.path(), op.after());
  }
  bool remove(const v1::QueueRemove& op) {
    std::size_t& count = of(op.path());
    for (const v1::QueueRef& ref : op.items())
      if (!look(op.path(), ref)) return false;
    count -= op.all() ? count : std::min(count, static_cast<std::size_t>(op.items_size()));
    return true;
  }

  const Document& document_;
  const DocCue& cue_;
  std::map<std::string, std::size_t> counts_;
  std::string missing_;
};

}  // namespace

std::vector<std::string> items_beyond_file(const Document& before, const Document& after, const MediaTable& media,
                                           std::size_t most) {
  std::vector<std::string> lines;
  const auto tell = [&](const std::string& where, std::string what) {
    if (!what.empty() && lines.size() < most) lines.push_back(where + ": " + std::move(what));
  };
  for_each_node(after.nodes, "", [&](const std::string& path, const DocNode& node) {
    if (node.queue.empty() || lines.size() >= most) return;
    const DocNode* const old = find_node(before, path);
    for (std::size_t i = 0; i < node.queue.size(); ++i) {
      const QueueItem& item = node.queue[i];
      if (old != nullptr && std::ranges::find(old->queue, item) != old->queue.end()) continue;
      tell(path + ": item " + std::to_string(i + 1), beyond(item.file, item.in_frame, item.out_frame, media));
    }
  });
  for (const DocCue& cue : after.cues) {
    if (lines.size() >= most) break;
    const auto same = find_cue(before.cues, cue.uid);
    if (same && before.cues[*same] == cue) continue;
    for (const v1::Operation& op : cue.operations->list)
      for (const v1::QueueItem& item : op.queue_insert().items())
        tell("cue " + cue.name + ": an item of " + op.queue_insert().path(),
             beyond(item.file(), item.in_frame(), item.out_frame(), media));
  }
  return lines;
}

std::vector<std::string> backward_takes(const Document& document, std::size_t most) {
  std::vector<std::string> lines;
  for (const DocCue& cue : document.cues) {
    std::optional<std::int64_t> at;
    for (const v1::Operation& op : cue.operations->list)
      if (op.has_locate()) at = op.locate().timeline_frame();
    for (const v1::Operation& op : cue.operations->list) {
      if (lines.size() == most) return lines;
      if (!at || !op.record_start().has_stop_timeline_frame() || op.record_start().stop_timeline_frame() > *at)
        continue;
      lines.push_back("cue " + cue.name + ": its take is to end at timeline frame " +
                      std::to_string(op.record_start().stop_timeline_frame()) + ", and the cue goes to " +
                      std::to_string(*at) + ", which is behind that");
      break;
    }
  }
  return lines;
}

std::string missing_item(const Document& document, const DocCue& cue) { return Walk(document, cue).run(); }

}  // namespace continuo::session
