// THREAD: audio - one device buffer: take commands, cut it into slices, run the plan, publish the clocks
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/automation.hpp"
#include "rt/command.hpp"
#include "rt/counters.hpp"
#include "rt/device_output.hpp"
#include "rt/event.hpp"
#include "rt/node.hpp"
#include "rt/render_plan.hpp"
#include "rt/run_plan.hpp"
#include "rt/schedule.hpp"
#include "rt/spsc_ring.hpp"
#include "rt/team.hpp"
#include "rt/timeline.hpp"

namespace continuo::rt {

/// Owned by whoever drives it (the engine for a device, a render job offline); process() is its whole life on the audio
/// thread. Every slice goes the same way: take due commands (a batch's plan first), begin the block, run the steps.
///
/// A command without a frame, or with one in the past, is applied at the first frame of the next buffer; one with a
/// later frame waits in the schedule (bounded; the loser is the newcomer: Event::refused) and is applied at that
/// sample.
class Renderer {
 public:
  static constexpr std::size_t kScheduleCapacity = 4096;
  /// Parameters that follow the timeline at once; the loser is the newcomer, which stays where it is and is counted.
  static constexpr std::size_t kAutomationCapacity = 4096;

  /// Control thread. The event ring must hold at least kScheduleCapacity + 1 events. No sample depends on `kernels`.
  Renderer(RingReader<Command> commands, RingWriter<Event> events, double sample_rate_hz,
           const dsp::Kernels& kernels = dsp::chosen_kernels());

  /// Audio thread. Renders `frames` frames (any number) from `in` to every channel of `out`. Sets FTZ and DAZ for its
  /// duration.
  void process(InputBlock in, OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// Control thread, while no device drives the renderer (between two devices): the rate from the next buffer on.
  void set_sample_rate(double hz) noexcept;

  /// Control thread, while nobody is inside process(): it runs plans that are cut into tasks from now on; null: nobody
  /// but the caller of process() does. No sample depends on it. It must outlive the last process().
  void use_team(Team* team) noexcept { team_ = team; }

  /// Any thread.
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  /// Control thread: the reader's end.
  [[nodiscard]] FaultLog& faults() noexcept { return counters_.faults; }

  /// Control thread, while no device drives the renderer: see DeviceOutput. A linear factor.
  void set_ceiling(float ceiling) noexcept { audio_.output.set_ceiling(ceiling); }

  /// What must be resident before process() runs. Whoever owns the renderer locks it; all of it was touched when made.
  [[nodiscard]] std::vector<std::span<const std::byte>> memory() const;

  /// Control thread, after the last process(): what is still held, to be destroyed. Every queued or scheduled batch
  /// and the plan in use.
  struct Remains {
    std::vector<Batch*> batches;
    RenderPlan* plan = nullptr;
  };
  [[nodiscard]] Remains dismantle();

 private:
  void take_commands(Slice& at) noexcept RT_NONBLOCKING;
  void apply_due(Slice& at, FrameCount until) noexcept RT_NONBLOCKING;
  void apply(Command& command, Slice& at) noexcept RT_NONBLOCKING;
  [[nodiscard]] bool apply(Action& action, Slice& at) noexcept RT_NONBLOCKING;
  [[nodiscard]] bool apply_to_node(Action& action, const Slice& at) noexcept RT_NONBLOCKING;
  void take_plan(Batch& batch) noexcept RT_NONBLOCKING;
  void schedule(const Command& command) noexcept RT_NONBLOCKING;
  void answer(const Command& command, Event::Kind kind) noexcept RT_NONBLOCKING;
  [[nodiscard]] FrameCount frames_to_cut() const noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint32_t slice_frames(std::uint32_t left) const noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint32_t gather_span(Slice slice, std::uint32_t left) noexcept RT_NONBLOCKING;
  void adopt(Step& step) noexcept RT_NONBLOCKING;
  void bring_rows(const Step& step, const Member& m) noexcept RT_NONBLOCKING;
  void run() noexcept RT_NONBLOCKING;
  void publish_clock() noexcept RT_NONBLOCKING;

  Counters counters_;
  Team* team_ = nullptr;
  alignas(64) float tile_[2 * dsp::kTileFloats] = {};
  struct {
    RingReader<Command> commands;
    RingWriter<Event> events;
    RenderPlan* plan = nullptr;
    bool landing = false;  // the schedule's frames are too late: all of it is due
    Timeline timeline;
    FrameCount engine_frame = 0;
    FrameCount block_begin = 0;      // engine frame
    std::uint32_t block_frames = 0;  // planned; 0: a new block is due
    std::uint64_t applied_sequence = 0;
    double sample_rate_hz = 0.0;
    const dsp::Kernels* kernels = nullptr;
    Slice span[kSpanSlices];
    std::uint32_t span_slices = 0;
    DeviceOutput output;
    Schedule schedule{kScheduleCapacity};
    Automation automation{kAutomationCapacity};
  } audio_;
};

}  // namespace continuo::rt
