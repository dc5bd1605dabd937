#include "server/session/processor.hpp"

#include "server/base/check.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

const ProcessorMaker& maker_of(std::string_view type) {
  for (const std::span<const ProcessorMaker> makers :
       {level_makers(), equalizer_makers(), dynamics_makers(), time_makers(), convolution_makers()}) {
    for (const ProcessorMaker& maker : makers) {
      if (maker.type == type) return maker;
    }
  }
  CONTINUO_CHECK(false, "every processor of the registry has a maker");
  return level_makers().front();
}

}  // namespace

ProcessorShape shape_of_processor(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                  const ProcessorFiles& files) {
  const ProcessorMaker& maker = maker_of(node.type);
  if (maker.shape_with != nullptr) return maker.shape_with(node, in_count, sample_rate_hz, files);
  return maker.shape(node, in_count, sample_rate_hz);
}

std::unique_ptr<rt::Node> make_processor(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                         const ProcessorFiles& files) {
  const ProcessorMaker& maker = maker_of(node.type);
  if (maker.make_with != nullptr) return maker.make_with(node, in_count, sample_rate_hz, files);
  return maker.make(node, in_count, sample_rate_hz);
}

bool takes_key(std::string_view type) {
  const TypeSpec* spec = find_type(type);
  return spec != nullptr && spec->role == TypeRole::processor && maker_of(type).takes_key;
}

}  // namespace continuo::session
