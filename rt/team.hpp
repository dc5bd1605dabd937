// THREAD: audio drives, workers help - the tasks of a plan on several threads, with the samples of one
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/render_plan.hpp"
#include "rt/run_plan.hpp"
#include "rt/shares.hpp"

namespace continuo::rt {

/// What a thread does between two looks at something that another thread is about to finish.
class Pause {
 public:
  virtual ~Pause() = default;
  /// `times`: how often it has looked in vain. This one is for threads that never sleep.
  virtual void pause(std::uint32_t times) noexcept RT_NONBLOCKING;
};

/// The driver (who calls Renderer::process) publishes a span; it and its workers claim tasks until none is left; the
/// driver returns when all are done. It needs no worker to come: what nobody has claimed it runs itself. First the
/// tasks that wait for none (each member has its own, see Shares), then the others in their order: so all that a task
/// waits for was claimed before it, somebody always works, and nobody waits for ever. Claiming is lock-free; waiting is
/// not.
///
/// Which thread runs a task changes no sample: each has a tile of its own, the floating-point mode is set by each, and
/// tasks share no buffer but behind one another.
///
/// Steps: [driver] write plan and slices, offer the tasks (release) -> [any] claim (acquire), wait for the marks of the
/// tasks before (acquire), run, store the mark, count (release) -> [driver] wait for the count (acquire).
class Team {
 public:
  /// Control thread; allocates. `workers`: the driver not among them. `pause` must outlive it.
  Team(std::uint32_t workers, Pause& pause);

  [[nodiscard]] std::uint32_t workers() const noexcept RT_NONBLOCKING {
    return static_cast<std::uint32_t>(members_.size()) - 1;
  }

  /// The driver. All of the plan's tasks (there is one at least).
  void run(RenderPlan& plan, std::span<const Slice> slices) noexcept RT_NONBLOCKING;

  /// A worker, from 0. Runs tasks until none is left to claim. False: there was none.
  bool help(std::uint32_t worker) noexcept RT_NONBLOCKING;

  /// Any thread. How many tasks workers have run.
  [[nodiscard]] std::uint64_t helped() const noexcept RT_NONBLOCKING;

  /// What must be resident before run().
  [[nodiscard]] std::vector<std::span<const std::byte>> memory() const;

 private:
  /// What a thread needs of its own. The slices are the span's, but for the tile.
  struct alignas(64) Member {
    float tile[2 * dsp::kTileFloats] = {};
    Slice slices[kSpanSlices];
    std::uint64_t span = 0;               // whose slices these are
    std::atomic<std::uint64_t> tasks{0};  // run here
  };

  bool try_claim(std::uint32_t member, std::uint32_t& task) noexcept RT_NONBLOCKING;
  void run_task(std::uint32_t member, std::uint32_t number) noexcept RT_NONBLOCKING;

  Pause& pause_;
  std::vector<Member> members_;  // the first is the driver
  struct {
    RenderPlan* plan = nullptr;
    std::span<const Slice> slices;
    std::uint64_t number = 0;  // rises with each
    std::uint32_t roots = 0;   // tasks
  } span_;                     // written by the driver while no task is open; read by whoever has claimed one
  Shares roots_;               // tasks that wait for none: the first so many
  Shares rest_{1};
  alignas(64) std::atomic<std::uint32_t> done_{0};
};

}  // namespace continuo::rt
