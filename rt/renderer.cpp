#include "rt/renderer.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "rt/dsp/float_mode.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/guard.hpp"

namespace continuo::rt {
namespace {

/// These hand something over that has to come home, which only a batch can bring.
bool needs_batch(Action::Kind kind) noexcept RT_NONBLOCKING {
  return kind == Action::Kind::exchange_source || kind == Action::Kind::record_start;
}

}  // namespace

Renderer::Renderer(RingReader<Command> commands, RingWriter<Event> events, double sample_rate_hz,
                   const dsp::Kernels& kernels) {
  if (events.capacity() <= kScheduleCapacity) std::abort();  // a command could be stuck behind a full schedule
  audio_.commands = std::move(commands);
  audio_.events = std::move(events);
  audio_.sample_rate_hz = sample_rate_hz;
  audio_.kernels = &kernels;
}

void Renderer::set_sample_rate(double hz) noexcept {
  audio_.sample_rate_hz = hz;
  audio_.block_frames = 0;
  if (audio_.plan == nullptr) return;
  for (Step& step : audio_.plan->steps) {
    step.moving = true;
    for (const Member& m : step.members) {
      m.node->moving = true;
      m.node->worked_out = -1;
    }
  }
}

void Renderer::process(InputBlock in, OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING {
  const dsp::FloatMode mode;
  for (std::uint32_t c = 0; c < out.channel_count; ++c) dsp::silence(out.channels[c], frames);
  if (frames == 0) return;

  Slice slice;
  slice.sample_rate_hz = audio_.sample_rate_hz;
  slice.device_in = in;
  slice.device_out = out;
  slice.counters = &counters_;
  slice.kernels = audio_.kernels;
  slice.tile = tile_;
  slice.engine_frame = audio_.engine_frame;
  apply_due(slice, audio_.engine_frame);
  take_commands(slice);
  if (audio_.plan == nullptr) counters_.buffers_without_plan.fetch_add(1, std::memory_order_relaxed);

  for (std::uint32_t done = 0; done < frames;) {
    slice.engine_frame = audio_.engine_frame;
    apply_due(slice, audio_.engine_frame);
    slice.device_offset = done;
    done += gather_span(slice, frames - done);
    run();
  }
  counters_.buffers.fetch_add(1, std::memory_order_relaxed);
  publish_clock();
}

/// The slices from here to where the next thing is due, the end of the device buffer, or as many as the plan's buffers
/// hold. Moves both clocks on; returns how many frames they are.
std::uint32_t Renderer::gather_span(Slice slice, std::uint32_t left) noexcept RT_NONBLOCKING {
  audio_.span_slices = 0;
  slice.buffer_offset = 0;
  while (left != 0 && audio_.span_slices < kSpanSlices && frames_to_cut() > 0) {
    slice.engine_frame = audio_.engine_frame;
    slice.timeline_frame = audio_.timeline.position();
    slice.rolling = audio_.timeline.rolling();
    if (audio_.block_frames == 0) {
      audio_.block_begin = audio_.engine_frame;
      audio_.block_frames = audio_.timeline.frames_to_grid(audio_.engine_frame);
    }
    slice.block_offset = static_cast<std::uint32_t>(audio_.engine_frame - audio_.block_begin);
    slice.block_frames = audio_.block_frames;
    slice.frames = slice_frames(left);
    if (slice.buffer_offset + slice.frames > kSpanFrames) break;
    audio_.span[audio_.span_slices++] = slice;

    left -= slice.frames;
    slice.buffer_offset += slice.frames;
    slice.device_offset += slice.frames;
    audio_.engine_frame += slice.frames;
    audio_.timeline.advance(slice.frames);
    if (slice.block_offset + slice.frames == audio_.block_frames) audio_.block_frames = 0;
  }
  return slice.buffer_offset;
}

/// To the next scheduled command, or the next segment of an automation.
FrameCount Renderer::frames_to_cut() const noexcept RT_NONBLOCKING {
  return std::min(audio_.schedule.next_frame() - audio_.engine_frame,
                  audio_.automation.frames_to_next(audio_.timeline));
}

/// To the end of the block, of the device buffer, or to where something is due, whichever comes first.
std::uint32_t Renderer::slice_frames(std::uint32_t left) const noexcept RT_NONBLOCKING {
  const FrameCount block_end = audio_.block_begin + audio_.block_frames;
  const FrameCount n = std::min<FrameCount>(left, block_end - audio_.engine_frame);
  return static_cast<std::uint32_t>(std::min(n, frames_to_cut()));
}

/// At most what the ring held when we came, so that a fast writer cannot keep us here; and each only while its event
/// is sure to fit beside those of the schedule. What stays in the ring stays in order.
void Renderer::take_commands(Slice& at) noexcept RT_NONBLOCKING {
  for (std::size_t n = audio_.commands.available(); n != 0 && audio_.events.space() > audio_.schedule.size(); --n) {
    Command command;
    if (!audio_.commands.try_pop(command)) return;
    if (command.frame > audio_.engine_frame) {
      schedule(command);
      continue;
    }
    apply(command, at);
    if (std::exchange(audio_.landing, false)) apply_due(at, kEndless - 1);
  }
}

void Renderer::schedule(const Command& command) noexcept RT_NONBLOCKING {
  if (audio_.schedule.try_add(command)) return;
  counters_.commands_refused.fetch_add(1, std::memory_order_relaxed);
  answer(command, Event::Kind::refused);
}

void Renderer::apply_due(Slice& at, FrameCount until) noexcept RT_NONBLOCKING {
  for (Command command; audio_.schedule.try_take_due(until, command);) apply(command, at);
  if (audio_.automation.advance(audio_.engine_frame, audio_.timeline)) audio_.block_frames = 0;
}

void Renderer::apply(Command& command, Slice& at) noexcept RT_NONBLOCKING {
  bool applied = true;
  const Timeline before = audio_.timeline;
  if (command.batch != nullptr) {
    if (command.batch->plan != nullptr) take_plan(*command.batch);
    for (Action& action : command.batch->actions)
      if (!apply(action, at)) counters_.commands_orphaned.fetch_add(1, std::memory_order_relaxed);
  } else {
    applied = !needs_batch(command.value.kind) && apply(command.value, at);
    if (!applied) counters_.commands_orphaned.fetch_add(1, std::memory_order_relaxed);
  }
  if (applied) audio_.block_frames = 0;
  audio_.automation.settle(audio_.timeline != before, audio_.engine_frame, audio_.timeline);
  answer(command, applied ? Event::Kind::applied : Event::Kind::orphaned);
}

void Renderer::take_plan(Batch& batch) noexcept RT_NONBLOCKING {
  std::swap(audio_.plan, batch.plan);
  counters_.automation_refused.fetch_add(audio_.automation.take(*audio_.plan, batch.plan), std::memory_order_relaxed);
  for (Step& step : audio_.plan->steps) {
    adopt(step);
    note_watched(step, audio_.engine_frame);
  }
}

/// Brings the nodes' rows to their places in a new plan. The plan before is still whole: it goes home with its batch.
void Renderer::adopt(Step& step) noexcept RT_NONBLOCKING {
  if (step.row_count == 0) {
    step.moving = false;
    for (const Member& m : step.members) {
      m.node->place = {};  // the place before must not outlive its plan
      if (m.node->entered < 0) m.node->entered = audio_.engine_frame;
      m.node->take_heritage();
      step.moving |= m.node->moving;
    }
    return step.kind->arrange(step);
  }
  const Step* const before = step.members.empty() ? nullptr : step.members.front().node->place.step;
  bool together = before != nullptr && before->row_count == step.row_count && before->lanes == step.lanes;
  for (const Member& m : step.members) {
    const LanePlace& was = m.node->place;
    together = together && was.step == before && was.first_lane == m.first_lane && was.lanes == m.lanes;
  }
  if (together)
    std::copy_n(before->rows, std::size_t{step.row_count} * ((step.lanes + kMaxLanes - 1) / kMaxLanes) * kMaxLanes,
                step.rows);
  step.moving = false;
  for (const Member& m : step.members) {
    Node& node = *m.node;
    if (!together) bring_rows(step, m);
    if (node.entered < 0) node.entered = audio_.engine_frame;
    node.take_heritage();
    node.place = {.step = &step, .first_lane = m.first_lane, .lanes = m.lanes};
    step.moving |= node.moving;
  }
  step.kind->arrange(step);
}

void Renderer::bring_rows(const Step& step, const Member& m) noexcept RT_NONBLOCKING {
  const LanePlace* from = &m.node->place;
  if (from->step == nullptr && m.node->inherits != nullptr) from = &m.node->inherits->place;
  if (from != &m.node->place || from->lanes != m.lanes) {  // its coefficients may be others
    m.node->moving = true;
    m.node->worked_out = -1;
  }
  for (std::uint32_t lane = 0; lane < m.lanes; ++lane) {
    const bool known = from->step != nullptr && lane < from->lanes;
    for (std::uint32_t r = 0; r < step.row_count; ++r)
      *step.row(r, m.first_lane + lane) =
          known && r < from->step->row_count ? *from->step->row(r, from->first_lane + lane) : 0.0f;
  }
}

bool Renderer::apply(Action& action, Slice& at) noexcept RT_NONBLOCKING {
  switch (action.kind) {
    case Action::Kind::transport_start:
      audio_.timeline.start();
      return true;
    case Action::Kind::transport_stop:
      audio_.timeline.stop();
      return true;
    case Action::Kind::transport_locate:
      audio_.timeline.locate(action.position);
      return true;
    case Action::Kind::land:
      audio_.landing = true;
      return true;
    case Action::Kind::output_level:
      if (!std::isfinite(action.value)) return false;
      audio_.output.set_level(action.value, at.engine_frame, action.ramp_frames);
      return true;
    default:
      break;
  }
  at.timeline_frame = audio_.timeline.position();
  at.rolling = audio_.timeline.rolling();
  return apply_to_node(action, at);
}

bool Renderer::apply_to_node(Action& action, const Slice& at) noexcept RT_NONBLOCKING {
  if (audio_.plan == nullptr || action.node.slot >= audio_.plan->nodes.size()) return false;
  const NodeEntry& entry = audio_.plan->nodes[action.node.slot];
  if (entry.node == nullptr || entry.generation != action.node.generation) return false;
  if (action.kind != Action::Kind::set_param)
    return entry.step->kind->act(entry.step->members[entry.member], action, at);
  if (action.param >= entry.node->params.size() || !std::isfinite(action.value)) return false;
  entry.node->params[action.param].set(action.value, at.engine_frame, action.ramp_frames, action.wait_frames);
  entry.node->moving = true;
  entry.step->moving = true;
  return true;
}

void Renderer::answer(const Command& command, Event::Kind kind) noexcept RT_NONBLOCKING {
  audio_.applied_sequence = command.sequence;
  if (!audio_.events.try_push(
          {.kind = kind, .sequence = command.sequence, .frame = audio_.engine_frame, .batch = command.batch}))
    counters_.events_lost.fetch_add(1, std::memory_order_relaxed);
}

/// The whole plan for the whole span: by the team where there is one and the plan is cut for it.
void Renderer::run() noexcept RT_NONBLOCKING {
  if (audio_.plan == nullptr) return;
  const std::span<const Slice> slices(audio_.span, audio_.span_slices);
  if (team_ != nullptr && !audio_.plan->tasks.empty())
    team_->run(*audio_.plan, slices);
  else
    run_plan(*audio_.plan, slices);
  for (const Slice& slice : slices) audio_.output.finish(slice);
}

void Renderer::publish_clock() noexcept RT_NONBLOCKING {
  counters_.clock.write({.engine_frame = audio_.engine_frame,
                         .timeline_frame = audio_.timeline.position(),
                         .applied = audio_.applied_sequence,
                         .rolling = audio_.timeline.rolling() ? 1u : 0u});
}

Renderer::Remains Renderer::dismantle() {
  Remains remains;
  audio_.schedule.drain([&](const Command& command) {
    if (command.batch != nullptr) remains.batches.push_back(command.batch);
  });
  for (Command command; audio_.commands.try_pop(command);)
    if (command.batch != nullptr) remains.batches.push_back(command.batch);
  remains.plan = std::exchange(audio_.plan, nullptr);
  return remains;
}

std::vector<std::span<const std::byte>> Renderer::memory() const {
  return {std::as_bytes(std::span(this, 1)), audio_.schedule.blocks(), audio_.schedule.heap(), audio_.automation.runs(),
          audio_.automation.heap()};
}

}  // namespace continuo::rt
