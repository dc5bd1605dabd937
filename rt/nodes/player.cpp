#include "rt/nodes/player.hpp"

#include <algorithm>
#include <utility>

#include "rt/command.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/nodes/level_rows.hpp"
#include "rt/nodes/player_fades.hpp"
#include "rt/nodes/player_reading.hpp"
#include "rt/nodes/player_sound.hpp"
#include "rt/prefetch.hpp"

namespace continuo::rt {
namespace {

using Audio = PlayerNode::Audio;

/// Around what sounded, and on the channels that the source has not.
void silence_rest(const Member& m, const Slice& slice, Stretch sounded, std::uint32_t channels) noexcept
    RT_NONBLOCKING {
  for (std::uint32_t c = 0; c < m.out_count; ++c) {
    float* const out = m.to(c, slice);
    const std::uint32_t at = c < channels ? sounded.at : 0;
    const std::uint32_t end = c < channels ? sounded.at + sounded.frames : 0;
    if (at > 0) dsp::silence(out, at);
    if (end < slice.frames) dsp::silence(out + end, slice.frames - end);
  }
}

const PlayerNode& player(const Member& member) noexcept RT_NONBLOCKING {
  return static_cast<const PlayerNode&>(*member.node);
}

/// One block of one channel is four cache lines.
void prefetch_all(std::span<const Member> members) noexcept RT_NONBLOCKING {
  for (const Member& m : members) prefetch(&player(m).audio_);
  for (const Member& m : members) prefetch(player(m).audio_.source);
  for (const Member& m : members) {
    const Source* const source = player(m).audio_.source;
    if (source == nullptr) continue;
    const float* const next = source->frames.next();
    if (next == nullptr) continue;
    for (std::uint32_t at = 0; at < kBlockFrames; at += 16) prefetch(next + at);
  }
}

/// It is asked for the item's next frames.
void roll(PlayerNode& node, FrameCount first, std::uint32_t frames) noexcept RT_NONBLOCKING {
  Audio& a = node.audio_;
  if (!std::exchange(a.running, true)) {
    a.dry = a.steady = false;
    a.faded_in = first > 0 ? 0 : a.fade_frames;
    std::fill(a.last.begin(), a.last.end(), 0.0f);
  }
  a.next = first + frames;
  if (a.free) a.position = a.next;
}

void exchange(PlayerNode& node, Action& action) noexcept RT_NONBLOCKING {
  Audio& a = node.audio_;
  const Source* const next = action.source;
  const bool joins = next != nullptr && next->joins.on;
  const FrameCount shift = joins && a.free ? next->joins.shift : 0;
  if (joins && a.running && a.next <= next->joins.same_until)
    a.next += shift;
  else if (a.running)
    cut_off(a);
  a.fade_frames = std::min(action.ramp_frames, FadeTail::kMostFrames);
  a.faded_in = std::min(a.faded_in, a.fade_frames);
  std::swap(a.source, action.source);
  a.steady = false;
  a.slot = next != nullptr && next->told ? node.slot.get() : nullptr;
  a.item_begin = a.item_until = 0;
  if (joins)
    a.position += shift;
  else if (next != nullptr)
    a.position = next->audio_.position;
}

class PlayerKind final : public NodeKind {
  using Rows = LevelRows<true>;

 public:
  constexpr PlayerKind() noexcept : NodeKind("player", Rows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    Rows::begin(step, slice, PlayerParam::gain_db);
  }

  bool act(Member& member, Action& action, const Slice& slice) const noexcept RT_NONBLOCKING override {
    auto& node = static_cast<PlayerNode&>(*member.node);
    Audio& a = node.audio_;
    switch (action.kind) {
      case Action::Kind::exchange_source:
        exchange(node, action);
        break;
      case Action::Kind::player_start:
        if (!a.free) return false;
        if (a.source != nullptr) a.position = a.source->audio_.position;
        a.rolling = true;
        break;
      case Action::Kind::player_stop:
        if (!a.free) return false;
        a.rolling = false;
        break;
      default:
        return false;
    }
    // Whoever is told that this was applied finds it here.
    if (a.slot != nullptr) publish(a, place_of(a, slice), rolls(a, slice), slice.engine_frame);
    return true;
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    prefetch_all(step.members);
    for (const Member& m : step.members) {
      auto& node = static_cast<PlayerNode&>(*m.node);
      Audio& a = node.audio_;
      const bool rolling = rolls(a, slice);
      const FrameCount first = place_of(a, slice);
      if (!rolling || !a.steady || first != a.next || !play_on(step, m, node, slice))
        play_any(step, m, node, slice, rolling, first);
      if (a.slot != nullptr)
        publish(a, rolling ? first + slice.frames : first, rolling, slice.engine_frame + slice.frames);
    }
  }

 private:
  [[nodiscard]] static bool rolls(const Audio& a, const Slice& slice) noexcept RT_NONBLOCKING {
    return a.free ? a.rolling : slice.rolling;
  }
  [[nodiscard]] static FrameCount place_of(const Audio& a, const Slice& slice) noexcept RT_NONBLOCKING {
    return a.free ? a.position : slice.timeline_frame - a.start;
  }

  /// Nothing begins, ends or fades: the next frames are in the ring, and more behind them. False, and nothing was done,
  /// where that is not so. The same samples as play_any(), by the shorter way.
  static bool play_on(Step& step, const Member& m, PlayerNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    Audio& a = node.audio_;
    Source& source = *a.source;
    const std::size_t samples = std::size_t{slice.frames} * source.channels;
    if (source.audio_.position != a.next || source.channels != m.out_count || a.next + slice.frames > source.length ||
        source.frames.ready(samples + 1) <= samples)
      return false;
    a.next += slice.frames;
    if (a.free) a.position = a.next;
    const Param& level = node.params[PlayerParam::gain_db];
    if (source.channels == 1 && !Rows::moves(step, m)) {
      const auto [head, rest] = source.frames.view(samples);
      const float factor = *step.row(0, m.first_lane);
      float* const out = m.to(0, slice);
      slice.kernels->scale(out, head.data(), factor, static_cast<std::uint32_t>(head.size()));
      if (!rest.empty())
        slice.kernels->scale(out + head.size(), rest.data(), factor, static_cast<std::uint32_t>(rest.size()));
      (void)source.frames.skip(samples);
      source.audio_.position = a.next;
      return true;
    }
    take(source, m, *slice.kernels, slice.buffer_offset, slice.frames);
    Rows::apply(step, m, level, slice, m.out, m.out_count);
    return true;
  }

  static void play_any(Step& step, const Member& m, PlayerNode& node, const Slice& slice, bool rolling,
                       FrameCount first) noexcept RT_NONBLOCKING {
    Audio& a = node.audio_;
    if (a.running && !(rolling && first == a.next)) cut_off(a);
    if (rolling) roll(node, first, slice.frames);
    Source* const source = rolling ? a.source : nullptr;
    const Stretch sounded = source == nullptr ? Stretch{} : play(*source, m, first, slice);
    silence_rest(m, slice, sounded, source == nullptr ? 0 : source->channels);
    if (source != nullptr) soften(a, m, slice, sounded, *source);
    if (sounded.frames == 0 && a.tail.empty()) return;
    a.tail.sound(m.out, m.out_count, slice.buffer_offset, slice.frames);
    Rows::apply(step, m, node.params[PlayerParam::gain_db], slice, m.out, m.out_count);
    a.steady = sounded.frames == slice.frames && a.tail.empty() && !a.dry && a.faded_in == a.fade_frames;
  }
};

constinit const PlayerKind kPlayer;

}  // namespace

PlayerNode::PlayerNode(Uid node_uid, bool is_free, FrameCount timeline_start, std::uint32_t channels)
    : Node(kPlayer, node_uid, PlayerParam::count),
      audio_{.free = is_free, .tail = FadeTail(channels), .last = std::vector<float>(channels)} {
  audio_.start = timeline_start;
}

const NodeKind& player_kind() noexcept { return kPlayer; }

}  // namespace continuo::rt
