#include "rt/dsp/convolution.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"

namespace continuo::rt::dsp {

namespace {

constexpr std::uint32_t kInputFloats = 2 * kBlockFrames + kFftCell;  // the direct form works on whole cells
constexpr std::uint32_t kTailFloats = kBlockFrames + kFftCell;

constexpr std::uint32_t whole_cells(std::uint32_t frames) noexcept RT_NONBLOCKING {
  return (frames + kFftCell - 1) / kFftCell * kFftCell;
}

}  // namespace

Convolver::Convolver(const Impulse& impulse, std::uint32_t inputs, std::uint32_t outputs, const Kernels& kernels)
    : impulse_(impulse), kernels_(kernels.fft), inputs_(inputs), outputs_(outputs) {
  if (!accepts(impulse.channels(), inputs, outputs)) std::abort();
  const ConvolutionPlan& plan = impulse.plan();
  std::size_t reached = 0;
  while (reached < plan.levels().size() && impulse.partitions(reached) != 0) ++reached;
  std::size_t floats = std::size_t{inputs_} * kInputFloats + std::size_t{outputs_} * kTailFloats;
  for (const ConvolutionLevel& shape : plan.levels().first(reached))
    floats += (std::size_t{inputs_} * (shape.partitions + 2) + std::size_t{outputs_} * 2) *
              ConvolutionPlan::stride(shape.size);
  memory_ = FloatArena(floats);
  float* at = memory_.data();
  const auto take = [&at](std::size_t count) {
    float* const taken = at;
    at += count;
    return taken;
  };
  for (std::size_t l = 0; l < reached; ++l) {
    const ConvolutionLevel& shape = plan.levels()[l];
    Level level{.shape = shape, .fft = &plan.fft(l), .slots = shape.partitions + 2, .job = {}};
    level.history = take(inputs_ * level.slots * ConvolutionPlan::stride(shape.size));
    level.results = take(std::size_t{outputs_} * 2 * ConvolutionPlan::stride(shape.size));
    audio_.levels.push_back(level);
    period_ = std::max(period_, shape.size);
    // The history, the job on its last block, and its two results.
    remembered_ = std::max(remembered_, std::uint64_t{level.slots + 3} * shape.size);
  }
  remembered_ += 3 * kBlockFrames;  // the input's tail, a block under way
  audio_.silent = remembered_;
  audio_.inputs = take(std::size_t{inputs_} * kInputFloats);
  audio_.tails = take(std::size_t{outputs_} * kTailFloats);
}

bool Convolver::accepts(std::uint32_t impulse_channels, std::uint32_t inputs, std::uint32_t outputs) noexcept {
  const auto in_range = [](std::uint32_t n) { return n >= 1 && n <= Impulse::kMostChannels; };
  if (!in_range(inputs) || !in_range(outputs)) return false;
  const std::uint32_t n = impulse_channels;
  if (n == 1 || n == inputs) return inputs == outputs;
  return inputs == 1 ? n == outputs : (n == 4 && inputs == 2 && outputs == 2);
}

std::uint32_t Convolver::path_count() const noexcept RT_NONBLOCKING {
  return impulse_.channels() == 4 && inputs_ == 2 ? 2 : 1;
}
Convolver::Path Convolver::path(std::uint32_t output, std::uint32_t k) const noexcept RT_NONBLOCKING {
  if (path_count() == 2) return {k, 2 * k + output};
  return {inputs_ == 1 ? 0 : output, impulse_.channels() == 1 ? 0 : output};
}

float* Convolver::input_tail(std::uint32_t input) const noexcept RT_NONBLOCKING {
  return audio_.inputs + std::size_t{input} * kInputFloats;
}
float* Convolver::tail(std::uint32_t output) const noexcept RT_NONBLOCKING {
  return audio_.tails + std::size_t{output} * kTailFloats;
}
float* Convolver::slot(const Level& level, std::uint32_t input, std::uint32_t number) const noexcept RT_NONBLOCKING {
  return level.history +
         (std::size_t{input} * level.slots + number % level.slots) * ConvolutionPlan::stride(level.shape.size);
}
float* Convolver::result(const Level& level, std::uint32_t output, std::uint32_t which) const noexcept RT_NONBLOCKING {
  return level.results + (std::size_t{output} * 2 + which) * ConvolutionPlan::stride(level.shape.size);
}

void Convolver::anchor(FrameCount clock) noexcept RT_NONBLOCKING {
  const auto now = static_cast<std::uint64_t>(clock);
  if (((now ^ audio_.clock) & (period_ - 1)) == 0 || audio_.silent < remembered_) return;
  audio_.clock = now;
  audio_.filled = static_cast<std::uint32_t>(now % kBlockFrames);
  for (Level& level : audio_.levels) {
    level.position = static_cast<std::uint32_t>((now - audio_.filled) & (level.shape.size - 1));
    level.job = {};  // of silence
  }
}

/// Of the `frames` that were just taken in.
void Convolver::note_silence(std::uint32_t frames) noexcept RT_NONBLOCKING {
  std::uint32_t bits = 0;
  for (std::uint32_t c = 0; c < inputs_; ++c) {
    const float* const from = input_tail(c) + kBlockFrames + audio_.filled;
    for (std::uint32_t i = 0; i < frames; ++i) bits |= std::bit_cast<std::uint32_t>(from[i]);
  }
  audio_.silent = (bits & 0x7fffffffu) != 0 ? 0 : std::min(audio_.silent + frames, remembered_);
}

void Convolver::process(InputBlock in, OutputBlock out, std::uint32_t at, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  for (std::uint32_t done = 0; done < frames;) {
    if (audio_.filled == kBlockFrames) begin_grid();
    const std::uint32_t from = audio_.filled, n = std::min(frames - done, kBlockFrames - from);
    for (std::uint32_t c = 0; c < inputs_; ++c)
      copy_finite(input_tail(c) + kBlockFrames + from, in.channels[c] + at + done, n);
    alignas(64) float sound[kTailFloats];
    for (std::uint32_t c = 0; c < outputs_; ++c) {
      render(c, from, n, sound);
      copy(out.channels[c] + at + done, sound, n);
    }
    note_silence(n);
    audio_.filled += n;
    audio_.clock += n;
    done += n;
  }
}

void Convolver::render(std::uint32_t output, std::uint32_t from, std::uint32_t frames, float* to) const noexcept
    RT_NONBLOCKING {
  const std::uint32_t cells = whole_cells(frames);
  copy(to, tail(output) + from, cells);
  if (!impulse_.plan().has_head()) return;
  for (std::uint32_t k = 0; k < path_count(); ++k) {
    const Path p = path(output, k);
    kernels_.fir(to, input_tail(p.input) + kBlockFrames + from, impulse_.head(p.channel), ConvolutionPlan::kHeadTaps,
                 cells);
  }
}

/// A block of the grid is full: hand it to the levels, do this block's share of their work, and gather what they have
/// for the next.
void Convolver::begin_grid() noexcept RT_NONBLOCKING {
  for (std::size_t l = 0; l < audio_.levels.size(); ++l) {
    Level& level = audio_.levels[l];
    feed(level);
    if (level.position == level.shape.size) {
      level.position = 0;
      level.newest = (level.newest + 1) % level.slots;
      level.sounding ^= 1;
      start_job(l);
    }
    work_on(l, level.job.total * (level.position + kBlockFrames) / level.shape.size);
    if (level.shape.immediate()) level.sounding ^= 1;
  }
  for (std::uint32_t c = 0; c < inputs_; ++c) copy(input_tail(c), input_tail(c) + kBlockFrames, kBlockFrames);
  audio_.filled = 0;
  gather();
}

/// What the levels have for the 64 frames that begin now: the later half of each window.
void Convolver::gather() noexcept RT_NONBLOCKING {
  for (std::uint32_t c = 0; c < outputs_; ++c) {
    float* const to = tail(c);
    silence(to, kBlockFrames);
    for (const Level& level : audio_.levels) {
      const float* from = result(level, c, level.sounding) + Fft::place(level.position) + kFftCell;
      for (std::uint32_t i = 0; i < kBlockFrames; i += kFftCell)
        for (std::uint32_t k = 0; k < kFftCell; ++k) to[i + k] += from[2 * i + k];
    }
  }
}

}  // namespace continuo::rt::dsp
