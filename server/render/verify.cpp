#include "server/render/verify.hpp"

#include <algorithm>
#include <string>

#include "server/render/digest.hpp"

namespace continuo::render {
namespace {

// No multiple of the engine's blocks, so that every one of those is cut somewhere.
constexpr std::uint32_t kOtherBlock = 333;
constexpr std::uint32_t kYetAnotherBlock = 1021;

std::string difference(const RenderResult& a, const RenderResult& b) {
  if (a.frames != b.frames || a.channels != b.channels) {
    return std::to_string(a.frames) + " frames of " + std::to_string(a.channels) + " channels, then " +
           std::to_string(b.frames) + " of " + std::to_string(b.channels);
  }
  const auto [x, y] = std::mismatch(a.checksums.begin(), a.checksums.end(), b.checksums.begin(), b.checksums.end());
  if (x == a.checksums.end() && y == b.checksums.end()) return {};
  const std::int64_t from = (x - a.checksums.begin()) * Checksums::kFrames;
  return "the first difference lies in frames " + std::to_string(from) + " to " +
         std::to_string(std::min(from + Checksums::kFrames, a.frames) - 1) + " (from 0)";
}

}  // namespace

Result<> verify_render(const session::Document& document, const RenderOptions& options, const RenderResult& first) {
  RenderOptions other = options;
  other.nowhere = true;
  other.digest = false;
  other.loudness = false;
  other.stems = {};
  other.checksums = true;
  other.progress = nullptr;
  other.block_frames = options.block_frames == kOtherBlock ? kYetAnotherBlock : kOtherBlock;
  other.threads = options.threads == 1 ? 2 : 1;
  auto renderer = OfflineRenderer::prepare(document, other);
  if (!renderer) return renderer.error();
  const auto second = (*renderer)->run();
  if (!second) return second.error();
  const std::string found = difference(first, *second);
  if (found.empty()) return {};
  return make_error(ErrorKind::internal, "NOT_REPRODUCIBLE", options.output.string(),
                    "rendered again in blocks of " + std::to_string(other.block_frames) + " frames with " +
                        std::to_string(other.threads) + " threads it is not the same: " + found);
}

}  // namespace continuo::render
