#include "rt/nodes/player_fades.hpp"

#include <algorithm>
#include <utility>

namespace continuo::rt {
namespace {

/// The part of a sample that is faded in. Both are at most 512: the quotient of two such numbers.
[[nodiscard]] float part(std::uint32_t of, std::uint32_t whole) noexcept RT_NONBLOCKING {
  return of < whole ? static_cast<float>(of) / static_cast<float>(whole) : 1.0f;
}

/// The disk is late `at` frames into the slice: what sounded last goes to silence, without an edge.
void run_dry(PlayerNode::Audio& a, std::uint32_t at, const float* last, std::uint32_t channels) noexcept
    RT_NONBLOCKING {
  if (std::exchange(a.dry, true) || a.fade_frames == 0) return;
  a.tail.open(at + a.fade_frames);
  for (std::uint32_t c = 0; c < std::min(channels, a.tail.channels()); ++c) {
    float* const to = a.tail.channel(c) + at;
    for (std::uint32_t i = 0; i < a.fade_frames; ++i) to[i] += last[c] * part(a.fade_frames - 1 - i, a.fade_frames);
  }
}

}  // namespace

void cut_off(PlayerNode::Audio& a) noexcept RT_NONBLOCKING {
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

void soften(PlayerNode::Audio& a, const Member& m, const Slice& slice, const Stretch& sounded, Source& source) noexcept
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

}  // namespace continuo::rt
