#include <string>

#include "rt/nodes/convolver.hpp"
#include "server/session/expand.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

rt::ConvolverSetup setup_of(const ImpulseKey& key, std::uint32_t in_count, const ProcessorFiles& files) {
  rt::ConvolverSetup setup;
  setup.latency_frames = key.latency_frames;
  setup.ins = in_count;
  // As wide before its impulse has come as with it.
  setup.outs = rt::convolver_outs(in_count, key.channels);
  if (files.impulses == nullptr || key.channels == 0) return setup;
  const auto found = files.impulses->find(key);
  if (found != files.impulses->end()) setup.impulse = found->second;
  return setup;
}

// Another file, or the same at last: another node, so that the one before can fade out with its own impulse.
ProcessorShape convolution_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                 const ProcessorFiles& files) {
  const ImpulseKey key = impulse_key(node, in_count, sample_rate_hz, files.media);
  const rt::ConvolverSetup setup = setup_of(key, in_count, files);
  std::string identity = std::to_string(in_count) + " " + std::to_string(key.latency_frames);
  if (setup.impulse != nullptr) {
    identity += " " + std::to_string(key.channels) + " " + std::to_string(key.rate_hz) + " " +
                std::to_string(setup.impulse->frames()) + " " + key.file;
  }
  return {.kind = &rt::convolver_kind(),
          .out_count = setup.outs,
          .variant = stable_hash(identity),
          .latency_frames = key.latency_frames,
          .has_tail = true};
}
std::unique_ptr<rt::Node> make_convolution(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                           const ProcessorFiles& files) {
  return rt::make_convolver(node.uid,
                            setup_of(impulse_key(node, in_count, sample_rate_hz, files.media), in_count, files));
}

constexpr ProcessorMaker kMakers[] = {
    {.type = "convolution", .shape_with = convolution_shape, .make_with = make_convolution},
};

}  // namespace

std::span<const ProcessorMaker> convolution_makers() { return kMakers; }

}  // namespace continuo::session
