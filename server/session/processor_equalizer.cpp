#include <string>
#include <vector>

#include "rt/nodes/equalizer.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

using Node = std::unique_ptr<rt::Node>;

/// A section that starts in the middle of a sound rings; by then it is below what matters from 100 Hz on.
constexpr std::uint32_t kSettleFrames = 2048;

std::vector<rt::EqBand> bands_of(const DocNode& node) {
  std::vector<rt::EqBand> bands(rt::kEqBands);
  for (std::uint32_t b = 0; b < rt::kEqBands; ++b) {
    const std::string band = "band" + std::to_string(b + 1);
    bands[b].type = static_cast<rt::dsp::BandType>(number_of(node, band + ".type"));
    const bool pass = bands[b].type == rt::dsp::BandType::low_pass || bands[b].type == rt::dsp::BandType::high_pass;
    bands[b].sections = pass ? 1 + static_cast<std::uint32_t>(number_of(node, band + ".slope_db_per_oct")) : 1;
  }
  return bands;
}
ProcessorShape eq_shape(const DocNode& node, std::uint32_t in_count, double) {
  const std::vector<rt::EqBand> bands = bands_of(node);
  std::uint64_t variant = 0;
  for (const rt::EqBand& band : bands)
    variant = variant * 64 + static_cast<std::uint64_t>(band.type) * 8 + band.sections;
  return {.kind = &rt::eq_kind(),
          .out_count = in_count,
          .size = rt::eq_sections(bands),
          .variant = variant,
          .settle_frames = kSettleFrames};
}
Node make_eq(const DocNode& node, std::uint32_t, double) { return Node(rt::make_eq(node.uid, bands_of(node))); }

constexpr ProcessorMaker kMakers[] = {
    {"eq", false, eq_shape, make_eq},
};

}  // namespace

std::span<const ProcessorMaker> equalizer_makers() { return kMakers; }

}  // namespace continuo::session
