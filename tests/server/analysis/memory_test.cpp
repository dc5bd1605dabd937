// Feeding allocates nothing, however long it goes on, and what every node may have is small.
#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "server/analysis/ballistics.hpp"
#include "server/analysis/clips.hpp"
#include "server/analysis/layout.hpp"
#include "server/analysis/loudness.hpp"
#include "server/analysis/loudness_windows.hpp"
#include "server/analysis/peak.hpp"
#include "server/analysis/rms.hpp"
#include "server/analysis/silence.hpp"
#include "server/analysis/spectrum.hpp"
#include "server/analysis/stereo.hpp"
#include "server/analysis/true_peak.hpp"
#include "tests/server/analysis/signals.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
std::atomic<std::uint64_t> allocated_bytes{0};
}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  allocated_bytes.fetch_add(size, std::memory_order_relaxed);
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace continuo::analysis;
using namespace continuo::analysis::test;

TEST_CASE("memory: an hour of sound through every measure allocates nothing") {
  const Sound sound = random_sound(2, 8000.0, 30.0, 9);
  Loudness loudness(8000.0, *channel_weights("stereo", 2));
  LoudnessWindows windows(8000.0, *channel_weights("stereo", 2));
  TruePeakMeter peak(8000.0, 2);
  PeakMeter level(8000.0, 2);
  RmsMeter rms(8000.0, 2);
  VuMeter vu(8000.0, 2);
  PpmMeter ppm(8000.0, 2, PpmType::type_2);
  StereoMeter stereo(8000.0);
  ClipCounter clips(2);
  SilenceDetector silence(8000.0, 2);
  Spectrum spectrum(8000.0, 2, {.size = 1024});
  std::vector<double> bins(spectrum.bins());
  const std::uint64_t before = allocations.load();
  for (int i = 0; i < 120; ++i) {
    loudness.feed(sound.view());
    windows.feed(sound.view());
    peak.feed(sound.view());
    level.feed(sound.view());
    rms.feed(sound.view());
    vu.feed(sound.view());
    ppm.feed(sound.view());
    stereo.feed(sound.view());
    clips.feed(sound.view());
    silence.feed(sound.view());
    spectrum.feed(sound.view());
    spectrum.levels(1, bins);
    (void)loudness.integrated();
    (void)loudness.range();
    (void)peak.max();
  }
  loudness.restart();
  spectrum.restart();
  peak.restart();
  CHECK(allocations.load() == before);
  CHECK(loudness.frames() == 120u * sound.frames());
}

TEST_CASE("memory: momentary and short-term loudness of every node of a large session fit into a few megabytes") {
  const std::vector<double> weights = *channel_weights("stereo", 2);
  std::uint64_t before = allocated_bytes.load();
  const LoudnessWindows windows(192000.0, weights);
  const std::uint64_t small = allocated_bytes.load() - before + sizeof windows;
  before = allocated_bytes.load();
  const Loudness loudness(192000.0, weights);
  const std::uint64_t large = allocated_bytes.load() - before + sizeof loudness;
  CHECK(small <= 8 * 1024);
  CHECK(large >= 20 * small);  // else the two are not worth it
}
