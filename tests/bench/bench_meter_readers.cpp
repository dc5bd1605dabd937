// What reading meters costs, and whether it shows on the audio thread: its callbacks with and without a hundred
// readers, and what readers get while it is busy. --quick: fewer rounds; --only reader|jitter|busy.
#include <benchmark/benchmark.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "rt/meter_channels.hpp"
#include "tests/bench/live_documents.hpp"
#include "tests/bench/meter_bench.hpp"

namespace {

using namespace continuo;
using namespace continuo::bench;

/// 64 channels, three windows new in each (30 Hz at 48 kHz): folded where they were written, and from another core, by
/// a reader a channel or one reader of a whole meter. ns a value.
template <class Fold>
void reader(const Options& options, const char* name, std::uint32_t channels, const Fold& fold) {
  constexpr std::uint32_t kChannels = 64;
  std::vector<std::unique_ptr<rt::MeterSlots>> meters;
  for (std::uint32_t c = 0; c < kChannels; c += channels) meters.push_back(std::make_unique<rt::MeterSlots>(channels));
  rt::FrameCount frame = 0;
  const auto publish = [&] {
    for (int w = 0; w < 3; ++w) {
      frame += rt::kMeterWindowFrames;
      for (const auto& slots : meters)
        for (rt::MeterSlot& slot : *slots) slot.publish({frame, 0.5f, 0.25f});
    }
  };
  const auto fold_ns = [&] {
    const double begin = now_ns();
    for (std::size_t m = 0; m < meters.size(); ++m)
      if (!fold(m, *meters[m])) std::abort();
    return (now_ns() - begin) / (2.0 * kChannels);  // two values each: peak and power
  };
  std::vector<double> same, other;
  std::atomic<int> turn{0};  // 1: the writer's; 2: over
  std::thread writer([&] {
    for (int t = 0; (t = turn.load(std::memory_order_acquire)) != 2;) {
      if (t == 0) continue;
      publish();
      turn.store(0, std::memory_order_release);
    }
  });
  for (int round = 0; round < (options.quick ? 1000 : 10000); ++round) {
    publish();
    same.push_back(fold_ns());
    turn.store(1, std::memory_order_release);
    while (turn.load(std::memory_order_acquire) != 0) {
    }
    other.push_back(fold_ns());
  }
  turn.store(2, std::memory_order_release);
  writer.join();
  std::printf("         %-28s %7.1f %7.1f   %7.1f %7.1f\n", name, at(same), at(same, 0.99), at(other), at(other, 0.99));
  std::fflush(stdout);
}

void reader(const Options& options) {
  std::printf(
      "reader   ns a value (peak or power), three windows folded: here, p99; written by another core, p99; goal <= "
      "50\n");
  std::uint64_t missed = 0;
  std::vector<rt::MeterReader> one(64);
  reader(options, "MeterReader", 64, [&](std::size_t, const rt::MeterSlots& slots) {
    bool all = true;
    for (std::size_t c = 0; c < slots.size(); ++c) {
      rt::MeterWindow w;
      all = one[c].fold(slots[c], w, missed) && all;
      benchmark::DoNotOptimize(w);
    }
    return all;
  });
  for (const std::uint32_t channels : {1u, 2u, 64u}) {
    std::vector<rt::MeterChannelsReader> readers(64);
    std::vector<rt::MeterWindow> levels(channels);
    const std::string name = "MeterChannelsReader of " + std::to_string(channels);
    reader(options, name.c_str(), channels, [&](std::size_t m, const rt::MeterSlots& slots) {
      const bool any = readers[m].fold(slots, levels, missed);
      benchmark::DoNotOptimize(levels.data());
      benchmark::ClobberMemory();
      return any;
    });
  }
}

/// A hundred readers that each fold all meters a hundred times a second, while they are let.
class Crowd {
 public:
  explicit Crowd(const std::vector<std::shared_ptr<rt::MeterSlots>>& meters) {
    for (int i = 0; i < 100; ++i)
      threads_.emplace_back([this, &meters, i] {
        std::vector<rt::MeterReader> readers(meters.size());
        std::uint64_t missed = 0;
        auto next = std::chrono::steady_clock::now() + std::chrono::microseconds(100 * i);
        for (; !over_.load(std::memory_order_acquire); next += std::chrono::milliseconds(10)) {
          std::this_thread::sleep_until(next);
          if (!let_.load(std::memory_order_acquire)) continue;
          for (std::size_t m = 0; m < meters.size(); ++m) {
            rt::MeterWindow w;
            benchmark::DoNotOptimize(readers[m].fold((*meters[m])[0], w, missed));
          }
          reads_.fetch_add(1, std::memory_order_relaxed);
        }
      });
  }
  ~Crowd() {
    over_.store(true, std::memory_order_release);
    for (std::thread& thread : threads_) thread.join();
  }
  void let(bool on) { let_.store(on, std::memory_order_release); }
  [[nodiscard]] std::uint64_t reads() const { return reads_.load(); }

 private:
  std::atomic<bool> over_{false}, let_{false};
  std::atomic<std::uint64_t> reads_{0};
  std::vector<std::thread> threads_;
};

void print_jitter(const char* name, const std::vector<double>& ns) {
  std::printf("         %-12s p50 %7.2f  p99 %7.2f  p99.9 %7.2f  max %8.2f\n", name, at(ns) / 1e3, at(ns, 0.99) / 1e3,
              at(ns, 0.999) / 1e3, at(ns, 1.0) / 1e3);
}

/// What the system did to this thread since it was last asked.
class Upkeep {
 public:
  struct Since {
    double cpu_ns = 0.0;
    long pushed_aside = 0;  // involuntary switches
    long faults = 0;
  };
  Since take() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    timespec cpu{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    const Since now{1e9 * static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec), usage.ru_nivcsw,
                    usage.ru_minflt + usage.ru_majflt};
    const Since since{now.cpu_ns - before_.cpu_ns, now.pushed_aside - before_.pushed_aside,
                      now.faults - before_.faults};
    before_ = now;
    return since;
  }

 private:
  Since before_;
};

/// The longest callback, and where its time went: what the thread did not run for went to others of this system (then
/// it was pushed aside) or to other systems of the same machine.
struct Worst {
  double took_ns = 0.0;
  Upkeep::Since upkeep;
  void add(double took, const Upkeep::Since& since) {
    if (took > took_ns) *this = {took, since};
  }
  void print() const {
    std::printf(
        "                      the longest: %.2f us, %.2f of them run (with what surrounds it), pushed aside %ld "
        "times, %ld faults\n",
        took_ns / 1e3, upkeep.cpu_ns / 1e3, upkeep.pushed_aside, upkeep.faults);
  }
};

/// As long as a callback, and touches no memory: what makes this late is the machine.
double hollow_ns() {
  const double begin = now_ns();
  std::uint64_t x = 1;
  for (int i = 0; i < 20'000; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    benchmark::DoNotOptimize(x);
  }
  return now_ns() - begin;
}

/// 64 tracks, a callback each 1.33 ms, in turns of 128 with and without readers; the readers' threads live throughout.
void jitter(const Options& options) {
  LiveRig rig(mixer({"mix", {"gain", "eq"}}, 64));
  const auto meters = meters_of(rig);
  const Audience look(Use::looked_at, meters);
  sched_param param{};
  param.sched_priority = 10;
  Crowd crowd(meters);  // before: they do not inherit it
  const bool fifo = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0;
  std::vector<double> without, with, hollow[2];
  Upkeep upkeep;
  Worst worst[2];
  auto next = std::chrono::steady_clock::now();
  for (int round = 0; round < (options.quick ? 8 : 160); ++round) {
    const bool on = round % 2 != 0;
    crowd.let(on);
    for (int i = 0; i < 144; ++i) {
      next += std::chrono::nanoseconds(static_cast<std::int64_t>(LiveRig::kPeriodNs));
      std::this_thread::sleep_until(next);
      static_cast<void>(upkeep.take());
      const double took = rig.callback();
      const Upkeep::Since since = upkeep.take();
      if (i < 16) continue;  // a reader may still be in its turn
      (on ? with : without).push_back(took);
      hollow[on].push_back(hollow_ns());
      worst[on].add(took, since);
    }
  }
  param.sched_priority = 0;
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &param);
  std::printf("jitter   us a callback of 64 tracks with meters, %s; %llu reads of all meters\n",
              fifo ? "SCHED_FIFO" : "SCHED_OTHER (no right to more)", static_cast<unsigned long long>(crowd.reads()));
  print_jitter("no reader", without);
  worst[0].print();
  print_jitter("hollow work", hollow[0]);
  print_jitter("100 readers", with);
  worst[1].print();
  print_jitter("hollow work", hollow[1]);
  std::printf("         spread (p99 less p50): %.2f more with 100 readers; goal < 5\n",
              ((at(with, 0.99) - at(with)) - (at(without, 0.99) - at(without))) / 1e3);
}

/// The audio thread busy for three quarters of each period: what comes of 64 tracks' levels to who looks 100 times a
/// second. Age: from the end of the newest window's callback to when it was read; a window is 10.67 ms.
void busy(const Options& options) {
  LiveRig rig(mixer({"mix", {"gain", "eq"}}, 64));
  const auto meters = meters_of(rig);
  const Audience look(Use::looked_at, meters);
  std::atomic<bool> over{false};
  std::atomic<double> window_end{now_ns()};  // when the last callback of the newest window had ended
  std::vector<double> intervals, ages;
  std::uint64_t missed = 0, windows = 0;
  std::thread reader([&] {
    std::vector<rt::MeterChannelsReader> readers(meters.size());
    std::vector<rt::MeterWindow> levels;
    double before = 0.0;
    for (auto next = std::chrono::steady_clock::now(); !over.load(std::memory_order_acquire);) {
      next += std::chrono::milliseconds(10);
      std::this_thread::sleep_until(next);
      const double now = now_ns();
      for (std::size_t m = 0; m < meters.size(); ++m) {
        const std::uint64_t from = readers[m].next;
        levels.resize(meters[m]->size());
        benchmark::DoNotOptimize(readers[m].fold(*meters[m], levels, missed));
        windows += readers[m].next - from;
      }
      if (before != 0.0) intervals.push_back(now - before), ages.push_back(now - window_end.load());
      before = now;
    }
  });
  sched_param param{};
  param.sched_priority = 10;
  const bool fifo = pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0;
  double inside = 0.0;
  const double begin = now_ns();
  auto next = std::chrono::steady_clock::now();
  const std::uint32_t callbacks = options.quick ? 3'000 : 22'500;
  for (std::uint32_t i = 1; i <= callbacks; ++i) {
    next += std::chrono::nanoseconds(static_cast<std::int64_t>(LiveRig::kPeriodNs));
    std::this_thread::sleep_until(next);
    const double entry = now_ns();
    static_cast<void>(rig.callback());
    while (now_ns() - entry < 0.75 * LiveRig::kPeriodNs) {
    }
    if (i % kWindowBlocks == 0) window_end.store(now_ns());
    inside += now_ns() - entry;
  }
  const double took = now_ns() - begin;
  param.sched_priority = 0;
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &param);
  over.store(true, std::memory_order_release);
  reader.join();
  std::printf("busy     the callback takes %.0f %% of the time, %s; %llu windows read, %llu missed\n",
              100 * inside / took, fifo ? "SCHED_FIFO" : "SCHED_OTHER (no right to more)",
              static_cast<unsigned long long>(windows), static_cast<unsigned long long>(missed));
  print_jitter("interval", intervals);
  print_jitter("age", ages);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = options_of(argc, argv, "reader|jitter|busy");
  if (options.runs("reader")) reader(options);
  if (options.runs("jitter")) jitter(options);
  if (options.runs("busy")) busy(options);
  return 0;
}
