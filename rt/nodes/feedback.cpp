#include "rt/nodes/feedback.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"

namespace continuo::rt {
namespace {

/// The samples of kSpanFrames frames from engine frame n on are written where no frame of n to n + kSpanFrames reads.
struct FeedbackLine {
  FeedbackLine(std::uint32_t channel_count, std::uint32_t frame_count)
      : channels(channel_count),
        frames(std::max(frame_count, kLeastFeedbackFrames)),
        length(frames + kSpanFrames),
        rings(make_aligned_floats(std::size_t{channels} * length)) {}

  /// Calls visit(ring position, offset in the slice, count) for the stretches of a slice that begins at `frame`.
  template <class Visit>
  void for_each_stretch(FrameCount frame, std::uint32_t count, Visit&& visit) const noexcept RT_NONBLOCKING {
    auto at = static_cast<std::uint32_t>(frame % static_cast<FrameCount>(length));
    for (std::uint32_t done = 0; done < count;) {
      const std::uint32_t n = std::min(count - done, length - at);
      visit(at, done, n);
      done += n;
      at = at + n == length ? 0 : at + n;
    }
  }
  [[nodiscard]] float* ring(std::uint32_t channel) const noexcept RT_NONBLOCKING {
    return rings.get() + std::size_t{channel} * length;
  }

  const std::uint32_t channels;
  const std::uint32_t frames;
  const std::uint32_t length;
  const AlignedFloats rings;  // channel by channel; by engine frame
};

struct FeedbackOutNode final : Node {
  FeedbackOutNode(Uid node_uid, std::uint32_t channels, std::uint32_t frames)
      : Node(feedback_out_kind(), node_uid, 0), line(std::make_shared<FeedbackLine>(channels, frames)) {}
  const std::shared_ptr<FeedbackLine> line;
};
struct FeedbackInNode final : Node {
  FeedbackInNode(Uid node_uid, const Node& out)
      : Node(feedback_in_kind(), node_uid, 0), line(static_cast<const FeedbackOutNode&>(out).line) {}
  const std::shared_ptr<FeedbackLine> line;
};

class FeedbackOutKind final : public NodeKind {
 public:
  constexpr FeedbackOutKind() noexcept : NodeKind("feedback_out") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      const FeedbackLine& line = *static_cast<FeedbackOutNode&>(*m.node).line;
      const std::uint32_t channels = std::min<std::uint32_t>(m.out_count, line.channels);
      line.for_each_stretch(slice.engine_frame + kSpanFrames, slice.frames,
                            [&](std::uint32_t at, std::uint32_t offset, std::uint32_t count) noexcept RT_NONBLOCKING {
                              for (std::uint32_t c = 0; c < channels; ++c) {
                                std::copy_n(line.ring(c) + at, count, m.to(c, slice) + offset);
                                // Nobody may write any more: then what comes next is silence, and not the past again.
                                dsp::silence(line.ring(c) + at, count);
                              }
                            });
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    }
  }
};

class FeedbackInKind final : public NodeKind {
 public:
  constexpr FeedbackInKind() noexcept : NodeKind("feedback_in") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      const FeedbackLine& line = *static_cast<FeedbackInNode&>(*m.node).line;
      const std::uint32_t channels = std::min<std::uint32_t>(m.in_count, line.channels);
      line.for_each_stretch(slice.engine_frame, slice.frames,
                            [&](std::uint32_t at, std::uint32_t offset, std::uint32_t count) noexcept RT_NONBLOCKING {
                              for (std::uint32_t c = 0; c < channels; ++c)
                                dsp::copy_finite(line.ring(c) + at, m.from(c, slice) + offset, count);
                            });
    }
  }
};

constinit const FeedbackOutKind kFeedbackOut;
constinit const FeedbackInKind kFeedbackIn;

}  // namespace

const NodeKind& feedback_out_kind() noexcept { return kFeedbackOut; }
const NodeKind& feedback_in_kind() noexcept { return kFeedbackIn; }

Node* make_feedback_out(Uid uid, std::uint32_t channels, std::uint32_t frames) {
  return new FeedbackOutNode(uid, channels, frames);
}
Node* make_feedback_in(Uid uid, const Node& out) { return new FeedbackInNode(uid, out); }

}  // namespace continuo::rt
