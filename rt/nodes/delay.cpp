#include "rt/nodes/delay.hpp"

#include <algorithm>
#include <cstddef>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/nodes/level_rows.hpp"
#include "rt/nodes/wet_mix.hpp"
#include "rt/render_plan.hpp"

namespace continuo::rt {
namespace {

struct DelayNode final : Node {
  DelayNode(Uid node_uid, std::uint32_t channel_count, std::uint32_t most)
      : Node(delay_kind(), node_uid, DelayParam::count),
        channels(channel_count),
        max_frames(std::min(most, kMaxDelayFrames)),
        capacity(max_frames + 1) {
    audio_.rings = make_aligned_floats(std::size_t{channels} * capacity);
  }
  const std::uint32_t channels;
  const std::uint32_t max_frames;
  const std::uint32_t capacity;
  struct {
    AlignedFloats rings;        // channel by channel
    std::uint32_t at = 0;       // where the next sample goes
    std::uint32_t frames = 0;   // the head that sounds, or that fades out
    std::uint32_t next = 0;     // the one that fades in
    FrameCount fade_begin = 0;  // counts while next != frames
    bool fresh = true;
  } audio_;
};

class DelayKind final : public NodeKind {
 public:
  constexpr DelayKind() noexcept : NodeKind("delay", 0, true) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return follow(node_of(m), slice); });
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      DelayNode& node = node_of(m);
      const std::vector<Param>& p = node.params;
      const WetMix mix(p[DelayParam::dry_db], p[DelayParam::wet_db], p[DelayParam::bypass], slice);
      alignas(64) float feedback[kBlockFrames];
      dsp::linear_ramp(p[DelayParam::feedback], slice.engine_frame, slice.frames, feedback);
      const std::uint32_t channels = std::min<std::uint32_t>({m.in_count, m.out_count, node.channels});
      for (std::uint32_t done = 0; done < slice.frames;) {
        if (faded(node, slice.engine_frame + done)) node.audio_.frames = node.audio_.next;
        const std::uint32_t count = stretch(node, slice, done);
        for (std::uint32_t c = 0; c < channels; ++c)
          run(node, slice, c, m.from(c, slice) + done, m.to(c, slice) + done, done, count, feedback + done, mix);
        node.audio_.at = wrapped(node, node.audio_.at + count);
        done += count;
      }
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    }
  }

 private:
  static DelayNode& node_of(const Member& m) noexcept RT_NONBLOCKING { return static_cast<DelayNode&>(*m.node); }

  static std::uint32_t frames_of(const DelayNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    const double ms = node.params[DelayParam::time_ms].at(slice.block_frame());
    const double frames = ms * slice.sample_rate_hz / 1000.0 + 0.5;
    return frames > 0.0 ? static_cast<std::uint32_t>(std::min(frames, static_cast<double>(node.max_frames))) : 0;
  }

  static bool follow(DelayNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    auto& audio = node.audio_;
    const FrameCount now = slice.block_frame();
    const std::uint32_t wanted = frames_of(node, slice);
    if (audio.fresh) {
      audio.fresh = false;
      audio.frames = audio.next = wanted;
    }
    if (faded(node, now)) audio.frames = audio.next;
    // On the grid only: another node's command, which begins a block too, must not be heard here.
    if (audio.frames == audio.next && wanted != audio.frames && slice.cell_frame() == now) {
      audio.next = wanted;
      audio.fade_begin = now;
    }
    return audio.frames != wanted || audio.frames != audio.next || any_moving(node, now);
  }

  static bool faded(const DelayNode& node, FrameCount frame) noexcept RT_NONBLOCKING {
    return frame - node.audio_.fade_begin >= static_cast<FrameCount>(kDelayFadeFrames);
  }
  static std::uint32_t wrapped(const DelayNode& node, std::uint32_t at) noexcept RT_NONBLOCKING {
    return at < node.capacity ? at : at - node.capacity;
  }
  static std::uint32_t head(const DelayNode& node, std::uint32_t delay) noexcept RT_NONBLOCKING {
    return wrapped(node, node.audio_.at + node.capacity - delay);
  }

  /// How far all goes straight on: no end of the memory, of the fade, and nothing comes out that goes in meanwhile.
  static std::uint32_t stretch(const DelayNode& node, const Slice& slice, std::uint32_t done) noexcept RT_NONBLOCKING {
    const auto& audio = node.audio_;
    std::uint32_t count = std::min(slice.frames - done, node.capacity - audio.at);
    const auto bound = [&](std::uint32_t delay) noexcept RT_NONBLOCKING {
      if (delay != 0) count = std::min({count, delay, node.capacity - head(node, delay)});
    };
    bound(audio.frames);
    if (audio.next == audio.frames) return count;
    bound(audio.next);
    const FrameCount left = audio.fade_begin + static_cast<FrameCount>(kDelayFadeFrames) - slice.engine_frame - done;
    return static_cast<std::uint32_t>(std::min<FrameCount>(count, left));
  }

  static void run(DelayNode& node, const Slice& slice, std::uint32_t channel, const float* in, float* out,
                  std::uint32_t done, std::uint32_t count, const float* feedback, const WetMix& mix) noexcept
      RT_NONBLOCKING {
    const auto& audio = node.audio_;
    float* const ring = audio.rings.get() + std::size_t{channel} * node.capacity;
    float* const write = ring + audio.at;
    const std::uint32_t old_delay = audio.frames, new_delay = audio.next;
    const float* const old_head = old_delay == 0 ? in : ring + head(node, old_delay);
    alignas(64) float back[kBlockFrames],
        sound[kBlockFrames];  // without and with a head at 0, which must not feed back
    if (old_delay == new_delay) {
      std::copy_n(old_head, count, sound);
      if (old_delay == 0)
        dsp::silence(back, count);
      else
        std::copy_n(sound, count, back);
    } else {
      const float* const new_head = new_delay == 0 ? in : ring + head(node, new_delay);
      const auto position = static_cast<std::int32_t>(slice.engine_frame + done - audio.fade_begin);
      for (std::uint32_t i = 0; i < count; ++i) {
        const float x =
            static_cast<float>(position + static_cast<std::int32_t>(i)) * (1.0f / static_cast<float>(kDelayFadeFrames));
        const float before = old_head[i] * (1.0f - x), after = new_head[i] * x;
        sound[i] = before + after;
        back[i] = (old_delay == 0 ? 0.0f : before) + (new_delay == 0 ? 0.0f : after);
      }
    }
    for (std::uint32_t i = 0; i < count; ++i) back[i] = in[i] + back[i] * feedback[i];
    mix.apply(out, in, sound, done, count);
    dsp::copy_finite(write, back, count);
  }
};

constinit const DelayKind kDelay;

}  // namespace

const NodeKind& delay_kind() noexcept { return kDelay; }

Node* make_delay(Uid uid, std::uint32_t channels, std::uint32_t max_frames) {
  return new DelayNode(uid, channels, max_frames);
}

}  // namespace continuo::rt
