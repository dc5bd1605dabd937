#include "server/control/takes.hpp"

#include <algorithm>
#include <utility>

#include "rt/nodes/recorder.hpp"
#include "server/base/log.hpp"
#include "server/control/prerolls.hpp"

namespace continuo::control {

media::TakePlace Takes::Placing::place(rt::FrameCount engine_frame, rt::FrameCount timeline_frame) const {
  const double later = static_cast<double>(engine_frame - utc_frame) / rate_hz;
  return {timeline_frame - latency_frames, utc_ns + static_cast<std::int64_t>(later * 1e9)};
}

Takes::Takes(Strand& strand, media::DiskPool& pool, const media::Roots& roots, std::string file_template, Hooks hooks,
             media::MakeTakeFile make)
    : strand_(strand),
      pool_(pool),
      roots_(roots),
      template_(std::move(file_template)),
      hooks_(std::move(hooks)),
      make_(std::move(make)),
      timer_(strand) {}

void Takes::lend(Opened take, const session::CompiledRecorder& recorder, rt::FrameCount stop,
                 std::vector<rt::Action>& actions, const std::shared_ptr<media::PrerollGroup>& group) {
  rt::Action action;
  action.kind = rt::Action::Kind::record_start;
  action.node = recorder.ref;
  if (placement_) *take.placing = placement_(recorder);
  take.writer->sink().stop_timeline_frame = stop;
  action.sink = &take.writer->sink();
  std::shared_ptr<media::Preroll> before;
  if (prerolls_ != nullptr) before = prerolls_->hand_over(recorder, take.rate_hz, actions, group);
  if (before) {
    before->begin_with(take.writer, group);
    before->sink().limit = take.order.limit;
    before->sink().stop_timeline_frame = stop;
    action.sink = &before->sink();
  }
  actions.push_back(action);
  log::info("take {}: {} channels of {}", take.name, take.order.channels, take.order.node);
  const auto on_strand = [this, writer = take.writer.get(), post = strand_.poster()](auto member) {
    return [this, writer, post, member](const media::TakeResult& result) {
      post([this, writer, member, result] { (this->*member)(writer, result); });
    };
  };
  pool_.add(take.writer, on_strand(&Takes::closed), on_strand(&Takes::failed));
  problems_.clear();
  cut_off_.erase(take.order.node);
  copy_of(take);
  running_.push_back({.take = std::move(take), .recorder = recorder.ref, .before = std::move(before)});
  if (!timer_.waiting()) timer_.after(kLook, [this] { look(); });
}

void Takes::home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped) {
  const auto cut_off = [this](const rt::Sink* sink) {
    if (sink == nullptr) return;
    for (Running& running : running_) {
      if (&running.take.writer->sink() == sink) running.take.writer->abandon();
    }
    if (prerolls_ != nullptr) prerolls_->home(sink);
  };
  for (const rt::Action& action : actions) {
    if (action.kind == rt::Action::Kind::record_start) cut_off(action.sink);
  }
  for (const auto& node : dropped) {
    if (const auto* recorder = dynamic_cast<const rt::RecorderNode*>(node.get())) cut_off(recorder->audio_.sink);
  }
}

bool Takes::recording(const std::string& node) const { return recording().contains(node); }

std::set<std::string> Takes::recording() const {
  std::set<std::string> nodes;
  for (const Running& running : running_) {
    const bool over = running.stopping || running.sink()->finished.load(std::memory_order_acquire);
    if (!over) nodes.insert(running.take.order.node);
  }
  return nodes;
}

std::shared_ptr<rt::Sink> Takes::sink_of(const std::string& node) const {
  for (const Running& running : running_) {
    if (running.take.order.node != node || running.sink()->finished.load(std::memory_order_acquire)) continue;
    if (running.before) return {running.before, running.sink()};
    return {running.take.writer, running.sink()};
  }
  return nullptr;
}

Takes::Ref Takes::ref(const Opened& take) {
  Ref all{take.id, {}};
  const std::string folder = take.name.substr(0, take.name.find_last_of(":/") + 1);
  for (const auto& file : take.writer->files()) all.files.push_back(folder + file.filename().string());
  return all;
}

std::set<std::string> Takes::cut_off() const {
  std::set<std::string> nodes;
  for (const auto& [node, take] : cut_off_) nodes.insert(node);
  return nodes;
}

std::vector<rt::Action> Takes::stop(const std::set<std::string>& nodes, std::vector<Ref>& stopped) {
  std::vector<rt::Action> actions;
  for (Running& running : running_) {
    if (running.stopping || !nodes.contains(running.take.order.node)) continue;
    running.stopping = true;
    rt::Action action;
    action.kind = rt::Action::Kind::record_stop;
    action.node = running.recorder;
    action.sink = running.sink();
    actions.push_back(action);
    stopped.push_back(ref(running.take));
  }
  std::erase_if(cut_off_, [&](const auto& cut) {
    if (!nodes.contains(cut.first)) return false;
    stopped.push_back(cut.second);
    return true;
  });
  return actions;
}

void Takes::abandon() {
  stop_repair_->store(true, std::memory_order_relaxed);
  for (Running& running : running_) {
    if (running.before)
      running.before->abandon();
    else if (!running.take.writer->sink().finished.load(std::memory_order_acquire))
      running.take.writer->abandon();
  }
}

}  // namespace continuo::control
