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

using Audio = decltype(PlayerNode::audio_);

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
  std::uint32_t starved = 0;  // behind them
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
  sounded.starved = static_cast<std::uint32_t>(starved);
  if (starved == 0) return sounded;
  if (sounded.frames == 0) sounded.at = static_cast<std::uint32_t>(begin - first + ahead);
  source.starved_frames.fetch_add(starved, std::memory_order_relaxed);
  slice.counters->starved_frames.fetch_add(starved, std::memory_order_relaxed);
  return sounded;
}

/// The part of a sample that is faded in. Both are at most 512: the quotient of two such numbers.
[[nodiscard]] float part(std::uint32_t of, std::uint32_t whole) noexcept RT_NONBLOCKING {
  return of < whole ? static_cast<float>(of) / static_cast<float>(whole) : 1.0f;
}

/// What was to sound next fades out. Its frames stay in the ring: a stop goes on from there later.
void cut_off(Audio& a) noexcept RT_NONBLOCKING {
  a.running = a.steady = false;
  Source* const source = a.source;
  if (a.fade_frames == 0 || source == nullptr || a.dry || source->audio_.position != a.next) return;
  const std::uint32_t channels = source->channels;
  if (a.next < 0 || channels == 0 || channels > kMaxSourceChannels) return;
  const FrameCount left = std::max<FrameCount>(source->length - a.next, 0);
  const auto wanted = static_cast<std::uint32_t>(std::min<FrameCount>(a.fade_frames, left));
  const auto [head, rest] = source->frames.view(std::size_t{wanted} * channels);
  const auto ready = static_cast<std::uint32_t>(whole_frames(head.size() + rest.size(), channels));
  const std::uint32_t fade = ready < wanted ? ready : a.fade_frames;  // the item may end before the fade does
  const float level = part(a.faded_in, a.fade_frames);
  a.tail.open(ready);
  for (std::uint32_t c = 0; c < std::min(channels, a.tail.channels()); ++c) {
    float* const to = a.tail.channel(c);
    std::size_t from = c;
    for (std::uint32_t i = 0; i < ready; ++i, from += channels) {
      const float sample = from < head.size() ? head[from] : rest[from - head.size()];
      to[i] += sample * (level * part(fade - 1 - i, fade));
    }
  }
}

/// The disk is late `at` frames into the slice: what sounded last goes to silence, without an edge.
void run_dry(Audio& a, std::uint32_t at, const float* last, std::uint32_t channels) noexcept RT_NONBLOCKING {
  if (std::exchange(a.dry, true) || a.fade_frames == 0) return;
  a.tail.open(at + a.fade_frames);
  for (std::uint32_t c = 0; c < std::min(channels, a.tail.channels()); ++c) {
    float* const to = a.tail.channel(c) + at;
    for (std::uint32_t i = 0; i < a.fade_frames; ++i) to[i] += last[c] * part(a.fade_frames - 1 - i, a.fade_frames);
  }
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

/// The edges of what sounded: it fades in where it began in the middle of its item, and gives way to silence where the
/// disk is late.
void soften(Audio& a, const Member& m, const Slice& slice, const Stretch& sounded, Source& source) noexcept
    RT_NONBLOCKING {
  const std::uint32_t channels = std::min<std::uint32_t>(source.channels, m.out_count);
  if (sounded.frames > 0) {
    if (std::exchange(a.dry, false)) a.faded_in = 0;
    const std::uint32_t fading = std::min(a.fade_frames - a.faded_in, sounded.frames);
    for (std::uint32_t c = 0; fading > 0 && c < channels; ++c) {
      float* const out = m.to(c, slice) + sounded.at;
      for (std::uint32_t i = 0; i < fading; ++i) out[i] *= part(a.faded_in + i + 1, a.fade_frames);
    }
    a.faded_in += fading;
    if (source.frames.ready(1) == 0) {
      const std::uint32_t end = sounded.at + sounded.frames - 1;
      for (std::uint32_t c = 0; c < std::min<std::size_t>(channels, a.last.size()); ++c)
        a.last[c] = m.to(c, slice)[end];
    }
  }
  if (sounded.starved > 0) run_dry(a, sounded.at + sounded.frames, a.last.data(), channels);
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

/// Where it is when it has sounded all before item frame `at`, or will.
void publish(Audio& a, FrameCount at, bool rolling, FrameCount engine_frame) noexcept RT_NONBLOCKING {
  using State = PlayReading::State;
  PlayReading r{.engine_frame = engine_frame, .length = a.source->length};
  r.state = !rolling ? State::stopped : at < 0 ? State::waiting : a.dry ? State::late : State::playing;
  const FrameCount place = std::max<FrameCount>(at, 0);
  if (const PlayTable* const table = a.source->table) {
    if (place < a.item_begin || place >= a.item_until) {
      const PlayTable::Place found = table->find(place);
      a.row = found.row;
      a.item_begin = found.begin;
      a.item_until = found.until;
    }
    r.revision = table->revision;
    r.count = table->count;
    r.length = table->length;
    r.position = a.row == nullptr ? table->end : a.row->before + (place - a.item_begin);
    if (a.row != nullptr) {
      r.item = a.row->uid;
      r.number = a.row->number;
      r.item_position = place - a.item_begin;
      r.item_frames = a.row->frames;
    }
  } else {
    r.position = place;
  }
  r.position = std::min(r.position, r.length);
  if (rolling && (a.source->table != nullptr ? a.row == nullptr : place >= r.length)) r.state = State::ended;
  a.slot->publish(r);
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
