// THREAD: control makes, audio runs - a node, and the kind whose kernel runs a batch of them
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/param.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

class NodeKind;
struct Counters;

/// One node's life across plans: its parameters and its state. The control thread makes it and hands it over inside a
/// plan; from then until the batch that dropped it has come home, only the audio thread touches it. Kinds with more
/// state derive from it.
struct Node {
  Node(const NodeKind& node_kind, Uid node_uid, std::size_t param_count) : kind(node_kind), uid(node_uid), params(param_count) {}
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const NodeKind& kind;
  const Uid uid;
  std::vector<Param> params;  // by index; see the kind's enum. Audio thread only, once handed over
};

/// A stretch of time in which nothing changes but by ramps: at most kBlockFrames frames, within one block.
/// A block begins at every grid point, every due command and every start, stop and locate; a device buffer that ends
/// inside a block cuts it into slices, and that must not be heard: kernels are slice-invariant.
struct Slice {
  FrameCount engine_frame = 0;    // of the slice's first frame
  FrameCount timeline_frame = 0;  // of the slice's first frame; stands still while not rolling
  std::uint32_t frames = 0;       // 1 to kBlockFrames
  std::uint32_t block_offset = 0; // frames of this block before this slice; 0: the block begins here
  std::uint32_t block_frames = 0; // to the next grid point, counted from the block's beginning
  bool rolling = false;
  double sample_rate_hz = 0.0;    // of the engine
  InputBlock device_in;           // the whole device buffer; this slice begins at device_offset
  OutputBlock device_out;
  std::uint32_t device_offset = 0;
  Counters* counters = nullptr;

  [[nodiscard]] FrameCount block_frame() const noexcept RT_NONBLOCKING { return engine_frame - block_offset; }
};

/// One node's place in a step. Its lanes are `first_lane` to `first_lane + max(in_count, out_count) - 1`.
struct Member {
  Node* node = nullptr;
  const float* const* in = nullptr;  // in_count channels of kBlockFrames samples, 64-byte aligned
  float* const* out = nullptr;       // out_count channels; never aliases `in` unless the kind is in_place
  std::uint16_t in_count = 0;
  std::uint16_t out_count = 0;
  std::uint16_t first_lane = 0;
};

/// Equal nodes that are ready together. The members' lanes number at most kMaxLanes, but for a node that alone is
/// wider. `rows` belongs to the plan: `kind.row_count()` rows of `row_stride` floats, one float a lane; kernels keep
/// coefficients there. Rows hold nothing that must survive the plan: they are worked out afresh in begin_block().
struct Step {
  const NodeKind* kind = nullptr;
  std::span<Member> members;
  float* rows = nullptr;
  std::uint32_t row_stride = 0;  // floats; a multiple of 16, at least the lanes
  std::uint32_t lanes = 0;
  bool moving = true;  // audio thread: begin_block() has work to do. Set by a new plan, a set parameter; cleared by the kind
  float* row(std::size_t i) const noexcept RT_NONBLOCKING { return rows + i * row_stride; }
};

/// A node kind: stateless, one object for all nodes of the kind, a batch kernel over lanes. Not a virtual call a node:
/// one a batch.
class NodeKind {
 public:
  constexpr explicit NodeKind(const char* name, std::uint32_t row_count = 0, bool in_place = false) noexcept
      : name_(name), row_count_(row_count), in_place_(in_place) {}
  virtual ~NodeKind() = default;

  /// At the beginning of a block, only while step.moving: work out the coefficient rows for this block from the
  /// members' parameters, and clear step.moving once none of them moves any more.
  virtual void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING;

  /// An action addressed to this member's node, other than set_param. `slice.frames` is not yet known. Returns false
  /// where the action means nothing to this kind. `source` / `sink` are exchanged in place.
  virtual bool act(Member& member, struct Action& action, const Slice& slice) const noexcept RT_NONBLOCKING;

  /// Render `slice.frames` frames of every member. Every sample of every `out` channel is written.
  virtual void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING = 0;

  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] std::uint32_t row_count() const noexcept { return row_count_; }
  [[nodiscard]] bool in_place() const noexcept { return in_place_; }

 private:
  const char* name_;
  std::uint32_t row_count_;
  bool in_place_;
};

}  // namespace continuo::rt
