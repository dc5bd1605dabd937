// THREAD: control or render - the rt nodes that outlive plans, and the slots where commands find them
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "server/session/flat_graph.hpp"
#include "server/session/impulse_table.hpp"

namespace continuo::session {

struct LiveNode {
  std::unique_ptr<rt::Node> node;
  rt::NodeRef ref;         // means nothing where `addressed` is false
  bool addressed = false;  // takes commands
  std::uint64_t plan = 0;  // the last plan that used it
  std::uint64_t made_in = 0;
};

/// A node stays the same object for as long as consecutive plans use its key. Its slot is then free for another, which
/// gets a generation of its own: what was sent to the node before goes to nobody.
class LiveNodes {
 public:
  /// The node of this key, marked as used by `plan`; made by `make()` where there is none yet.
  template <class Make>
  LiveNode& use(const FlatKey& key, std::uint64_t plan, bool addressed, Make&& make) {
    LiveNode& live = nodes_[key];
    live.plan = plan;
    if (live.node == nullptr) {
      live.node = make();
      live.made_in = plan;
      live.addressed = addressed;
      if (addressed) live.ref = take_slot();
    }
    return live;
  }

  /// Null where there is none of this key.
  [[nodiscard]] const rt::Node* find(const FlatKey& key) const {
    const auto found = nodes_.find(key);
    return found == nodes_.end() ? nullptr : found->second.node.get();
  }

  /// Everything that `plan` does not use; its slots are free from now on.
  [[nodiscard]] std::vector<std::unique_ptr<rt::Node>> drop_unused(std::uint64_t plan);

  /// How long a plan's table must be.
  [[nodiscard]] std::size_t slot_count() const { return generations_.size(); }

 private:
  [[nodiscard]] rt::NodeRef take_slot();

  std::unordered_map<FlatKey, LiveNode, FlatKeyHash> nodes_;
  std::vector<std::uint32_t> generations_;  // by slot: of its tenant of now, or its last
  std::vector<std::uint32_t> free_;
};

/// Control. The rt node that a flat node runs as, with the document's parameter values. `sounds`: a track or bus is
/// heard. `partner`: of a feedback's end that takes, the one that gives. Not for joins, which have none.
[[nodiscard]] std::unique_ptr<rt::Node> make_rt_node(const FlatNode& node, bool sounds, double sample_rate_hz,
                                                     const ProcessorFiles& files, const rt::Node* partner = nullptr);

/// Whether it has parameters, or other business with commands.
[[nodiscard]] bool takes_commands(FlatRole role);

}  // namespace continuo::session
