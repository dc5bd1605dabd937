#include "server/media/raw_pcm.hpp"

#include <algorithm>
#include <cstring>

namespace continuo::media {
namespace {

/// Words of four bytes loaded at every third byte, eight at a time: the compiler does the rest in vectors.
void decode_24(const std::byte* __restrict bytes, float* __restrict out, std::size_t samples) noexcept {
  constexpr std::size_t kGroup = 8;
  std::size_t i = 0;
  for (; i + kGroup < samples; i += kGroup) {  // the last word has a byte of the next sample
    std::uint32_t words[kGroup];
    float floats[kGroup];
    for (std::size_t k = 0; k < kGroup; ++k) std::memcpy(&words[k], bytes + 3 * (i + k), 4);
    for (std::size_t k = 0; k < kGroup; ++k)
      floats[k] = static_cast<float>(static_cast<std::int32_t>(words[k] << 8)) * 0x1p-31f;
    std::memcpy(out + i, floats, sizeof floats);
  }
  for (; i < samples; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes + 3 * i, 3);
    out[i] = static_cast<float>(static_cast<std::int32_t>(word << 8)) * 0x1p-31f;
  }
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
      return decode_24(bytes, out, samples);
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
  const std::size_t frame_bytes = layout.frame_bytes();
  file.seek(layout.data_at + frame * static_cast<std::int64_t>(frame_bytes));
  std::size_t done = 0;
  while (done < frames) {
    const std::span<const std::byte> bytes = file.view(frame_bytes);
    const std::size_t n = std::min(frames - done, bytes.size() / frame_bytes);
    if (n == 0) break;
    decode_samples(layout.sample, bytes.data(), out + done * layout.channels, n * layout.channels);
    file.skip(n * frame_bytes);
    done += n;
  }
  return done;
}

}  // namespace continuo::media
