#include "server/render/compare.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "server/media/decode.hpp"
#include "server/render/find_offset.hpp"

namespace continuo::render {
namespace {

constexpr std::size_t kFrames = 8192;

/// One file, block by block.
struct Reader {
  std::unique_ptr<media::Decoder> decoder;
  std::vector<float> block;
  std::size_t frames = 0;

  void next(float& peak, std::size_t most = kFrames) {
    const std::uint32_t channels = decoder->info().channels;
    block.resize(kFrames * channels);
    frames = decoder->read(block.data(), most);
    for (std::size_t i = 0; i < frames * channels; ++i) peak = std::max(peak, std::abs(block[i]));
  }
  void skip(std::int64_t count, float& peak) {
    for (; count > 0; count -= static_cast<std::int64_t>(frames)) {
      next(peak, static_cast<std::size_t>(std::min<std::int64_t>(count, kFrames)));
      if (frames == 0) return;
    }
  }
};

void compare_block(const Reader& a, const Reader& b, std::int64_t at, Comparison& result) {
  const std::size_t frames = std::min(a.frames, b.frames);
  result.compared += static_cast<std::int64_t>(frames);
  const std::uint32_t wide_a = a.decoder->info().channels;
  const std::uint32_t wide_b = b.decoder->info().channels;
  for (std::size_t i = 0; i < frames; ++i) {
    for (std::uint32_t c = 0; c < std::min(wide_a, wide_b); ++c) {
      const float x = a.block[i * wide_a + c];
      const float y = b.block[i * wide_b + c];
      if (x == y || std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y)) continue;
      if (result.first_frame < 0) {
        result.first_frame = at + static_cast<std::int64_t>(i);
        result.first_channel = c + 1;
      }
      ++result.differing;
      const double difference = std::abs(static_cast<double>(x) - static_cast<double>(y));
      result.greatest_difference = std::isfinite(difference) ? std::max(result.greatest_difference, difference)
                                                             : std::numeric_limits<double>::max();
    }
  }
}

}  // namespace

Result<Comparison> compare_files(const std::filesystem::path& a, const std::filesystem::path& b, const Offset& offset) {
  Reader readers[2];
  for (auto [file, reader] : {std::pair(&a, &readers[0]), std::pair(&b, &readers[1])}) {
    auto opened = media::Decoder::open(*file);
    if (!opened) return opened.error();
    reader->decoder = std::move(*opened);
  }
  Comparison result;
  result.a.info = readers[0].decoder->info();
  result.b.info = readers[1].decoder->info();
  result.offset_wanted = !std::holds_alternative<std::monostate>(offset);
  if (const auto* frames = std::get_if<std::int64_t>(&offset)) result.offset = *frames;
  if (std::holds_alternative<FindOffset>(offset)) {
    const auto found = find_offset(a, b);
    if (!found) return found.error();
    result.offset_found = found->has_value();
    result.offset = found->value_or(0);
  }
  readers[0].skip(-result.offset, result.a.peak);
  readers[1].skip(result.offset, result.b.peak);
  for (std::int64_t at = std::max<std::int64_t>(0, -result.offset);; at += kFrames) {
    readers[0].next(result.a.peak);
    readers[1].next(result.b.peak);
    if (readers[0].frames == 0 && readers[1].frames == 0) break;
    compare_block(readers[0], readers[1], at, result);
  }
  for (const Reader& reader : readers) {
    if (!reader.decoder->error().empty())
      return make_error(ErrorKind::data_loss, "READ_FAILED", "", reader.decoder->error());
  }
  const bool whole = result.offset_wanted ? result.compared > 0 : result.a.info.frames == result.b.info.frames;
  result.identical = result.differing == 0 && whole && result.a.info.channels == result.b.info.channels &&
                     result.a.info.sample_rate_hz == result.b.info.sample_rate_hz;
  return result;
}

}  // namespace continuo::render
