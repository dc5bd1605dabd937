#include "rt/team.hpp"

#include <immintrin.h>

#include <algorithm>

#include "rt/dsp/float_mode.hpp"

namespace continuo::rt {

void Pause::pause(std::uint32_t) noexcept RT_NONBLOCKING { _mm_pause(); }

Team::Team(std::uint32_t workers, Pause& pause)
    : pause_(pause), members_(std::size_t{workers} + 1), roots_(workers + 1) {}

void Team::run(RenderPlan& plan, std::span<const Slice> slices) noexcept RT_NONBLOCKING {
  const auto tasks = static_cast<std::uint32_t>(plan.tasks.size());
  span_.plan = &plan;
  span_.slices = slices;
  span_.roots = plan.root_tasks;
  ++span_.number;
  done_.store(0, std::memory_order_relaxed);
  roots_.offer(plan.root_tasks);
  rest_.offer(tasks - plan.root_tasks);
  for (std::uint32_t task = 0; try_claim(0, task);) run_task(0, task);
  for (std::uint32_t times = 0; done_.load(std::memory_order_acquire) != tasks; ++times) pause_.pause(times);
}

bool Team::help(std::uint32_t worker) noexcept RT_NONBLOCKING {
  std::uint32_t task = 0;
  if (!try_claim(worker + 1, task)) return false;
  const dsp::FloatMode mode;
  do {
    members_[worker + 1].tasks.fetch_add(1, std::memory_order_relaxed);
    run_task(worker + 1, task);
  } while (try_claim(worker + 1, task));
  return true;
}

/// Whoever succeeds has claimed a task of the span that is open now, whatever it was when it looked first: its driver
/// waits for it.
bool Team::try_claim(std::uint32_t member, std::uint32_t& task) noexcept RT_NONBLOCKING {
  if (roots_.try_take(member, task)) return true;
  if (!rest_.try_take(0, task)) return false;
  task += span_.roots;
  return true;
}

void Team::run_task(std::uint32_t member, std::uint32_t number) noexcept RT_NONBLOCKING {
  Member& me = members_[member];
  RenderPlan& plan = *span_.plan;
  const std::uint64_t span = span_.number;
  const std::size_t slices = span_.slices.size();
  if (me.span != span) {
    me.span = span;
    std::copy_n(span_.slices.begin(), slices, me.slices);
    for (std::size_t i = 0; i < slices; ++i) me.slices[i].tile = me.tile;
  }
  const Task& task = plan.tasks[number];
  for (std::uint32_t i = 0; i < task.before_count; ++i) {
    const TaskMark& before = plan.marks[plan.tasks_before[task.first_before + i]];
    for (std::uint32_t times = 0; before.span.load(std::memory_order_acquire) != span; ++times) pause_.pause(times);
  }
  run_parts(plan, task.first_part, task.end_part, {me.slices, slices});
  plan.marks[number].span.store(span, std::memory_order_release);
  done_.fetch_add(1, std::memory_order_release);
}

std::uint64_t Team::helped() const noexcept RT_NONBLOCKING {
  std::uint64_t tasks = 0;
  for (std::uint32_t worker = 0; worker < workers(); ++worker)
    tasks += members_[worker + 1].tasks.load(std::memory_order_relaxed);
  return tasks;
}

std::vector<std::span<const std::byte>> Team::memory() const {
  return {std::as_bytes(std::span(this, 1)), std::as_bytes(std::span(members_))};
}

}  // namespace continuo::rt
