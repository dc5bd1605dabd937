#include "server/control/node_faults.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "server/base/log.hpp"
#include "server/session/expand.hpp"

namespace continuo::control {

std::unordered_map<rt::Uid, std::string> NodeFaults::paths() const {
  std::unordered_map<rt::Uid, std::string> result;
  session::for_each_node(graph_.document()->nodes, "", [&](const std::string& path, const session::DocNode& node) {
    result.emplace(node.uid, path);
    if (node.type == "noise") result.emplace(session::noise_uid(path), path);
  });
  return result;
}

void NodeFaults::look() {
  rt::Fault fault;
  if (!renderer_.faults().try_pop(fault)) return;
  // What comes while we look waits for the next time.
  std::size_t left = rt::FaultLog::kCapacity;
  do take(fault);
  while (--left > 0 && renderer_.faults().try_pop(fault));
  const auto known = paths();
  for (auto& [uid, entry] : entries_) {
    if (const auto found = known.find(uid); found != known.end()) entry.path = found->second;
  }
  tell();
  forget_gone(known);
}

void NodeFaults::forget_gone(const std::unordered_map<rt::Uid, std::string>& known) {
  std::erase_if(entries_, [&](const auto& entry) { return !known.contains(entry.first); });
}

void NodeFaults::take(const rt::Fault& fault) {
  if (entries_.size() >= kMost && !entries_.contains(fault.node)) {
    entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.frame; }));
  }
  Entry& entry = entries_[fault.node];
  if (entry.path.empty()) entry.path = "a node that is gone (uid " + std::to_string(fault.node) + ")";
  ++entry.count;
  entry.frame = fault.frame;
  entry.muted_until = fault.muted_until;
  entry.untold = true;
}

void NodeFaults::tell() {
  const auto now = Clock::now();
  std::size_t lines = 0;
  for (auto& [uid, entry] : entries_) {
    if (!entry.untold || (entry.logged != Clock::time_point{} && now - entry.logged < kQuiet)) continue;
    if (++lines > kMostLines) continue;  // told at another look, if it goes on
    entry.untold = false;
    entry.logged = now;
    const char* const what = entry.muted_until > entry.frame ? "muted for a second" : "taken as silence";
    log::warning("{} gave NaN or Inf at engine frame {}: {} ({} so far)", entry.path, entry.frame, what, entry.count);
  }
  if (lines > kMostLines) log::warning("... and {} more nodes", lines - kMostLines);
}

void NodeFaults::report(v1::GetStatusResponse& out) {
  if (entries_.empty()) return;
  const auto known = paths();
  forget_gone(known);
  std::vector<const std::pair<const rt::Uid, Entry>*> order;
  for (const auto& entry : entries_) order.push_back(&entry);
  std::ranges::sort(order, [](const auto* a, const auto* b) {
    return a->second.frame != b->second.frame ? a->second.frame > b->second.frame : a->first < b->first;
  });
  for (const auto* one : order) {
    const Entry& entry = one->second;
    auto& fault = *out.add_node_faults();
    fault.set_path(known.at(one->first));
    fault.set_count(entry.count);
    fault.set_last_engine_frame(entry.frame);
    fault.set_muted(entry.muted_until > out.clock().engine_frame());
  }
}

}  // namespace continuo::control
