#include "rt/dsp/convolution.hpp"

#include <algorithm>
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

Convolver::Convolver(std::shared_ptr<const ConvolutionPlan> plan, std::uint32_t inputs, std::uint32_t outputs,
                     const Impulse* first, const Kernels& kernels)
    : plan_(std::move(plan)), kernels_(kernels.fft), inputs_(inputs), outputs_(outputs) {
  const auto in_range = [](std::uint32_t n) { return n >= 1 && n <= Impulse::kMostChannels; };
  if (!in_range(inputs_) || !in_range(outputs_)) std::abort();
  std::size_t floats = std::size_t{inputs_} * kInputFloats + std::size_t{outputs_} * 2 * kTailFloats;
  for (const ConvolutionLevel& shape : plan_->levels())
    floats += (std::size_t{inputs_} * (shape.partitions + 2) + std::size_t{outputs_} * 4) *
              ConvolutionPlan::stride(shape.size);
  memory_ = FloatArena(floats);
  float* at = memory_.data();
  const auto take = [&at](std::size_t count) {
    float* const taken = at;
    at += count;
    return taken;
  };
  for (std::size_t l = 0; l < plan_->levels().size(); ++l) {
    const ConvolutionLevel& shape = plan_->levels()[l];
    Level level{.shape = shape, .fft = &plan_->fft(l), .slots = shape.partitions + 2, .job = {}};
    level.history = take(inputs_ * level.slots * ConvolutionPlan::stride(shape.size));
    level.results = take(std::size_t{outputs_} * 4 * ConvolutionPlan::stride(shape.size));
    audio_.levels.push_back(level);
  }
  audio_.inputs = take(std::size_t{inputs_} * kInputFloats);
  audio_.tails = take(std::size_t{outputs_} * 2 * kTailFloats);
  if (!try_swap(first)) std::abort();
}

bool Convolver::accepts(const Impulse& impulse) const noexcept RT_NONBLOCKING {
  if (&impulse.plan() != plan_.get()) return false;
  const std::uint32_t n = impulse.channels();
  if (n == 1 || n == inputs_) return inputs_ == outputs_;
  return inputs_ == 1 ? n == outputs_ : (n == 4 && inputs_ == 2 && outputs_ == 2);
}

std::uint32_t Convolver::path_count(const Impulse& impulse) const noexcept RT_NONBLOCKING {
  return impulse.channels() == 4 && inputs_ == 2 ? 2 : 1;
}
Convolver::Path Convolver::path(const Impulse& impulse, std::uint32_t output, std::uint32_t k) const noexcept
    RT_NONBLOCKING {
  if (path_count(impulse) == 2) return {k, 2 * k + output};
  return {inputs_ == 1 ? 0 : output, impulse.channels() == 1 ? 0 : output};
}

float* Convolver::input_tail(std::uint32_t input) const noexcept RT_NONBLOCKING {
  return audio_.inputs + std::size_t{input} * kInputFloats;
}
float* Convolver::tail(std::uint32_t set, std::uint32_t output) const noexcept RT_NONBLOCKING {
  return audio_.tails + (std::size_t{set} * outputs_ + output) * kTailFloats;
}
float* Convolver::slot(const Level& level, std::uint32_t input, std::uint32_t number) const noexcept RT_NONBLOCKING {
  return level.history +
         (std::size_t{input} * level.slots + number % level.slots) * ConvolutionPlan::stride(level.shape.size);
}
float* Convolver::result(const Level& level, std::uint32_t set, std::uint32_t output,
                         std::uint32_t which) const noexcept RT_NONBLOCKING {
  return level.results +
         ((std::size_t{set} * outputs_ + output) * 2 + which) * ConvolutionPlan::stride(level.shape.size);
}

bool Convolver::try_swap(const Impulse* impulse) noexcept RT_NONBLOCKING {
  if (audio_.swapping || audio_.retired || (impulse && !accepts(*impulse))) return false;
  if (audio_.frames == 0) {
    audio_.retired = audio_.sets[audio_.now];
    audio_.sets[audio_.now] = impulse;
    return true;
  }
  audio_.sets[audio_.now ^ 1] = impulse;
  audio_.swapping = true;
  // Ready where each level has results of a block that ended from here on. A block that ends at this very frame counts:
  // its work begins with the next frame.
  audio_.fade_from = (audio_.frames + kBlockFrames - 1) / kBlockFrames * kBlockFrames;
  for (const Level& level : audio_.levels) {
    const FrameCount size = level.shape.size;
    const FrameCount ready = (audio_.frames + size - 1) / size * size + (level.shape.immediate() ? 0 : size);
    audio_.fade_from = std::max(audio_.fade_from, ready);
  }
  return true;
}

const Impulse* Convolver::take_retired() noexcept RT_NONBLOCKING {
  const Impulse* const retired = audio_.retired;
  audio_.retired = nullptr;
  return retired;
}

void Convolver::process(InputBlock in, OutputBlock out, std::uint32_t at, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  for (std::uint32_t done = 0; done < frames;) {
    if (audio_.filled == kBlockFrames) begin_grid();
    const std::uint32_t from = audio_.filled, n = std::min(frames - done, kBlockFrames - from);
    for (std::uint32_t c = 0; c < inputs_; ++c)
      copy_finite(input_tail(c) + kBlockFrames + from, in.channels[c] + at + done, n);
    const bool fading = audio_.swapping && audio_.frames >= audio_.fade_from;
    alignas(64) float sound[kTailFloats];
    for (std::uint32_t c = 0; c < outputs_; ++c) {
      float* const to = out.channels[c] + at + done;
      render(audio_.now, c, from, n, sound);
      copy(to, sound, n);
      if (!fading) continue;
      render(audio_.now ^ 1, c, from, n, sound);
      const auto first = static_cast<float>(static_cast<std::int32_t>(audio_.frames - audio_.fade_from));
      for (std::uint32_t i = 0; i < n; ++i) {
        const float t = (first + static_cast<float>(static_cast<std::int32_t>(i))) * (1.0f / kFadeFrames);
        to[i] += (sound[i] - to[i]) * (t * t * (3.0f - 2.0f * t));
      }
    }
    audio_.frames += n;
    audio_.filled += n;
    done += n;
  }
}

void Convolver::render(std::uint32_t set, std::uint32_t output, std::uint32_t from, std::uint32_t frames,
                       float* to) const noexcept RT_NONBLOCKING {
  const Impulse* const impulse = audio_.sets[set];
  if (!impulse) return silence(to, frames);
  const std::uint32_t cells = whole_cells(frames);
  copy(to, tail(set, output) + from, cells);
  if (!plan_->has_head()) return;
  for (std::uint32_t k = 0; k < path_count(*impulse); ++k) {
    const Path p = path(*impulse, output, k);
    kernels_.fir(to, input_tail(p.input) + kBlockFrames + from, impulse->head(p.channel), ConvolutionPlan::kHeadTaps,
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

  if (audio_.swapping && audio_.frames == audio_.fade_from + kFadeFrames) {
    audio_.retired = audio_.sets[audio_.now];
    audio_.sets[audio_.now] = nullptr;
    for (Level& level : audio_.levels) level.job.sets[audio_.now] = nullptr;  // jobs on their way leave it out
    audio_.now ^= 1;
    audio_.swapping = false;
  }
  gather(audio_.now);
  if (audio_.swapping && audio_.frames >= audio_.fade_from) gather(audio_.now ^ 1);
}

/// What the levels have for the 64 frames that begin now: the later half of each window.
void Convolver::gather(std::uint32_t set) noexcept RT_NONBLOCKING {
  const Impulse* const impulse = audio_.sets[set];
  if (!impulse) return;
  for (std::uint32_t c = 0; c < outputs_; ++c) {
    float* const to = tail(set, c);
    silence(to, kBlockFrames);
    for (std::size_t l = 0; l < audio_.levels.size(); ++l) {
      const Level& level = audio_.levels[l];
      if (impulse->partitions(l) == 0) continue;
      const float* from = result(level, set, c, level.sounding) + Fft::place(level.position) + kFftCell;
      for (std::uint32_t i = 0; i < kBlockFrames; i += kFftCell)
        for (std::uint32_t k = 0; k < kFftCell; ++k) to[i + k] += from[2 * i + k];
    }
  }
}

}  // namespace continuo::rt::dsp
