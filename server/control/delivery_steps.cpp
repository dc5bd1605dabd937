// Values alone, of several frames: no plan, no stream, nothing to wait for.
#include <algorithm>
#include <utility>

#include "server/control/delivery.hpp"

namespace continuo::control {

void Delivery::send_steps(const Delta& delta, AudioLink::Then then) {
  struct Home {
    std::size_t under_way = 1;  // one until all are sent: some may be home at once
    AudioLink::Fate fate = AudioLink::Fate::applied;
    rt::FrameCount frame = 0;
    AudioLink::Then then;
  };
  const auto home = std::make_shared<Home>();
  home->then = std::move(then);
  const auto one_less = [home](AudioLink::Fate fate, rt::FrameCount frame) {
    if (fate == AudioLink::Fate::applied)
      home->frame = std::max(home->frame, frame);
    else
      home->fate = fate;
    if (--home->under_way == 0 && home->then) home->then(home->fate, home->frame);
  };
  bool sent = false;
  for (const Delta::Step& step : delta.steps) {
    std::vector<rt::Action> actions = parts_.graph.actions(step.params);
    if (actions.empty()) continue;
    sent = true;
    if (delta.apart || actions.size() == 1) {
      for (const rt::Action& action : actions) {
        ++home->under_way;
        parts_.link.send_value(action, one_less, step.frame);
      }
      continue;
    }
    ++home->under_way;
    AudioLink::Shipment shipment;
    shipment.actions = std::move(actions);
    shipment.frame = step.frame;
    parts_.link.send(std::move(shipment), one_less);
  }
  if (!sent) {  // it is applied when the audio thread has come so far
    ++home->under_way;
    parts_.link.send({}, one_less);
  }
  one_less(AudioLink::Fate::applied, 0);
}

}  // namespace continuo::control
