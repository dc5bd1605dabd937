// THREAD: test - a plan of many equal voices and a tree of sums, cut into tasks by hand
#pragma once

#include <memory>
#include <vector>

#include "rt/nodes/device_io.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/mix.hpp"
#include "rt/run_plan.hpp"
#include "tests/support/rig.hpp"

namespace continuo::test {

/// `voices` sines, each through a gain that a command may ramp (slot 2 v + 1); sums of four, then the sum of those to
/// the device. Without tasks its steps run one behind the other.
class TaskPlan {
 public:
  TaskPlan(Rig& rig, std::uint32_t voices) {
    for (std::uint32_t v = 0; v < voices; ++v) {
      oscillators_.push_back(
          &rig.adopt(std::unique_ptr<rt::Node>(rt::make_oscillator(v + 1)), {110.0 + 13.0 * v, -30.0, 0.0}));
      gains_.push_back(&rig.node(rt::gain_kind(), {0.0}, v + 1000));
    }
    for (std::uint32_t s = 0; s <= voices / 4; ++s) sums_.push_back(&rig.node(rt::mix_kind(), {}, s + 5000));
    output_ = &rig.node(rt::device_output_kind(), {}, 9999);
  }

  [[nodiscard]] std::unique_ptr<rt::RenderPlan> build(bool tasks, std::uint64_t id = 1) const {
    PlanBuilder b(48000.0, id);
    std::vector<PlanBuilder::Channel> voices, sums;
    for (std::size_t v = 0; v < gains_.size(); ++v)
      voices.push_back(b.node(*gains_[v], b.node(*oscillators_[v], {}, 1), 1).front());
    for (std::size_t first = 0; first < voices.size(); first += 4) {
      const auto begin = voices.begin() + static_cast<std::ptrdiff_t>(first);
      sums.push_back(b.node(*sums_[first / 4], {begin, begin + 4}, 1).front());
    }
    b.node(*output_, b.node(*sums_.back(), sums, 1), 0);
    auto plan = b.build();
    if (tasks) cut(*plan);
    return plan;
  }

 private:
  /// A task a voice, a task a sum of four, and the last two steps.
  void cut(rt::RenderPlan& plan) const {
    const auto add = [&](std::uint32_t steps, const std::vector<std::uint32_t>& before) {
      const auto part = static_cast<std::uint32_t>(plan.part_ends.size());
      plan.part_ends.push_back((part == 0 ? 0 : plan.part_ends.back()) + steps);
      plan.tasks.push_back({part, part + 1, static_cast<std::uint32_t>(plan.tasks_before.size()),
                            static_cast<std::uint32_t>(before.size())});
      plan.tasks_before.insert(plan.tasks_before.end(), before.begin(), before.end());
    };
    const auto voices = static_cast<std::uint32_t>(gains_.size());
    for (std::uint32_t v = 0; v < voices; ++v) add(2, {});
    for (std::uint32_t s = 0; s < voices / 4; ++s) add(1, {4 * s, 4 * s + 1, 4 * s + 2, 4 * s + 3});
    std::vector<std::uint32_t> all;
    for (std::uint32_t s = 0; s < voices / 4; ++s) all.push_back(voices + s);
    add(2, all);
    plan.root_tasks = voices;
    plan.marks = std::vector<rt::TaskMark>(plan.tasks.size());
  }

  std::vector<rt::Node*> oscillators_, gains_, sums_;
  rt::Node* output_ = nullptr;
};

}  // namespace continuo::test
