// THREAD: test - a node that goes wrong at a frame: what comes in, or a level, and in between what is no number
#pragma once

#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "rt/node.hpp"
#include "tests/support/processor_rig.hpp"

namespace continuo::test {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// From engine frame `first` to before `last` every output is `value`.
struct Poison {
  rt::FrameCount first = 0;
  rt::FrameCount last = 0;
  float value = kNan;
};

class PoisonKind final : public rt::NodeKind {
 public:
  constexpr PoisonKind() noexcept : NodeKind("poison") {}
  void process(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING override;
};
inline constinit const PoisonKind kPoison;

struct PoisonNode final : rt::Node {
  PoisonNode(rt::Uid node_uid, std::vector<Poison> doses, float sound = 0.5f)
      : Node(kPoison, node_uid, 0), poisons(std::move(doses)), level(sound) {}
  const std::vector<Poison> poisons;
  const float level;  // where nothing comes in
};

inline void PoisonKind::process(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING {
  for (const rt::Member& m : step.members) {
    const auto& node = static_cast<const PoisonNode&>(*m.node);
    for (std::uint32_t c = 0; c < m.out_count; ++c)
      for (std::uint32_t i = 0; i < slice.frames; ++i) {
        float y = c < m.in_count ? m.from(c, slice)[i] : node.level;
        const rt::FrameCount frame = slice.engine_frame + i;
        for (const Poison& p : node.poisons)
          if (frame >= p.first && frame < p.last) y = p.value;
        m.to(c, slice)[i] = y;
      }
  }
}

/// The same run, with what comes in poisoned on its way from the device.
inline ProcessorRun poisoned(ProcessorRun run, std::vector<Poison> doses) {
  run.build = [build = std::move(run.build), doses = std::move(doses)](Rig& rig, PlanBuilder& b,
                                                                       std::vector<std::size_t> in) {
    const auto channels = in.size();
    return build(rig, b, b.node(rig.adopt(std::make_unique<PoisonNode>(99, doses)), std::move(in), channels));
  };
  return run;
}

}  // namespace continuo::test
