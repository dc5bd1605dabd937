#include "rt/nodes/gain.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

using Node = std::unique_ptr<rt::Node>;

ProcessorShape gain_shape(const DocNode&, std::uint32_t in_count, double) {
  return {.kind = &rt::gain_kind(), .out_count = in_count};
}
Node make_gain(const DocNode& node, std::uint32_t, double) {
  return plain_node(rt::gain_kind(), node, rt::GainParam::count);
}

ProcessorShape pan_shape(const DocNode&, std::uint32_t in_count, double) {
  return {.kind = &rt::pan_kind(), .out_count = in_count == 1 ? 2 : in_count, .variant = in_count};
}
Node make_pan(const DocNode& node, std::uint32_t, double) { return plain_node(rt::pan_kind(), node, rt::PanParam::count); }

constexpr ProcessorMaker kMakers[] = {
    {"gain", false, gain_shape, make_gain},
    {"pan", false, pan_shape, make_pan},
};

}  // namespace

std::span<const ProcessorMaker> level_makers() { return kMakers; }

}  // namespace continuo::session
