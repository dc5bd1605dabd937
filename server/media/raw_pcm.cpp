#include "server/media/raw_pcm.hpp"

#include <algorithm>
#include <cstring>

#include "rt/dsp/kernels.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kPieceBytes = 24 * 1024;  // read at once

/// Chosen once: the choice asks the environment.
const rt::dsp::Kernels& kernels() noexcept {
  static const rt::dsp::Kernels& chosen = rt::dsp::chosen_kernels();
  return chosen;
}

template <class Integer>
void decode_whole(const std::byte* __restrict bytes, float* __restrict out, std::size_t samples, float scale) noexcept {
  for (std::size_t i = 0; i < samples; ++i) {
    Integer sample;
    std::memcpy(&sample, bytes + i * sizeof sample, sizeof sample);
    out[i] = static_cast<float>(sample) * scale;
  }
}

}  // namespace

void decode_samples(RawLayout::Sample sample, const std::byte* bytes, float* out, std::size_t samples) noexcept {
  switch (sample) {
    case RawLayout::Sample::pcm16:
      return decode_whole<std::int16_t>(bytes, out, samples, 0x1p-15f);
    case RawLayout::Sample::pcm24:
      return kernels().pcm24(out, bytes, static_cast<std::uint32_t>(samples));
    case RawLayout::Sample::pcm32:
      return decode_whole<std::int32_t>(bytes, out, samples, 0x1p-31f);
    case RawLayout::Sample::float32:
      if (samples > 0) std::memcpy(out, bytes, samples * sizeof(float));
      return;
    case RawLayout::Sample::none:
      return;
  }
}

std::size_t read_raw_frames(BlockFile& file, const RawLayout& layout, std::int64_t frame, float* out,
                            std::size_t frames) {
  // On the stack: it stays in the nearest cache, where a buffer for each file would not.
  alignas(64) std::byte bytes[kPieceBytes];
  const std::size_t frame_bytes = layout.frame_bytes();
  const std::size_t most = kPieceBytes / frame_bytes;
  std::size_t done = 0;
  while (done < frames) {
    const std::size_t wanted = std::min(frames - done, most);
    const std::int64_t at =
        layout.data_at + (frame + static_cast<std::int64_t>(done)) * static_cast<std::int64_t>(frame_bytes);
    const std::size_t n = file.read_at(at, bytes, wanted * frame_bytes) / frame_bytes;
    decode_samples(layout.sample, bytes, out + done * layout.channels, n * layout.channels);
    done += n;
    if (n < wanted) break;
  }
  return done;
}

}  // namespace continuo::media
