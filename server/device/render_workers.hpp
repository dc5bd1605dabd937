// THREAD: control makes them, audio calls begin() and end() - threads that help the audio thread, awake in time
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/team.hpp"

namespace continuo::device {

/// Render workers beside the audio thread (continuo-rdr-N), at the priority below its own, their stacks touched and
/// locked. They outlive devices: nothing here depends on who calls back, but on how often.
///
/// The audio thread wakes nobody: each worker sleeps until shortly before the next callback is due, and then looks out
/// for it (WakePlan). One that is late does no harm: what nobody has claimed the audio thread does itself. One that is
/// pushed aside in the middle of a task does: the audio thread waits for it. That is what this mode gives up.
///
/// Steps: [audio] begin() -> [audio] process: the team's tasks are open -> [worker] claims and runs -> [audio] end() ->
/// [worker] sleeps.
class RenderWorkers {
 public:
  static constexpr std::uint32_t kMost = 62;

  /// Cores that the calling thread may run on: the machine's, or fewer where a service is kept to some of them.
  [[nodiscard]] static std::uint32_t usable_cores() noexcept;
  /// As many as were asked for and the machine bears: two cores are the audio thread's and everybody else's.
  [[nodiscard]] static std::uint32_t bearable(std::uint32_t wanted, std::uint32_t cores) noexcept;

  /// `count`: 1 to kMost. `priority`: the audio thread's; 0: none is asked for.
  RenderWorkers(std::uint32_t count, int priority);
  ~RenderWorkers();
  RenderWorkers(const RenderWorkers&) = delete;
  RenderWorkers& operator=(const RenderWorkers&) = delete;

  [[nodiscard]] rt::Team& team() noexcept { return team_; }
  [[nodiscard]] const rt::Team& team() const noexcept { return team_; }
  /// Why they have no real-time priority; empty when all is well.
  [[nodiscard]] const std::string& warning() const noexcept { return warning_; }

  /// Control thread, before callbacks of this rate come.
  void set_sample_rate(double hz) noexcept { sample_rate_hz_.store(hz, std::memory_order_relaxed); }

  /// Audio thread, at a callback's beginning and end.
  void begin(std::uint32_t frames) noexcept RT_NONBLOCKING {
    frames_.store(frames, std::memory_order_relaxed);
    begun_.fetch_add(1, std::memory_order_release);
  }
  void end() noexcept RT_NONBLOCKING {
    ended_.store(begun_.load(std::memory_order_relaxed), std::memory_order_release);
  }

  /// Any thread. How many callbacks a worker was awake for, all workers together.
  [[nodiscard]] std::uint64_t seen() const noexcept { return seen_.load(std::memory_order_relaxed); }

 private:
  void serve(std::uint32_t worker);
  [[nodiscard]] bool look_out(std::uint32_t worker, std::uint64_t begun, std::int64_t until_ns);
  void help(std::uint32_t worker, std::uint64_t begun);
  [[nodiscard]] std::int64_t period_ns() const noexcept;

  rt::Pause pause_;
  rt::Team team_;
  std::atomic<double> sample_rate_hz_{48000.0};
  alignas(64) std::atomic<std::uint64_t> begun_{0};  // callbacks
  std::atomic<std::uint32_t> frames_{0};             // of the last one
  std::atomic<std::uint64_t> ended_{0};
  alignas(64) std::atomic<std::uint64_t> seen_{0};
  std::atomic<bool> ready_{false};
  std::atomic<bool> stopping_{false};
  std::string warning_;
  std::vector<std::thread> threads_;
};

}  // namespace continuo::device
