// THREAD: test - a render plan by hand, so that the tests of the core need no plan compiler
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "rt/render_plan.hpp"

namespace continuo::test {

/// Steps are run in the order in which they were added. Every channel that is not named as in-place gets a buffer of
/// its own, filled with rubbish by build(), so that a kernel that forgets a sample is seen.
class PlanBuilder {
 public:
  using Channel = std::size_t;  // names a buffer
  struct Place {
    rt::Node* node = nullptr;
    std::vector<Channel> in;  // of kinds with a key: the sound, then the key
    std::vector<Channel> out;
    std::uint32_t size = 0;   // see rt::Step
  };

  explicit PlanBuilder(double sample_rate_hz = 48000.0, std::uint64_t id = 1) : rate_(sample_rate_hz), id_(id) {}

  [[nodiscard]] Channel channel() { return channel_count_++; }
  [[nodiscard]] std::vector<Channel> channels(std::size_t count) {
    std::vector<Channel> result(count);
    for (Channel& c : result) c = channel();
    return result;
  }

  /// One step of several nodes of one kind. Node i gets slot (number of nodes before), generation 1.
  void batch(std::vector<Place> places) { steps_.push_back(std::move(places)); }

  /// One step of one node; returns the channels that it writes.
  std::vector<Channel> node(rt::Node& node, std::vector<Channel> in, std::size_t out_count) {
    std::vector<Channel> out = channels(out_count);
    batch({{&node, std::move(in), out}});
    return out;
  }
  /// The same, written over its inputs.
  std::vector<Channel> in_place(rt::Node& node, std::vector<Channel> in) {
    batch({{&node, in, in}});
    return in;
  }

  [[nodiscard]] std::unique_ptr<rt::RenderPlan> build(std::uint32_t generation = 1) const {
    auto plan = std::make_unique<rt::RenderPlan>();
    plan->sample_rate_hz = rate_;
    plan->id = id_;
    std::size_t members = 0, ins = 0, outs = 0, floats = channel_count_ * rt::kSpanFrames, tile_lanes = 0;
    for (const auto& step : steps_) {
      std::size_t lanes = 0;
      for (const Place& p : step) {
        ++members;
        ins += p.in.size();
        outs += p.out.size();
        lanes += lanes_of(p);
      }
      tile_lanes += lanes;
      floats += (lanes + 15) / 16 * 16 * step.front().node->kind.row_count(size_of(step));
    }
    plan->slab = rt::make_aligned_floats(floats);
    plan->slab_floats = floats;
    std::fill_n(plan->slab.get(), floats, 1e30f);
    plan->members.reserve(members);
    plan->in_pointers.reserve(ins);
    plan->out_pointers.reserve(outs);
    plan->steps.reserve(steps_.size());
    plan->lane_in.reserve(tile_lanes);
    plan->lane_key.reserve(tile_lanes);
    plan->lane_out.reserve(tile_lanes);
    float* rows = plan->slab.get() + channel_count_ * rt::kSpanFrames;
    for (const auto& step : steps_) {
      rt::Step& s = plan->steps.emplace_back();
      s.kind = &step.front().node->kind;
      const std::size_t first = plan->members.size();
      for (const Place& p : step) {
        rt::Member& m = plan->members.emplace_back();
        m.node = p.node;
        m.in_count = static_cast<std::uint16_t>(p.in.size());
        m.out_count = static_cast<std::uint16_t>(p.out.size());
        m.first_lane = static_cast<std::uint16_t>(s.lanes);
        m.lanes = static_cast<std::uint16_t>(lanes_of(p));
        s.lanes += m.lanes;
        m.in = plan->in_pointers.data() + plan->in_pointers.size();
        m.out = plan->out_pointers.data() + plan->out_pointers.size();
        for (Channel c : p.in) plan->in_pointers.push_back(plan->slab.get() + c * rt::kSpanFrames);
        for (Channel c : p.out) plan->out_pointers.push_back(plan->slab.get() + c * rt::kSpanFrames);
        if (s.kind->in_tiles()) add_lanes(*plan, s, m);
        plan->nodes.push_back({p.node, &s, static_cast<std::uint32_t>(plan->members.size() - 1 - first), generation});
      }
      s.members = {plan->members.data() + first, step.size()};
      s.size = size_of(step);
      s.row_count = s.kind->row_count(s.size);
      s.rows = rows;
      rows += std::size_t{(s.lanes + 15) / 16 * 16} * s.row_count;
    }
    return plan;
  }

 private:
  static std::size_t lanes_of(const Place& p) {
    if (p.node->kind.in_tiles()) return p.out.size();
    return std::max<std::size_t>({p.in.size(), p.out.size(), 1});
  }
  static std::uint32_t size_of(const std::vector<Place>& step) {
    std::uint32_t size = 0;
    for (const Place& p : step) size = std::max(size, p.size);
    return size;
  }
  static void add_lanes(rt::RenderPlan& plan, rt::Step& s, const rt::Member& m) {
    if (m.first_lane == 0) {
      s.lane_in = plan.lane_in.data() + plan.lane_in.size();
      s.lane_out = plan.lane_out.data() + plan.lane_out.size();
      if (m.in_count > m.out_count) s.lane_key = plan.lane_key.data() + plan.lane_key.size();
    }
    for (std::uint32_t c = 0; c < m.out_count; ++c) {
      plan.lane_in.push_back(m.in[c]);
      plan.lane_out.push_back(m.out[c]);
      if (s.lane_key != nullptr) plan.lane_key.push_back(m.in[m.out_count + c]);
    }
  }

  double rate_;
  std::uint64_t id_;
  std::size_t channel_count_ = 0;
  std::vector<std::vector<Place>> steps_;
};

}  // namespace continuo::test
