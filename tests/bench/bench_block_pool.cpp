// What the audio thread pays to take a block and to give it back: one at a time, and a pool that is filled and emptied
// in another order. Aim: 20 ns a take, 10 ns a return. The floor is an empty call.
#include <benchmark/benchmark.h>

#include <array>
#include <vector>

#include "rt/block_pool.hpp"
#include "rt/command.hpp"

namespace {

using namespace continuo;
using Pool = rt::BlockPool<rt::Command>;
constexpr std::size_t kBlocks = 4096;

[[gnu::noinline]] void empty_call(Pool& pool) { benchmark::DoNotOptimize(&pool); }
[[gnu::noinline]] rt::Command* take(Pool& pool, const rt::Command& command) { return pool.try_take(command); }
[[gnu::noinline]] void give_back(Pool& pool, rt::Command* block) { pool.give_back(block); }

void floor_empty_call(benchmark::State& state) {
  Pool pool(kBlocks);
  for (auto _ : state) empty_call(pool);
}
BENCHMARK(floor_empty_call);

void take_and_give_back(benchmark::State& state) {
  Pool pool(kBlocks);
  const rt::Command command;
  for (auto _ : state) give_back(pool, take(pool, command));
}
BENCHMARK(take_and_give_back);

/// Blocks scattered over the whole arena, as commands that are due in another order than they came leave them. The
/// items are takes; the returns' time stands aside.
template <bool kMeasureTakes>
void scattered(benchmark::State& state) {
  Pool pool(kBlocks);
  const rt::Command command;
  std::array<rt::Command*, kBlocks> out{};
  for (auto _ : state) {
    if (!kMeasureTakes) state.PauseTiming();
    for (std::size_t i = 0; i < kBlocks; ++i) out[i] = take(pool, command);
    if (kMeasureTakes)
      state.PauseTiming();
    else
      state.ResumeTiming();
    for (std::size_t i = 0; i < kBlocks; ++i) give_back(pool, out[i * 1237 % kBlocks]);
    if (kMeasureTakes) state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(kBlocks) * state.iterations());
}
void takes_scattered(benchmark::State& state) { scattered<true>(state); }
void returns_scattered(benchmark::State& state) { scattered<false>(state); }
BENCHMARK(takes_scattered)->Unit(benchmark::kMicrosecond);
BENCHMARK(returns_scattered)->Unit(benchmark::kMicrosecond);

/// Behind the last block.
void refused(benchmark::State& state) {
  Pool pool(1);
  const rt::Command command;
  benchmark::DoNotOptimize(take(pool, command));
  for (auto _ : state) benchmark::DoNotOptimize(take(pool, command));
}
BENCHMARK(refused);

}  // namespace

BENCHMARK_MAIN();
