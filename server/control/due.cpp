#include "server/control/due.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace continuo::control {

std::vector<DueAt> due_order(const Moment& now, const std::vector<DueItem>& items) {
  using Rank = std::pair<rt::FrameCount, std::uint64_t>;
  std::map<Rank, std::size_t> by_engine;    // engine frames
  std::map<Rank, std::size_t> by_timeline;  // timeline frames
  for (std::size_t i = 0; i < items.size(); ++i)
    (items[i].on_timeline ? by_timeline : by_engine).emplace(Rank{items[i].frame, items[i].id}, i);

  std::vector<DueAt> order;
  order.reserve(items.size());
  rt::FrameCount engine = now.engine_frame;
  rt::FrameCount timeline = now.timeline_frame;
  bool rolling = now.rolling;
  while (true) {
    const auto fixed = by_engine.begin();
    const auto passed = rolling ? by_timeline.lower_bound({timeline, 0}) : by_timeline.end();
    if (fixed == by_engine.end() && passed == by_timeline.end()) break;
    // A frame that is past falls due now.
    const Rank at_fixed = fixed == by_engine.end() ? Rank{rt::kEndless, 0}
                                                   : Rank{std::max(fixed->first.first, engine), fixed->first.second};
    const Rank at_passed = passed == by_timeline.end()
                               ? Rank{rt::kEndless, 0}
                               : Rank{engine + (passed->first.first - timeline), passed->first.second};
    const bool take_fixed = passed == by_timeline.end() || (fixed != by_engine.end() && at_fixed < at_passed);
    const Rank at = take_fixed ? at_fixed : at_passed;
    const std::size_t index = take_fixed ? fixed->second : passed->second;
    if (take_fixed)
      by_engine.erase(fixed);
    else
      by_timeline.erase(passed);
    const DueItem& item = items[index];
    if (rolling) timeline += at.first - engine;
    engine = at.first;
    if (!item.sent) order.push_back({index, engine});
    if (item.locate) timeline = *item.locate;
    if (item.roll) rolling = *item.roll;
  }
  for (const auto& [rank, index] : by_timeline) order.push_back({index, std::nullopt});
  return order;
}

}  // namespace continuo::control
