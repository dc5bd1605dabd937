#include "rt/guard.hpp"

#include <algorithm>
#include <bit>

#include "rt/counters.hpp"
#include "rt/dsp/planar.hpp"

namespace continuo::rt {
namespace {

/// Of the members of a step, one bit each. A member with an output has a lane of its own, so that they are no more.
constexpr std::size_t kMostMembers = 64;
static_assert(kMaxLanes <= kMostMembers);

/// All ones in the exponent show in the largest magnitude, as an integer.
class Worst {
 public:
  void take(float x) noexcept RT_NONBLOCKING { most_ = std::max(most_, std::bit_cast<std::uint32_t>(x) & 0x7fffffffu); }
  [[nodiscard]] bool finite() const noexcept RT_NONBLOCKING { return most_ < 0x7f800000u; }

 private:
  std::uint32_t most_ = 0;
};

const float* tile_row(const Slice& slice, const Member& m) noexcept RT_NONBLOCKING {
  return slice.tile + (slice.frames - 1) * kMaxLanes + m.first_lane;
}

/// Of the last frame. In a packed step the sound is in the tile, a key is not.
bool finite_inputs(const Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
  Worst worst;
  std::uint32_t c = 0;
  if (step.packed)
    for (; c < std::min(m.in_count, m.out_count); ++c) worst.take(tile_row(slice, m)[c]);
  for (; c < m.in_count; ++c) worst.take(m.from(c, slice)[slice.frames - 1]);
  return worst.finite();
}

void take_outputs(const Step& step, const Member& m, const Slice& slice, Worst& worst) noexcept RT_NONBLOCKING {
  if (step.unpacks)
    for (std::uint32_t c = 0; c < m.out_count; ++c) worst.take(m.to(c, slice)[slice.frames - 1]);
  else
    for (std::uint32_t c = 0; c < m.out_count; ++c) worst.take(tile_row(slice, m)[c]);
}
bool finite_outputs(const Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
  Worst worst;
  take_outputs(step, m, slice, worst);
  return worst.finite();
}

/// The suspects that something came in to which was no number.
std::uint64_t find_victims(const Step& step, const Slice& slice) noexcept RT_NONBLOCKING {
  std::uint64_t victims = 0;
  for (std::size_t i = 0; i < std::min(step.members.size(), kMostMembers); ++i) {
    const Member& m = step.members[i];
    if (m.node->suspect && !finite_inputs(step, m, slice)) victims |= std::uint64_t{1} << i;
  }
  return victims;
}

void silence(const Step& step, const Member& m, const Slice& slice, std::uint32_t frames) noexcept RT_NONBLOCKING {
  if (step.unpacks)
    for (std::uint32_t c = 0; c < m.out_count; ++c) dsp::silence(m.to(c, slice), frames);
  if (!step.stays) return;
  for (std::uint32_t i = 0; i < frames; ++i)
    for (std::uint32_t c = 0; c < m.lanes; ++c) slice.tile[i * kMaxLanes + m.first_lane + c] = 0.0f;
}

/// A muted member goes on working, unheard, and forgets at every grid point: so it is new when it is heard again.
void hush(Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
  const FrameCount left = m.node->muted_until - slice.engine_frame;
  if (left <= 0) return;
  silence(step, m, slice, static_cast<std::uint32_t>(std::min<FrameCount>(left, slice.frames)));
  if (slice.ends_cell()) step.kind->forget(step, m);
}

void judge(Step& step, const Member& m, const Slice& slice, bool victim) noexcept RT_NONBLOCKING {
  if (!m.node->suspect) return;
  m.node->suspect = false;
  if (finite_outputs(step, m, slice)) return;  // it passed
  step.kind->forget(step, m);
  if (victim) return;
  const FrameCount end = slice.engine_frame + slice.frames;
  m.node->muted_until = end + static_cast<FrameCount>(slice.sample_rate_hz + 0.5);
  report_fault(*m.node, slice, m.node->muted_until);
}

void look(Step& step, const Slice& slice) noexcept RT_NONBLOCKING {
  Worst all;
  for (const Member& m : step.members) take_outputs(step, m, slice, all);
  if (all.finite()) return;
  for (const Member& m : step.members) m.node->suspect = !finite_outputs(step, m, slice);
  step.watched = true;
}

}  // namespace

void process_guarded(Step& step, const Slice& slice, bool looks) noexcept RT_NONBLOCKING {
  const bool judges = step.watched && slice.ends_cell();
  const std::uint64_t victims = judges ? find_victims(step, slice) : 0;
  step.kind->process(step, slice);
  if (step.watched) {
    for (std::size_t i = 0; i < step.members.size(); ++i) {
      hush(step, step.members[i], slice);
      if (judges) judge(step, step.members[i], slice, i >= kMostMembers || (victims >> i & 1u) != 0);
    }
    note_watched(step, slice.engine_frame + slice.frames);
  }
  if (looks && step.kind->guarded()) look(step, slice);
}

void note_watched(Step& step, FrameCount frame) noexcept RT_NONBLOCKING {
  step.watched = false;
  for (const Member& m : step.members) step.watched |= m.node->suspect || m.node->muted_until > frame;
}

void report_fault(const Node& node, const Slice& slice, FrameCount muted_until) noexcept RT_NONBLOCKING {
  slice.counters->node_faults.fetch_add(1, std::memory_order_relaxed);
  (void)slice.counters->faults.try_push(
      {.node = node.uid, .frame = slice.engine_frame + slice.frames, .muted_until = muted_until});
}

}  // namespace continuo::rt
