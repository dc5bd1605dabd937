// How long one device buffer takes, and what an edit costs the control side.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>

#include "tests/bench/engine_rig.hpp"

namespace {

using continuo::bench::EngineRig;

/// Arguments: tracks, frames of the device buffer. `load`: part of the buffer's own time, at 48 kHz.
void callback(benchmark::State& state) {
  const auto frames = static_cast<std::uint32_t>(state.range(1));
  EngineRig rig(continuo::bench::parse(continuo::bench::mixer_session(static_cast<int>(state.range(0)))));
  for (auto _ : state) {
    rig.process(frames);
    benchmark::DoNotOptimize(rig.out()[0]);
    benchmark::ClobberMemory();
  }
  if (!(std::fabs(rig.out()[0]) < 1e6f)) state.SkipWithError("no sound came out");
  const auto buffers = static_cast<double>(state.iterations());
  state.counters["load"] = benchmark::Counter(buffers * frames / 48000.0, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(callback)->Args({1, 64})->Args({32, 64})->Args({32, 512})->Args({128, 64})->Unit(benchmark::kMicrosecond);

void parse_session(benchmark::State& state) {
  const std::string json = continuo::bench::mixer_session(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(continuo::bench::parse(json));
}
BENCHMARK(parse_session)->Arg(32)->Arg(512)->Unit(benchmark::kMicrosecond);

void print_session(benchmark::State& state) {
  const auto document = continuo::bench::parse(continuo::bench::mixer_session(static_cast<int>(state.range(0))));
  for (auto _ : state) benchmark::DoNotOptimize(continuo::session::print_session(document));
}
BENCHMARK(print_session)->Arg(32)->Arg(512)->Unit(benchmark::kMicrosecond);

/// A new plan where every node is already alive: what an edit costs.
void compile_again(benchmark::State& state) {
  const auto document = continuo::bench::parse(continuo::bench::mixer_session(static_cast<int>(state.range(0))));
  const continuo::session::MediaTable no_media;
  continuo::session::PlanCompiler compiler;
  continuo::session::CompileRequest request;
  request.document = &document;
  request.media = &no_media;
  const auto first = compiler.compile(request);
  for (auto _ : state) benchmark::DoNotOptimize(compiler.compile(request));
}
BENCHMARK(compile_again)->Arg(32)->Arg(512)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
