#include <algorithm>

#include "rt/dsp/convolution.hpp"

// What a level has to do for each of its blocks, and how that is spread over the time until the next one ends.
namespace continuo::rt::dsp {

namespace {

// Units of work, measured: a pass over a chunk is one.
constexpr std::uint32_t kTileCost = 2;
constexpr std::uint32_t kPairCost = 1;
constexpr std::uint32_t kPairs = 4;  // that are worked on together

std::uint32_t pass_cost(const Fft& fft, std::uint32_t pass) noexcept RT_NONBLOCKING {
  return pass + 1 == fft.passes() ? kTileCost : 1;
}
std::uint64_t transform_cost(const Fft& fft) noexcept RT_NONBLOCKING {
  return std::uint64_t{fft.chunks()} * (fft.passes() - 1 + kTileCost);
}

}  // namespace

/// The block of 64 is the later half of the window that ends with this level's block, and the earlier half of the next.
void Convolver::feed(Level& level) noexcept RT_NONBLOCKING {
  for (std::uint32_t c = 0; c < inputs_; ++c) {
    const float* from = input_tail(c) + kBlockFrames;
    const std::size_t place = Fft::place(level.position);
    float* const later = slot(level, c, level.newest + 1) + place + kFftCell;
    float* const earlier = slot(level, c, level.newest + 2) + place;
    for (std::uint32_t i = 0; i < kBlockFrames; i += kFftCell, from += kFftCell) {
      std::copy_n(from, kFftCell, later + 2 * i);
      std::copy_n(from, kFftCell, earlier + 2 * i);
    }
  }
  level.position += kBlockFrames;
}

void Convolver::start_job(std::size_t number) noexcept RT_NONBLOCKING {
  Level& level = audio_.levels[number];
  Job job{.phase = Phase::forward};
  job.total = inputs_ * transform_cost(*level.fft);
  const std::uint64_t pairs = std::uint64_t{impulse_.partitions(number)} * path_count();
  job.total += outputs_ * (transform_cost(*level.fft) + pairs * level.fft->chunks() * kPairCost);
  level.job = job;
}

void Convolver::work_on(std::size_t number, std::uint64_t until) noexcept RT_NONBLOCKING {
  Level& level = audio_.levels[number];
  Job& job = level.job;
  const Fft& fft = *level.fft;
  const std::uint64_t before = job.spent;
  while (job.spent < until && job.phase != Phase::done) {
    if (job.phase == Phase::multiply) {
      job.spent += multiply(number);
      continue;
    }
    // As many chunks of this pass as the budget has.
    const std::uint32_t cost = pass_cost(fft, job.pass);
    const std::uint64_t affordable = (until - job.spent + cost - 1) / cost;
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(affordable, fft.chunks() - job.chunk));
    if (job.phase == Phase::forward)
      kernels_.forward(slot(level, job.index, level.newest), fft.tables(), job.pass, job.chunk, count);
    else
      kernels_.inverse(result(level, job.index, level.sounding ^ 1), fft.tables(), job.pass, job.chunk, count);
    job.spent += std::uint64_t{count} * cost;
    job.chunk += count;
    if (job.chunk < fft.chunks()) continue;
    job.chunk = 0;
    if (job.phase == Phase::inverse) {
      if (job.pass-- > 0) continue;
      ++job.index;
      next_output(number);
    } else if (++job.pass == fft.passes()) {
      job.pass = 0;
      if (++job.index < inputs_) continue;
      job.index = 0;
      next_output(number);
    }
  }
  audio_.work += job.spent - before;
}

void Convolver::next_output(std::size_t number) noexcept RT_NONBLOCKING {
  Job& job = audio_.levels[number].job;
  job.pair = 0;
  job.chunk = 0;
  job.phase = job.index < outputs_ ? Phase::multiply : Phase::done;
}

/// Up to kPairs products over one chunk. Says what it cost.
std::uint32_t Convolver::multiply(std::size_t number) noexcept RT_NONBLOCKING {
  Level& level = audio_.levels[number];
  Job& job = level.job;
  const std::uint32_t partitions = impulse_.partitions(number), pairs = partitions * path_count();
  const std::uint32_t values = std::min(kFftChunk, level.shape.size);
  const std::size_t offset = Fft::place(std::size_t{job.chunk} * kFftChunk);
  const float* x[kPairs];
  const float* h[kPairs];
  std::uint32_t n = 0;
  const bool fresh = job.pair == 0;
  for (; n < kPairs && job.pair < pairs; ++n, ++job.pair) {
    const Path p = path(job.index, job.pair / partitions);
    const std::uint32_t partition = job.pair % partitions;
    x[n] = slot(level, p.input, level.newest + level.slots - partition) + offset;
    h[n] = impulse_.spectrum(number, p.channel, partition) + offset;
  }
  kernels_.multiply_add(result(level, job.index, level.sounding ^ 1) + offset, x, h, n, values / kFftCell, fresh);
  if (job.pair == pairs) {
    job.pair = 0;
    if (++job.chunk == level.fft->chunks()) {
      job.chunk = 0;
      job.phase = Phase::inverse;
      job.pass = level.fft->passes() - 1;
    }
  }
  return n * kPairCost;
}

}  // namespace continuo::rt::dsp
