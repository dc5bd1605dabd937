#include "server/device/render_workers.hpp"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "server/device/memory_lock.hpp"
#include "server/device/realtime.hpp"
#include "server/device/wake_plan.hpp"

namespace continuo::device {
namespace {

constexpr std::uint32_t kLooks = 64;  // between two looks at the clock
// A callback that does not end (its thread was pushed aside, or its device is gone) is not waited for longer.
constexpr std::int64_t kLongestCallbackNs = 20'000'000;

std::int64_t now_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

void sleep_until(std::int64_t ns) {
  const timespec t{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

}  // namespace

std::uint32_t RenderWorkers::usable_cores() noexcept {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0)
    return std::thread::hardware_concurrency();  // more than 1024 of them
  return static_cast<std::uint32_t>(CPU_COUNT(&set));
}

std::uint32_t RenderWorkers::bearable(std::uint32_t wanted, std::uint32_t cores) noexcept {
  return std::min({wanted, kMost, cores > 2 ? cores - 2 : 0});
}

RenderWorkers::RenderWorkers(std::uint32_t count, int priority) : team_(std::clamp(count, 1u, kMost), pause_) {
  for (const auto memory : team_.memory()) lock_memory(memory.data(), memory.size_bytes());
  for (std::uint32_t worker = 0; worker < team_.workers(); ++worker) {
    std::thread& thread = threads_.emplace_back([this, worker] { serve(worker); });
    const pthread_t id = thread.native_handle();
    pthread_setname_np(id, ("continuo-rdr-" + std::to_string(worker + 1)).c_str());
    if (!ask_realtime(id, std::max(priority - 1, 0)).empty())
      warning_ = "the render workers have no real-time priority: " + realtime_remedy();
    pin_stack(id);
  }
  ready_.store(true, std::memory_order_release);
  ready_.notify_all();
}

RenderWorkers::~RenderWorkers() {
  stopping_.store(true, std::memory_order_release);
  for (std::thread& thread : threads_) {
    unpin_stack(thread.native_handle());
    thread.join();
  }
  for (const auto memory : team_.memory()) unlock_memory(memory.data(), memory.size_bytes());
}

std::int64_t RenderWorkers::period_ns() const noexcept {
  const double rate = sample_rate_hz_.load(std::memory_order_relaxed);
  return static_cast<std::int64_t>(frames_.load(std::memory_order_relaxed) * 1e9 / std::max(rate, 1.0));
}

void RenderWorkers::serve(std::uint32_t worker) {
  ready_.wait(false, std::memory_order_acquire);
  WakePlan plan;
  std::uint64_t known = begun_.load(std::memory_order_acquire);
  while (!stopping_.load(std::memory_order_acquire)) {
    const WakePlan::Next next = plan.next(now_ns());
    sleep_until(next.sleep_until_ns);
    const std::uint64_t begun = begun_.load(std::memory_order_acquire);
    if (begun != known) {  // while it slept
      known = begun;
      plan.overslept();
      help(worker, begun);
      continue;
    }
    if (now_ns() >= next.look_until_ns) {
      if (next.look_until_ns != 0) plan.missed();
      continue;
    }
    if (!look_out(worker, known, next.look_until_ns)) {
      plan.missed();
      continue;
    }
    plan.saw(now_ns(), period_ns());
    known = begun_.load(std::memory_order_acquire);
    seen_.fetch_add(1, std::memory_order_relaxed);
    help(worker, known);
  }
}

/// True once another callback has begun.
bool RenderWorkers::look_out(std::uint32_t worker, std::uint64_t begun, std::int64_t until_ns) {
  do {
    for (std::uint32_t i = 0; i < kLooks; ++i) {
      if (begun_.load(std::memory_order_acquire) != begun) return true;
      (void)team_.help(worker);
      pause_.pause(i);
    }
  } while (now_ns() < until_ns && !stopping_.load(std::memory_order_acquire));
  return false;
}

/// Until that callback is over.
void RenderWorkers::help(std::uint32_t worker, std::uint64_t begun) {
  const auto over = [&] { return ended_.load(std::memory_order_acquire) >= begun; };
  const std::int64_t until = now_ns() + kLongestCallbackNs;
  do {
    for (std::uint32_t i = 0; i < kLooks && !over(); ++i) {
      if (!team_.help(worker)) pause_.pause(i);
    }
  } while (!over() && now_ns() < until && !stopping_.load(std::memory_order_acquire));
}

}  // namespace continuo::device
