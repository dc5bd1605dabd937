// THREAD: control makes, audio runs - partitioned convolution with an even load, and a change of impulse without a
// click
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/dsp/convolution_plan.hpp"
#include "rt/dsp/fft.hpp"
#include "rt/dsp/kernels.hpp"
#include "rt/types.hpp"

namespace continuo::rt::dsp {

/// Overlap-save in non-uniform partitions: W. G. Gardner, "Efficient Convolution without Input-Output Delay", JAES 43
/// (1995); G. Garcia, "Optimal Filter Partition for Efficient Convolution with Short Input/Output Delay", AES 113
/// (2002).
///
/// Everything hangs on the number of frames processed since it was made, its own 64-frame grid: where a large
/// transform's pieces are worked off, and where a swap begins. So the samples are the same however the frames are cut
/// into calls, and each stretch of 64 frames costs nearly the same: of shorter calls, the one that crosses the grid
/// carries the load. Measured (stereo, 3 s at 48 kHz, v3): no call above 1.5 times the mean (1.9 where something else
/// uses the caches in between); 60 s cost 0.15 s without latency (0.3 % of a core live), 0.08 s with 8192 frames.
///
/// It owns no impulse: whoever gives one keeps it alive until it comes back by take_retired(), or, with the convolver
/// out of the audio thread's hands, is found in current() and next().
///
/// A NaN or infinity in the input is taken as silence.
class Convolver {
 public:
  static constexpr std::uint32_t kFadeFrames = 2048;

  /// Control thread; allocates for the plan's longest impulse response: 8 bytes a frame and input. 1 to
  /// Impulse::kMostChannels of each (else it aborts). `first` sounds from frame 0 on; null is silence; it must be
  /// accepted.
  Convolver(std::shared_ptr<const ConvolutionPlan> plan, std::uint32_t inputs, std::uint32_t outputs,
            const Impulse* first = nullptr, const Kernels& kernels = chosen_kernels());

  /// Any thread. Made for the same plan object, and of channels that mean something here:
  ///   1 channel:  each input with it; as many outputs as inputs
  ///   n channels: input k with channel k; n inputs, n outputs
  ///   n channels: the one input with each; 1 input, n outputs
  ///   4 channels: true stereo, in the order LL, LR (left in, right out), RL, RR; 2 inputs, 2 outputs
  [[nodiscard]] bool accepts(const Impulse& impulse) const noexcept RT_NONBLOCKING;

  /// Audio thread; wait-free. out[c] + at gets `frames` (1 to any number, but made for up to kBlockFrames) samples of
  /// the convolution of in[c] + at, plan.latency_frames() later. An output may be the input of the same channel.
  void process(InputBlock in, OutputBlock out, std::uint32_t at, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// Audio thread. From here on the convolver works for both impulses; at most plan.swap_frames() later, when the new
  /// one is ready to sound as if it always had (its whole tail included), it fades over kFadeFrames. Until the fade's
  /// first frame every bit is the old one's, after its last the new one's. Null fades to silence. False, and nothing
  /// happens, while a swap is under way or its old impulse was not yet taken back, or if it is not accepted: try again.
  /// Before the first frame there is nothing to fade: the new one is taken at once.
  [[nodiscard]] bool try_swap(const Impulse* impulse) noexcept RT_NONBLOCKING;

  /// Audio thread. A swap is not over yet.
  [[nodiscard]] bool swapping() const noexcept RT_NONBLOCKING { return audio_.swapping; }

  /// Audio thread. The impulse that a swap has replaced, once; null if there is none. It isn't used any more: the
  /// control thread may destroy it.
  [[nodiscard]] const Impulse* take_retired() noexcept RT_NONBLOCKING;

  /// Audio thread. What sounds, and what is to sound (null: silence, or none).
  [[nodiscard]] const Impulse* current() const noexcept RT_NONBLOCKING { return audio_.sets[audio_.now]; }
  [[nodiscard]] const Impulse* next() const noexcept RT_NONBLOCKING {
    return audio_.swapping ? audio_.sets[audio_.now ^ 1] : nullptr;
  }

  [[nodiscard]] const ConvolutionPlan& plan() const noexcept RT_NONBLOCKING { return *plan_; }
  [[nodiscard]] std::uint32_t inputs() const noexcept RT_NONBLOCKING { return inputs_; }
  [[nodiscard]] std::uint32_t outputs() const noexcept RT_NONBLOCKING { return outputs_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return memory_.size() * sizeof(float); }

  /// Audio thread. Units of work done so far: the load's evenness, without a clock.
  [[nodiscard]] std::uint64_t work() const noexcept RT_NONBLOCKING { return audio_.work; }

 private:
  enum class Phase : std::uint8_t { forward, multiply, inverse, done };

  /// What the block that ended last needs: spectra of each input, products for each impulse and output, back to
  /// samples.
  struct Job {
    Phase phase = Phase::done;
    const Impulse* sets[2] = {};  // that it works for; null once given back
    std::uint32_t index = 0;      // forward: input; then set * outputs + output
    std::uint32_t pass = 0;
    std::uint32_t chunk = 0;
    std::uint32_t pair = 0;
    std::uint64_t spent = 0, total = 0;
  };
  struct Level {
    ConvolutionLevel shape;
    const Fft* fft = nullptr;
    std::uint32_t slots = 0;     // of an input's history: the partitions, and two that are being filled
    std::uint32_t newest = 0;    // slot of the block that ended last
    std::uint32_t position = 0;  // frames of the block that is being filled
    std::uint32_t sounding = 0;  // which of the two result buffers is heard; the job writes the other
    float* history = nullptr;    // [input][slot]
    float* results = nullptr;    // [set][output][2]
    Job job;
  };
  struct Path {
    std::uint32_t input, channel;
  };

  [[nodiscard]] std::uint32_t path_count(const Impulse& impulse) const noexcept RT_NONBLOCKING;
  [[nodiscard]] Path path(const Impulse& impulse, std::uint32_t output, std::uint32_t k) const noexcept RT_NONBLOCKING;
  [[nodiscard]] float* input_tail(std::uint32_t input) const noexcept RT_NONBLOCKING;
  [[nodiscard]] float* tail(std::uint32_t set, std::uint32_t output) const noexcept RT_NONBLOCKING;
  [[nodiscard]] float* slot(const Level& level, std::uint32_t input, std::uint32_t number) const noexcept
      RT_NONBLOCKING;
  [[nodiscard]] float* result(const Level& level, std::uint32_t set, std::uint32_t output,
                              std::uint32_t which) const noexcept RT_NONBLOCKING;

  void begin_grid() noexcept RT_NONBLOCKING;
  void feed(Level& level) noexcept RT_NONBLOCKING;
  void start_job(std::size_t number) noexcept RT_NONBLOCKING;
  void work_on(std::size_t number, std::uint64_t until) noexcept RT_NONBLOCKING;
  void next_output(std::size_t number) noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint32_t multiply(std::size_t number) noexcept RT_NONBLOCKING;
  void gather(std::uint32_t set) noexcept RT_NONBLOCKING;
  void render(std::uint32_t set, std::uint32_t output, std::uint32_t from, std::uint32_t frames,
              float* to) const noexcept RT_NONBLOCKING;

  const std::shared_ptr<const ConvolutionPlan> plan_;
  const FftKernels& kernels_;
  const std::uint32_t inputs_;
  const std::uint32_t outputs_;
  FloatArena memory_;
  struct {
    const Impulse* sets[2] = {};
    const Impulse* retired = nullptr;
    std::uint32_t now = 0;  // which set sounds
    bool swapping = false;
    FrameCount fade_from = 0;  // while swapping
    FrameCount frames = 0;     // since it was made
    std::uint32_t filled = 0;  // frames of the grid's current block: 0 to kBlockFrames
    std::uint64_t work = 0;
    float* inputs = nullptr;    // [input]: the block before, the current one
    float* tails = nullptr;     // [set][output]: what the levels add to the current block
    std::vector<Level> levels;  // never grows
  } audio_;
};

}  // namespace continuo::rt::dsp
