// THREAD: audio - one device buffer: take commands, cut it into slices, run the plan, publish the clocks
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/command.hpp"
#include "rt/counters.hpp"
#include "rt/event.hpp"
#include "rt/node.hpp"
#include "rt/render_plan.hpp"
#include "rt/spsc_ring.hpp"
#include "rt/timeline.hpp"

namespace continuo::rt {

/// Owned by whoever drives it (the engine for a device, a render job offline); process() is its whole life on the audio
/// thread. Every slice goes the same way: take due commands (a batch's plan first), begin the block, run the steps.
///
/// A command without a frame, or with one in the past, is applied at the first frame of the next buffer; one with a
/// later frame waits in the schedule (bounded; the loser is the newcomer: Event::refused) and is applied at that sample.
class Renderer {
 public:
  static constexpr std::size_t kScheduleCapacity = 4096;

  /// Control thread. The event ring must hold at least kScheduleCapacity + 1 events. No sample depends on `kernels`.
  Renderer(RingReader<Command> commands, RingWriter<Event> events, double sample_rate_hz,
           const dsp::Kernels& kernels = dsp::chosen_kernels());

  /// Audio thread. Renders `frames` frames (any number) from `in` to every channel of `out`. Sets FTZ and DAZ for its
  /// duration.
  void process(InputBlock in, OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// Control thread, while no device drives the renderer (between two devices): the rate from the next buffer on.
  void set_sample_rate(double hz) noexcept;

  /// Any thread.
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  /// Control thread, after the last process(): what is still held, to be destroyed. Every queued or scheduled batch
  /// and the plan in use.
  struct Remains {
    std::vector<Batch*> batches;
    RenderPlan* plan = nullptr;
  };
  [[nodiscard]] Remains dismantle();

 private:
  void take_commands(Slice& at) noexcept RT_NONBLOCKING;
  void apply_due(Slice& at) noexcept RT_NONBLOCKING;
  void apply(Command& command, Slice& at) noexcept RT_NONBLOCKING;
  [[nodiscard]] bool apply(Action& action, Slice& at) noexcept RT_NONBLOCKING;
  [[nodiscard]] bool apply_to_node(Action& action, const Slice& at) noexcept RT_NONBLOCKING;
  void take_plan(Batch& batch) noexcept RT_NONBLOCKING;
  void schedule(const Command& command) noexcept RT_NONBLOCKING;
  void answer(const Command& command, Event::Kind kind) noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint32_t slice_frames(std::uint32_t left) const noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint32_t gather_span(Slice slice, std::uint32_t left) noexcept RT_NONBLOCKING;
  void adopt(Step& step) noexcept RT_NONBLOCKING;
  void bring_rows(const Step& step, const Member& m) noexcept RT_NONBLOCKING;
  void run() noexcept RT_NONBLOCKING;
  void run_part(std::span<Step> steps, std::span<const Slice> slices) noexcept RT_NONBLOCKING;
  void finish_output(const Slice& slice) noexcept RT_NONBLOCKING;
  void publish_clock() noexcept RT_NONBLOCKING;

  /// The most slices of a span: whole blocks, and a piece at either end.
  static constexpr std::uint32_t kSpanSlices = kSpanFrames / kBlockFrames + 2;

  Counters counters_;
  alignas(64) float tile_[2 * dsp::kTileFloats] = {};
  struct {
    RingReader<Command> commands;
    RingWriter<Event> events;
    RenderPlan* plan = nullptr;
    Timeline timeline;
    FrameCount engine_frame = 0;
    FrameCount block_begin = 0;        // engine frame
    std::uint32_t block_frames = 0;    // planned; 0: a new block is due
    std::uint64_t applied_sequence = 0;
    double sample_rate_hz = 0.0;
    const dsp::Kernels* kernels = nullptr;
    Slice span[kSpanSlices];
    std::uint32_t span_slices = 0;
    Param output_level{1.0};           // linear; ramps per sample at the device output alone
    std::vector<Command> schedule;     // a heap, the earliest (frame, sequence) first; kScheduleCapacity, never grows
    std::size_t scheduled = 0;
  } audio_;
};

}  // namespace continuo::rt
