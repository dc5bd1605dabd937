#include <cmath>

#include "rt/nodes/feedback.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "rt/nodes/player.hpp"
#include "rt/nodes/recorder.hpp"
#include "rt/nodes/sweep.hpp"
#include "server/base/check.hpp"
#include "server/session/expand.hpp"
#include "server/session/live_nodes.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor.hpp"

namespace continuo::session {
namespace {

std::size_t param_count(const rt::NodeKind& kind) {
  if (&kind == &rt::fader_kind()) return rt::FaderParam::count;
  if (&kind == &rt::noise_kind()) return rt::NoiseParam::count;
  return 0;
}

/// Meters end their windows in turns, whichever numbers the server gives them.
std::uint32_t window_start(rt::Uid uid) {
  constexpr std::uint32_t kPlaces = rt::kMeterWindowFrames / rt::kBlockFrames;
  return static_cast<std::uint32_t>((uid * 0x9e3779b97f4a7c15ull) >> 32) % kPlaces * rt::kBlockFrames;
}

std::unique_ptr<rt::Node> sweep_node(const DocNode& doc, rt::Uid uid, double sample_rate_hz) {
  const auto frames = [&](double seconds) {
    return static_cast<rt::FrameCount>(std::llround(seconds * sample_rate_hz));
  };
  const double duration = number_of(doc, "duration_s");
  return std::unique_ptr<rt::Node>(rt::make_sweep(
      uid, {.start_hz = number_of(doc, "start_hz"),
            .end_hz = number_of(doc, "end_hz"),
            .frames = frames(duration),
            .period = number_of(doc, "repeat") != 0.0 ? frames(duration + number_of(doc, "gap_s")) : 0}));
}

std::unique_ptr<rt::Node> bare_node(const FlatNode& node, double sample_rate_hz, const ProcessorFiles& files,
                                    const rt::Node* partner) {
  const rt::Uid uid = node.key.uid;
  if (node.key.role == FlatRole::processor) return make_processor(*node.doc, node.main_in_count, sample_rate_hz, files);
  if (node.kind == &rt::player_kind()) {
    const bool is_free = text_of(*node.doc, "mode") == "free";
    return std::make_unique<rt::PlayerNode>(uid, is_free, start_frame(*node.doc, sample_rate_hz), node.out_count);
  }
  if (node.kind == &rt::sweep_kind()) return sweep_node(*node.doc, uid, sample_rate_hz);
  if (node.kind == &rt::feedback_out_kind())
    return std::unique_ptr<rt::Node>(
        rt::make_feedback_out(uid, node.out_count, feedback_frames(*node.doc, sample_rate_hz)));
  if (node.kind == &rt::feedback_in_kind()) {
    CONTINUO_CHECK(partner != nullptr, "expand() puts the end that gives before the one that takes");
    return std::unique_ptr<rt::Node>(rt::make_feedback_in(uid, *partner));
  }
  if (node.kind == &rt::oscillator_kind()) return std::unique_ptr<rt::Node>(rt::make_oscillator(uid));
  if (node.kind == &rt::meter_kind()) return std::make_unique<rt::MeterTapNode>(uid, node.in_count, window_start(uid));
  if (node.kind == &rt::recorder_kind()) return std::make_unique<rt::RecorderNode>(uid);
  const rt::Uid seed = node.kind == &rt::noise_kind() ? noise_uid(node.path) : uid;
  return std::make_unique<rt::Node>(*node.kind, seed, param_count(*node.kind));
}

}  // namespace

rt::Uid noise_uid(std::string_view path) { return stable_hash(path) & kDeviceOutUid; }

bool takes_commands(FlatRole role) {
  switch (role) {
    case FlatRole::join:
    case FlatRole::device_in:
    case FlatRole::device_out:
    case FlatRole::meter:
    case FlatRole::meter_tap:
    case FlatRole::delay_line:
    case FlatRole::feedback_out:
    case FlatRole::feedback_in:
      return false;
    case FlatRole::player:
    case FlatRole::generator:
    case FlatRole::processor:
    case FlatRole::fader:
    case FlatRole::recorder:
    case FlatRole::recorder_tap:
    case FlatRole::edge:
      break;
  }
  return true;
}

std::unique_ptr<rt::Node> make_rt_node(const FlatNode& node, bool sounds, double sample_rate_hz,
                                       const ProcessorFiles& files, const rt::Node* partner) {
  CONTINUO_CHECK(node.doc != nullptr, "what only fades out was made by an earlier plan");
  std::unique_ptr<rt::Node> made = bare_node(node, sample_rate_hz, files, partner);
  const bool tap = node.key.role == FlatRole::meter_tap || node.key.role == FlatRole::recorder_tap;
  const TypeSpec& type = *find_type(node.doc->type);
  for (const ParamSpec& spec : type.params) {
    if (spec.rt_index < 0 || tap) continue;
    const auto index = static_cast<std::size_t>(spec.rt_index);
    CONTINUO_CHECK(index < made->params.size(), "the registry's indices are the kind's");
    const bool logarithmic = spec.scale == ParamScale::logarithmic;
    made->params[index] =
        rt::Param(number_of(*node.doc, spec.name), logarithmic ? rt::Curve::exponential : rt::Curve::linear);
  }
  if (node.key.role == FlatRole::fader) made->params[rt::FaderParam::audible] = rt::Param(sounds ? 1.0 : 0.0);
  return made;
}

}  // namespace continuo::session
