// THREAD: control makes, audio runs - partitioned convolution with an even load
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
/// Where a large transform's pieces are worked off hangs on its own 64-frame grid: on the number of frames processed
/// since it was made, or since it was anchored to a clock. So the samples are the same however the frames are cut into
/// calls, and each stretch of 64 frames costs nearly the same: of shorter calls, the one that crosses the grid carries
/// the load. Measured (stereo, 3 s at 48 kHz, v3): no call above 1.5 times the mean (1.9 where something else uses the
/// caches in between); 60 s cost 0.15 s without latency (0.3 % of a core live), 0.08 s with 8192 frames.
///
/// It has one impulse for life and does not own it: another one is another convolver, and edits fade from one to the
/// other.
///
/// A NaN or infinity in the input is taken as silence.
class Convolver {
 public:
  /// Control thread; allocates 8 bytes for each frame of the impulse and input. The impulse must outlive it. Aborts
  /// where these do not go together.
  Convolver(const Impulse& impulse, std::uint32_t inputs, std::uint32_t outputs,
            const Kernels& kernels = chosen_kernels());

  /// Any thread. An impulse's channels mean something for so many inputs and outputs, 1 to Impulse::kMostChannels each:
  ///   1 channel:  each input with it; as many outputs as inputs
  ///   n channels: input k with channel k; n inputs, n outputs
  ///   n channels: the one input with each; 1 input, n outputs
  ///   4 channels: true stereo, in the order LL, LR (left in, right out), RL, RR; 2 inputs, 2 outputs
  [[nodiscard]] static bool accepts(std::uint32_t impulse_channels, std::uint32_t inputs,
                                    std::uint32_t outputs) noexcept;

  /// Audio thread, before process(): the next frame is number `clock`. The grid is a part of the sound, by its rounding
  /// (-140 dB). So where nothing but silence is remembered, the grid moves to where `clock` frames from the beginning
  /// would have brought it: what begins at a frame of the timeline sounds bit by bit as it does there at any other
  /// time. Sound that is still remembered keeps its grid.
  void anchor(FrameCount clock) noexcept RT_NONBLOCKING;

  /// Audio thread; wait-free. out[c] + at gets `frames` (1 to any number, but made for up to kBlockFrames) samples of
  /// the convolution of in[c] + at, the impulse's plan's latency_frames() later. An output may be the input of the same
  /// channel.
  void process(InputBlock in, OutputBlock out, std::uint32_t at, std::uint32_t frames) noexcept RT_NONBLOCKING;

  [[nodiscard]] std::uint32_t inputs() const noexcept RT_NONBLOCKING { return inputs_; }
  [[nodiscard]] std::uint32_t outputs() const noexcept RT_NONBLOCKING { return outputs_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return memory_.size() * sizeof(float); }

  /// Audio thread. Units of work done so far: the load's evenness, without a clock.
  [[nodiscard]] std::uint64_t work() const noexcept RT_NONBLOCKING { return audio_.work; }

 private:
  enum class Phase : std::uint8_t { forward, multiply, inverse, done };

  /// What the block that ended last needs: spectra of each input, products for each output, back to samples.
  struct Job {
    Phase phase = Phase::done;
    std::uint32_t index = 0;  // forward: input; then output
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
    float* results = nullptr;    // [output][2]
    Job job;
  };
  struct Path {
    std::uint32_t input, channel;
  };

  [[nodiscard]] std::uint32_t path_count() const noexcept RT_NONBLOCKING;
  [[nodiscard]] Path path(std::uint32_t output, std::uint32_t k) const noexcept RT_NONBLOCKING;
  [[nodiscard]] float* input_tail(std::uint32_t input) const noexcept RT_NONBLOCKING;
  [[nodiscard]] float* tail(std::uint32_t output) const noexcept RT_NONBLOCKING;
  [[nodiscard]] float* slot(const Level& level, std::uint32_t input, std::uint32_t number) const noexcept
      RT_NONBLOCKING;
  [[nodiscard]] float* result(const Level& level, std::uint32_t output, std::uint32_t which) const noexcept
      RT_NONBLOCKING;

  void note_silence(std::uint32_t frames) noexcept RT_NONBLOCKING;
  void begin_grid() noexcept RT_NONBLOCKING;
  void feed(Level& level) noexcept RT_NONBLOCKING;
  void start_job(std::size_t number) noexcept RT_NONBLOCKING;
  void work_on(std::size_t number, std::uint64_t until) noexcept RT_NONBLOCKING;
  void next_output(std::size_t number) noexcept RT_NONBLOCKING;
  [[nodiscard]] std::uint32_t multiply(std::size_t number) noexcept RT_NONBLOCKING;
  void gather() noexcept RT_NONBLOCKING;
  void render(std::uint32_t output, std::uint32_t from, std::uint32_t frames, float* to) const noexcept RT_NONBLOCKING;

  const Impulse& impulse_;
  const FftKernels& kernels_;
  const std::uint32_t inputs_;
  const std::uint32_t outputs_;
  std::uint32_t period_ = kBlockFrames;  // of the grid with all its levels: their largest block
  std::uint64_t remembered_ = 0;         // frames of silence after which nothing else is left
  FloatArena memory_;
  struct {
    std::uint32_t filled = 0;  // frames of the grid's current block: 0 to kBlockFrames
    std::uint64_t clock = 0;   // of the next frame, of which only the place in the period counts
    std::uint64_t silent = 0;  // frames since the last sound came in; not beyond remembered_
    std::uint64_t work = 0;
    float* inputs = nullptr;    // [input]: the block before, the current one
    float* tails = nullptr;     // [output]: what the levels add to the current block
    std::vector<Level> levels;  // that the impulse reaches; never grows
  } audio_;
};

}  // namespace continuo::rt::dsp
