#include "rt/nodes/player.hpp"

#include <algorithm>
#include <utility>

#include "rt/command.hpp"
#include "rt/counters.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/nodes/level_rows.hpp"
#include "rt/prefetch.hpp"

namespace continuo::rt {
namespace {

constexpr std::uint32_t kMaxSourceChannels = 64;

/// A division takes as long as copying a block of one channel, which is what most sources have.
[[nodiscard]] std::size_t whole_frames(std::size_t samples, std::uint32_t channels) noexcept RT_NONBLOCKING {
  return channels == 1 ? samples : samples / channels;
}

/// Takes `frames` whole frames that are known to be in the ring and writes them to out[c][at...]. A ring of 2^n samples
/// may wrap in the middle of a frame of 3 channels.
void take(Source& source, const Member& m, const dsp::Kernels& kernels, std::uint32_t at, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  const std::uint32_t channels = source.channels;
  const std::uint32_t used = std::min<std::uint32_t>(channels, m.out_count);
  const std::size_t samples = std::size_t{frames} * channels;
  const auto [head, tail] = source.frames.view(samples);
  const auto whole = static_cast<std::uint32_t>(whole_frames(head.size(), channels));
  kernels.deinterleave(m.out, used, at, head.data(), channels, whole);
  std::uint32_t done = whole;
  std::size_t from = 0;
  if (const std::size_t left = head.size() - std::size_t{whole} * channels; left != 0) {
    float split[kMaxSourceChannels];
    from = channels - left;
    std::copy_n(head.data() + std::size_t{whole} * channels, left, split);
    std::copy_n(tail.data(), from, split + left);
    kernels.deinterleave(m.out, used, at + done, split, channels, 1);
    ++done;
  }
  if (done < frames) kernels.deinterleave(m.out, used, at + done, tail.data() + from, channels, frames - done);
  (void)source.frames.skip(samples);
  source.audio_.position += frames;
}

/// Frames of a slice, from its first on.
struct Stretch {
  std::uint32_t at = 0;
  std::uint32_t frames = 0;
};

/// Writes what the source has ready of the item's frames [first, first + slice.frames); says where. What it should have
/// had, and has not, is counted.
Stretch play(Source& source, const Member& m, FrameCount first, const Slice& slice) noexcept RT_NONBLOCKING {
  const FrameCount end = std::min(first + slice.frames, source.length);
  const FrameCount begin = std::max<FrameCount>(first, 0);
  if (begin >= end || source.channels == 0 || source.channels > kMaxSourceChannels) return {};

  if (source.audio_.position < begin) {  // late: what should have sounded already is dropped
    const auto late = static_cast<FrameCount>(whole_frames(source.frames.available(), source.channels));
    const FrameCount dropped = std::min(begin - source.audio_.position, late);
    (void)source.frames.skip(static_cast<std::size_t>(dropped) * source.channels);
    source.audio_.position += dropped;
  }
  Stretch sounded;
  FrameCount ahead = 0;
  if (source.audio_.position >= begin) {  // ahead, after a locate without a new source: silent until it is reached
    ahead = std::min(source.audio_.position, end) - begin;
    const std::size_t ready = source.frames.ready(static_cast<std::size_t>(end - begin - ahead) * source.channels);
    sounded = {static_cast<std::uint32_t>(begin - first + ahead),
               static_cast<std::uint32_t>(whole_frames(ready, source.channels))};
    if (sounded.frames > 0) take(source, m, *slice.kernels, slice.buffer_offset + sounded.at, sounded.frames);
  }
  const auto starved = static_cast<std::uint64_t>(end - begin - ahead - sounded.frames);
  if (starved == 0) return sounded;
  source.starved_frames.fetch_add(starved, std::memory_order_relaxed);
  slice.counters->starved_frames.fetch_add(starved, std::memory_order_relaxed);
  return sounded;
}

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
    for (std::uint32_t at = 0; at < kBlockFrames; at += 16) prefetch(next + at);
  }
}

class PlayerKind final : public NodeKind {
  using Rows = LevelRows<true>;

 public:
  constexpr PlayerKind() noexcept : NodeKind("player", Rows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    Rows::begin(step, slice, PlayerParam::gain_db);
  }

  bool act(Member& member, Action& action, const Slice&) const noexcept RT_NONBLOCKING override {
    auto& node = static_cast<PlayerNode&>(*member.node);
    switch (action.kind) {
      case Action::Kind::exchange_source:
        std::swap(node.audio_.source, action.source);
        if (node.audio_.source != nullptr) node.audio_.position = node.audio_.source->audio_.position;
        return true;
      case Action::Kind::player_start:
        if (!node.free) return false;
        if (node.audio_.source != nullptr) node.audio_.position = node.audio_.source->audio_.position;
        node.audio_.rolling = true;
        return true;
      case Action::Kind::player_stop:
        if (!node.free) return false;
        node.audio_.rolling = false;
        return true;
      default:
        return false;
    }
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    prefetch_all(step.members);
    for (const Member& m : step.members) {
      auto& node = static_cast<PlayerNode&>(*m.node);
      const bool rolling = node.free ? node.audio_.rolling : slice.rolling;
      const FrameCount first = node.free ? node.audio_.position : slice.timeline_frame - node.audio_.start;
      if (rolling && node.free) node.audio_.position += slice.frames;
      Source* const source = rolling ? node.audio_.source : nullptr;
      const Stretch sounded = source == nullptr ? Stretch{} : play(*source, m, first, slice);
      silence_rest(m, slice, sounded, source == nullptr ? 0 : source->channels);
      if (sounded.frames == 0) continue;
      Rows::apply(step, m, node.params[PlayerParam::gain_db], slice, m.out, m.out_count);
    }
  }
};

constinit const PlayerKind kPlayer;

}  // namespace

PlayerNode::PlayerNode(Uid node_uid, bool is_free, FrameCount timeline_start)
    : Node(kPlayer, node_uid, PlayerParam::count), free(is_free) {
  audio_.start = timeline_start;
}

const NodeKind& player_kind() noexcept { return kPlayer; }

}  // namespace continuo::rt
