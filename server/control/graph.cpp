#include "server/control/graph.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace continuo::control {

namespace {

void give_uids(session::NodeList& nodes, const session::UidSource& new_uid) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    session::DocNode& node = nodes.edit_values(i);
    node.uid = new_uid();
    give_uids(node.children, new_uid);
  }
}

}  // namespace

void give_uids(session::Document& document, const session::UidSource& new_uid) {
  give_uids(document.nodes, new_uid);
  for (session::DocConnection& connection : document.connections.edit()) connection.uid = new_uid();
  for (session::DocCue& cue : document.cues.edit()) cue.uid = new_uid();
  session::ensure_device_nodes(document);  // theirs are the same in each session, and stay
}

Graph::Graph() {
  auto document = std::make_shared<session::Document>();
  session::ensure_device_nodes(*document);
  document_ = std::move(document);
}

session::Document Graph::with_overlays(const session::Document& document) const {
  session::Document copy = document;
  for (const auto& [token, overlay] : overlays) {
    copy.nodes.push_back(overlay.node);
    copy.connections.push_back(overlay.connection);
  }
  return copy;
}

session::Compiled Graph::compile(const session::Document& document, const session::ProcessorFiles& files,
                                 const Fades& fades) {
  session::CompileRequest request;
  session::Document copy;
  request.document = &document;
  if (!overlays.empty()) {
    copy = with_overlays(document);
    request.document = &copy;
  }
  request.shape = shape_;
  request.media = files.media;
  request.impulses = files.impulses;
  request.record_taps = taps;
  request.meter_taps = meter_taps;
  request.threads = threads_;
  request.fade_edits = fades.edits;
  request.timeline_rolling = fades.timeline_rolling;
  request.faded_plan = fades.faded_plan;
  session::Compiled compiled = compiler_.compile(request);
  for (session::CompiledPlayer& player : compiled.players) {
    // One that was still fading out comes back: what it has and does is of then.
    const auto before = std::ranges::find(players_, player.uid, &session::CompiledPlayer::uid);
    player.fresh = player.fresh || (before != players_.end() && before->ref != player.ref);
  }
  players_ = compiled.players;
  recorders_ = compiled.recorders;
  meters_ = compiled.meters;
  meter_at_.clear();
  for (std::size_t m = 0; m < meters_.size(); ++m) meter_at_.emplace(meters_[m].path, m);
  output_latency_frames_ = compiled.output_latency_frames;
  ++compiles_;
  return compiled;
}

std::vector<session::ImpulseKey> Graph::impulses_of(const session::Document& document,
                                                    const session::MediaTable& media) const {
  session::CompileRequest request;
  request.document = &document;
  request.shape = shape_;
  request.media = &media;
  return session::impulses_of(request);
}

const session::CompiledPlayer* Graph::player(const std::string& path) const {
  const auto found = std::ranges::find(players_, path, &session::CompiledPlayer::path);
  return found == players_.end() ? nullptr : &*found;
}

const session::CompiledMeter* Graph::meter(const std::string& path) const {
  const auto found = meter_at_.find(path);
  return found == meter_at_.end() ? nullptr : &meters_[found->second];
}

const session::CompiledRecorder* Graph::recorder(const std::string& path) const {
  const auto found = std::ranges::find(recorders_, path, &session::CompiledRecorder::path);
  return found == recorders_.end() ? nullptr : &*found;
}

std::vector<session::CompiledRecorder> Graph::recorders_of(const session::Document& document,
                                                           const session::MediaTable& media,
                                                           const std::set<std::string>& with_taps) const {
  session::PlanCompiler scratch;
  session::CompileRequest request;
  request.document = &document;
  request.shape = shape_;
  request.media = &media;
  request.record_taps = with_taps;
  request.fade_edits = false;
  return scratch.compile(request).recorders;
}

std::vector<rt::Action> Graph::actions(const std::vector<session::ParamChange>& changes) const {
  std::vector<rt::Action> result;
  for (const session::ParamChange& change : changes) {
    if (change.rt_index < 0) continue;
    const auto target = compiler_.param_target(change.node);
    if (!target) continue;
    rt::Action action;
    action.kind = rt::Action::Kind::set_param;
    action.node = *target;
    action.param = static_cast<std::uint16_t>(change.rt_index);
    action.value = change.value;
    action.ramp_frames = ramp_frames(change.ramp_ms);
    result.push_back(action);
  }
  return result;
}

std::uint32_t Graph::ramp_frames(double ms) const {
  return static_cast<std::uint32_t>(std::lround(std::clamp(ms * shape_.sample_rate_hz / 1000.0, 0.0, 4e9)));
}

double Graph::session_rate_hz() const {
  return document_->sample_rate_hz == 0 ? shape_.sample_rate_hz : document_->sample_rate_hz;
}
rt::FrameCount Graph::to_engine(std::int64_t session_frame) const {
  return convert_frames(session_frame, session_rate_hz(), shape_.sample_rate_hz);
}
std::int64_t Graph::to_session(rt::FrameCount engine_frame) const {
  return convert_frames(engine_frame, shape_.sample_rate_hz, session_rate_hz());
}

}  // namespace continuo::control
