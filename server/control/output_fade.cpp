#include "server/control/output_fade.hpp"

#include <memory>
#include <utility>

namespace continuo::control {
namespace {
constexpr std::chrono::milliseconds kPatience{250};
}

rt::Action output_level(double factor, std::uint32_t ramp_frames) {
  rt::Action action;
  action.kind = rt::Action::Kind::output_level;
  action.value = factor;
  action.ramp_frames = ramp_frames;
  return action;
}

void fade_out(const Graph& graph, AudioLink& link, EventPump& pump, std::function<void()> then) {
  const std::uint32_t ramp = graph.ramp_frames(kFadeOutMs);
  auto once = std::make_shared<std::function<void()>>(std::move(then));
  const auto go = [once](bool) {
    if (*once) std::exchange(*once, nullptr)();
  };
  link.send_value(output_level(0.0, ramp), [&pump, go, ramp](AudioLink::Fate fate, rt::FrameCount frame) {
    if (fate == AudioLink::Fate::applied) pump.at_frame(frame + ramp, kPatience, go);
  });
  pump.at_frame(rt::kEndless, kPatience, go);
}

}  // namespace continuo::control
