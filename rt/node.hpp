// THREAD: control makes, audio runs - a node, and the kind whose kernel runs a batch of them
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/dsp/kernels.hpp"
#include "rt/param.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

class NodeKind;
struct Counters;
struct Step;

/// Where a node's lanes are: their rows hold what the kernel must remember of it.
struct LanePlace {
  const Step* step = nullptr;  // of the plan in use, or of the one that is just being replaced
  std::uint16_t first_lane = 0;
  std::uint16_t lanes = 0;
};

/// One node's life across plans: its parameters and its state. The control thread makes it and hands it over inside a
/// plan; from then until the batch that dropped it has come home, only the audio thread touches it. Kinds with more
/// state derive from it.
struct Node {
  Node(const NodeKind& node_kind, Uid node_uid, std::size_t param_count)
      : kind(node_kind), uid(node_uid), params(param_count) {}
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const NodeKind& kind;
  const Uid uid;
  std::vector<Param> params;  // by index; see the kind's enum. Audio thread only, once handed over

  /// Set by the control thread before the hand-over: a node of the same kind and size whose rows and parameters, ramps
  /// under way included, this one starts with, as they are when the plan is taken. It must be in that plan, or in the
  /// one before.
  const Node* inherits = nullptr;
  /// Audio thread, once the rows are in place.
  void take_heritage() noexcept RT_NONBLOCKING {
    if (inherits != nullptr && inherits->params.size() == params.size())
      std::copy(inherits->params.begin(), inherits->params.end(), params.begin());
    inherits = nullptr;
  }

  // Audio thread only, once handed over:
  LanePlace place;             // of its rows; no step: it was never in a plan
  bool moving = true;          // begin_block() has work to do for it: it is new, a parameter was set, or moves
  FrameCount worked_out = -1;  // engine frame of the block for which begin_block() did it last
  FrameCount entered = -1;     // engine frame at which its first plan was taken; below 0: none was
  FrameCount muted_until = 0;  // engine frame: before it the guard silences its outputs
  bool suspect = false;        // it gave what is no number: at the next grid point the guard judges it
};

/// A stretch of time in which nothing changes but by ramps: at most kBlockFrames frames, within one block.
/// A block begins at every grid point, due command and segment of an automation, and every start, stop and locate; a
/// device buffer that ends inside a block cuts it into slices, and that must not be heard: kernels are slice-invariant.
struct Slice {
  FrameCount engine_frame = 0;      // of the slice's first frame
  FrameCount timeline_frame = 0;    // of the slice's first frame; stands still while not rolling
  std::uint32_t frames = 0;         // 1 to kBlockFrames
  std::uint32_t block_offset = 0;   // frames of this block before this slice; 0: the block begins here
  std::uint32_t block_frames = 0;   // to the next grid point, counted from the block's beginning
  std::uint32_t buffer_offset = 0;  // where this slice begins in the plan's buffers
  bool rolling = false;
  double sample_rate_hz = 0.0;  // of the engine
  InputBlock device_in;         // the whole device buffer; this slice begins at device_offset
  OutputBlock device_out;
  std::uint32_t device_offset = 0;
  Counters* counters = nullptr;
  const dsp::Kernels* kernels = nullptr;
  float* tile = nullptr;  // scratch of whoever runs the step: two tiles, one behind the other

  [[nodiscard]] FrameCount block_frame() const noexcept RT_NONBLOCKING { return engine_frame - block_offset; }
  /// Engine frame of the last grid point: control-rate work is done for it and for the next, kBlockFrames later, so
  /// that no block that a command began in between can be told from the sound.
  [[nodiscard]] FrameCount cell_frame() const noexcept RT_NONBLOCKING {
    return block_frame() + static_cast<FrameCount>(block_frames) - static_cast<FrameCount>(kBlockFrames);
  }
  /// Frames from there to this slice.
  [[nodiscard]] std::uint32_t cell_offset() const noexcept RT_NONBLOCKING {
    return kBlockFrames - block_frames + block_offset;
  }
  /// The next frame is a grid point.
  [[nodiscard]] bool ends_cell() const noexcept RT_NONBLOCKING { return block_offset + frames == block_frames; }
};

/// One node's place in a step. Its lanes are `first_lane` to `first_lane + lanes - 1`; lanes is the larger of in_count
/// and out_count, for kinds that work in tiles out_count.
struct Member {
  Node* node = nullptr;
  const float* const* in = nullptr;  // in_count channels of a span's samples, 64-byte aligned
  float* const* out = nullptr;       // out_count channels; never aliases `in` unless the kind is in_place
  std::uint16_t in_count = 0;
  std::uint16_t out_count = 0;
  std::uint16_t first_lane = 0;
  std::uint16_t lanes = 0;

  /// The slice's samples of a channel.
  [[nodiscard]] const float* from(std::uint32_t c, const Slice& slice) const noexcept RT_NONBLOCKING {
    return in[c] + slice.buffer_offset;
  }
  [[nodiscard]] float* to(std::uint32_t c, const Slice& slice) const noexcept RT_NONBLOCKING {
    return out[c] + slice.buffer_offset;
  }
};

/// Equal nodes that are ready together. The members' lanes number at most kMaxLanes, but for a node that alone is
/// wider. Of each kMaxLanes lanes the plan holds `row_count` rows of floats, one float a lane, where kernels keep state
/// and coefficients. They belong to the node: whoever takes a plan brings each node's rows to its new place.
struct Step {
  const NodeKind* kind = nullptr;
  std::span<Member> members;
  float* rows = nullptr;
  std::uint32_t row_count = 0;
  std::uint32_t lanes = 0;
  std::uint32_t size = 0;  // the largest of the members' sizes, where nodes of a kind differ in rows (sections)
  // Of kinds that work in tiles: a pointer for each lane, and where the tile comes from and goes.
  const float* const* lane_in = nullptr;
  const float* const* lane_key = nullptr;  // of kinds with a detector; null: what comes in
  float* const* lane_out = nullptr;
  bool packed = false;  // the step before left this step's lanes in the tile
  bool stays = false;   // the next step takes them from there
  bool unpacks = true;  // somebody reads lane_out
  // Audio thread:
  bool moving = true;        // begin_block() has work to do. Set by a new plan, a set parameter; cleared by the kind
  bool watched = false;      // a member is muted, or suspect
  std::uint32_t notes[3]{};  // the kind's own, worked out by arrange() and begin_block()

  float* row(std::size_t r, std::size_t lane = 0) const noexcept RT_NONBLOCKING {
    return rows + ((lane / kMaxLanes) * row_count + r) * kMaxLanes + lane % kMaxLanes;
  }
};

/// A node kind: stateless, one object for all nodes of the kind, a batch kernel over lanes. Not a virtual call a node:
/// one a batch.
class NodeKind {
 public:
  constexpr explicit NodeKind(const char* name, std::uint32_t row_count = 0, bool in_place = false) noexcept
      : name_(name), row_count_(row_count), in_place_(in_place) {}
  virtual ~NodeKind() = default;

  /// Audio thread, when a plan was taken and its nodes' rows are in place: what of the step's own follows from who is
  /// in it.
  virtual void arrange(Step& step) const noexcept RT_NONBLOCKING;

  /// At the beginning of a block, only while step.moving: work out the coefficient rows for this block from the
  /// parameters of the members that are moving, and clear step.moving and theirs once none of them moves any more.
  virtual void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING;

  /// An action addressed to this member's node, other than set_param. `slice.frames` is not yet known. Returns false
  /// where the action means nothing to this kind. `source` / `sink` are exchanged in place.
  virtual bool act(Member& member, struct Action& action, const Slice& slice) const noexcept RT_NONBLOCKING;

  /// Render `slice.frames` frames of every member. Every sample of every `out` channel is written.
  virtual void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING = 0;

  /// Audio thread, at a grid point: what the member remembers of what it heard is as in a fresh one, so that nothing
  /// that is no number stays in it. Its parameters stay. There is no time here for a long memory: that must never take
  /// such a sample in (dsp/finite.hpp). As it is here: its rows, which begin_block() then works out again.
  virtual void forget(Step& step, const Member& member) const noexcept RT_NONBLOCKING;

  /// Nodes of this kind are muted, and named, where they give what is no number. False: they are part of a connection,
  /// or give no sound.
  [[nodiscard]] virtual bool guarded() const noexcept RT_NONBLOCKING { return true; }

  /// Any thread: how many rows a step needs whose largest member has this size.
  [[nodiscard]] virtual std::uint32_t row_count(std::uint32_t size) const noexcept;
  /// It works in tiles: the compiler may keep lanes there from one step to the next.
  [[nodiscard]] virtual bool in_tiles() const noexcept { return false; }

  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] bool in_place() const noexcept { return in_place_; }

 private:
  const char* name_;
  std::uint32_t row_count_;
  bool in_place_;
};

/// A kind whose kernel works on a tile. Members have as many lanes as outputs; inputs beyond those are a detector's
/// key.
class TileKind : public NodeKind {
 public:
  constexpr explicit TileKind(const char* name, std::uint32_t row_count = 0) noexcept
      : NodeKind(name, row_count, true) {}

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override;
  [[nodiscard]] bool in_tiles() const noexcept override { return true; }

 protected:
  /// At most kMaxLanes lanes from `first_lane` on; `tile` holds their samples and takes the result.
  virtual void process_tile(Step& step, const Slice& slice, std::uint32_t first_lane, std::uint32_t lanes,
                            float* tile) const noexcept RT_NONBLOCKING = 0;
};

}  // namespace continuo::rt
