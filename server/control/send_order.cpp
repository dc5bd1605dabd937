#include "server/control/send_order.hpp"

#include <algorithm>
#include <utility>

namespace continuo::control {

bool SendOrder::values_alone(const std::vector<rt::Action>& actions, bool has_plan) {
  return !has_plan && std::ranges::all_of(
                          actions, [](const rt::Action& action) { return action.kind == rt::Action::Kind::set_param; });
}

rt::FrameCount SendOrder::frame_for(rt::FrameCount frame, const std::vector<rt::Action>& actions, bool has_plan) const {
  if (waiting_.empty()) return frame;
  const bool values = values_alone(actions, has_plan);
  for (const auto& [ticket, waiting] : waiting_) {
    if (waiting.frame <= frame) continue;
    const bool touches = !values || waiting.everything || std::ranges::any_of(actions, [&](const rt::Action& action) {
      return waiting.keys.contains({action.node, action.param});
    });
    if (touches) frame = waiting.frame;
  }
  return frame;
}

std::uint64_t SendOrder::sent(rt::FrameCount frame, const std::vector<rt::Action>& actions, bool has_plan) {
  if (frame == rt::kNow) return 0;
  Waiting waiting{frame, !values_alone(actions, has_plan), {}};
  if (!waiting.everything) {
    for (const rt::Action& action : actions) waiting.keys.insert({action.node, action.param});
  }
  waiting_.emplace(next_, std::move(waiting));
  return next_++;
}

}  // namespace continuo::control
