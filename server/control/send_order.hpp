// THREAD: control - what is under way for a later frame, so that nothing that came after it sounds before it
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "rt/command.hpp"

namespace continuo::control {

/// What was sent for a later frame belongs to a document that has it already. What follows may come in between only
/// where the two cannot touch: values of other parameters. Everything else is put off to that frame, where the sequence
/// decides.
class SendOrder {
 public:
  /// The frame for a command that asks for `frame`; `has_plan`: it brings a plan.
  [[nodiscard]] rt::FrameCount frame_for(rt::FrameCount frame, const std::vector<rt::Action>& actions,
                                         bool has_plan) const;
  /// It goes out with this frame; 0 for one that waits for no frame. What it returns is for gone().
  [[nodiscard]] std::uint64_t sent(rt::FrameCount frame, const std::vector<rt::Action>& actions, bool has_plan);
  void gone(std::uint64_t ticket) { waiting_.erase(ticket); }
  /// What is under way is applied before all that follows.
  void clear() { waiting_.clear(); }
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }

 private:
  struct Key {
    rt::NodeRef node;
    std::uint16_t param;
    friend bool operator<(const Key& a, const Key& b) noexcept {
      return std::tie(a.node.slot, a.node.generation, a.param) < std::tie(b.node.slot, b.node.generation, b.param);
    }
  };
  struct Waiting {
    rt::FrameCount frame;
    bool everything;  // not values alone
    std::set<Key> keys;
  };
  [[nodiscard]] static bool values_alone(const std::vector<rt::Action>& actions, bool has_plan);

  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t next_ = 1;
};

}  // namespace continuo::control
