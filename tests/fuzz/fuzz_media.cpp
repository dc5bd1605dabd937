// Any bytes as a media file: it is refused, or every frame that it promises can be read, in any order, and none beyond.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "server/media/decode.hpp"
#include "tests/fuzz/memory_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const continuo::fuzz::MemoryFile file(data, size);
  const auto decoder = continuo::media::Decoder::open(file.path());
  if (!decoder) {
    if (decoder.error().message.empty()) std::abort();
    return 0;
  }
  const continuo::media::MediaInfo info = (*decoder)->info();
  if (info.channels == 0 || info.channels > 64 || info.sample_rate_hz == 0 || info.frames <= 0) std::abort();
  constexpr std::size_t kFrames = 1024;
  std::vector<float> block(kFrames * info.channels);
  std::int64_t read = 0;
  for (int i = 0; i < 64; ++i) {
    const std::size_t got = (*decoder)->read(block.data(), kFrames);
    read += static_cast<std::int64_t>(got);
    if (got > kFrames || read > info.frames) std::abort();
    if (got < kFrames) break;
  }
  if ((*decoder)->seek(info.frames / 2)) (void)(*decoder)->read(block.data(), kFrames);
  if ((*decoder)->seek(info.frames) && (*decoder)->read(block.data(), kFrames) != 0) std::abort();
  return 0;
}
