#include "server/render/engine.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "server/base/check.hpp"
#include "server/session/expand.hpp"

namespace continuo::render {
namespace {

rt::Action action(rt::Action::Kind kind, rt::NodeRef node = {}) {
  rt::Action made;
  made.kind = kind;
  made.node = node;
  return made;
}

void free_batch(rt::Batch* batch) {
  delete batch->plan;
  delete batch;
}

}  // namespace

Engine::Engine(const session::Document& document, const session::ProcessorFiles& files, double rate_hz,
               std::uint32_t in_channels, std::uint32_t threads, const std::set<std::string>& metered)
    : rate_hz_(rate_hz) {
  session::CompileRequest request;
  request.document = &document;
  request.shape.sample_rate_hz = rate_hz;
  request.shape.in_channels = in_channels;
  request.media = files.media;
  request.impulses = files.impulses;
  request.record_taps = {"out"};
  request.fade_edits = false;
  request.meters = !metered.empty();
  for (const std::string& path : metered) {
    if (const session::DocNode* node = session::find_node(document, path)) request.meter_taps.insert(node->uid);
  }
  request.threads = threads;
  compiled_ = compiler_.compile(request);
  parallel_ = !compiled_.plan->tasks.empty();
  const auto tap = std::find_if(compiled_.recorders.begin(), compiled_.recorders.end(),
                                [](const auto& recorder) { return recorder.path == "out"; });
  CONTINUO_CHECK(tap != compiled_.recorders.end(), "the tap that was asked for is there");
  tap_ = &*tap;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    paths_.emplace(node.type == "noise" ? session::noise_uid(path) : node.uid, path);
  });
}

Engine::~Engine() {
  if (!renderer_) return;
  // Until the renderer is taken apart it may hold the sources and the sink.
  const rt::Renderer::Remains remains = renderer_->dismantle();
  for (rt::Batch* batch : remains.batches) free_batch(batch);
  rt::Event event;
  while (events_.try_pop(event)) {
    if (event.batch != nullptr) free_batch(event.batch);
  }
  delete remains.plan;
}

std::uint32_t Engine::out_channels() const noexcept { return std::max(tap_->channels, 2u); }
std::int64_t Engine::latency() const noexcept { return compiled_.output_latency_frames; }

void Engine::start(std::int64_t from, rt::Sink& sink, std::unique_ptr<rt::Batch> batch, rt::Team* team) {
  using Kind = rt::Action::Kind;
  batch->plan = compiled_.plan.release();
  batch->actions.insert(batch->actions.begin(), compiled_.actions.begin(), compiled_.actions.end());
  rt::Action locate = action(Kind::transport_locate);
  locate.position = from;
  rt::Action record = action(Kind::record_start, tap_->ref);
  record.sink = &sink;
  batch->actions.push_back(locate);
  batch->actions.push_back(action(Kind::transport_start));
  batch->actions.push_back(record);

  auto [command_writer, command_reader] = rt::make_ring<rt::Command>(1);
  auto [event_writer, event_reader] = rt::make_ring<rt::Event>(rt::Renderer::kScheduleCapacity + 1);
  commands_ = std::move(command_writer);
  events_ = std::move(event_reader);
  renderer_ = std::make_unique<rt::Renderer>(std::move(command_reader), std::move(event_writer), rate_hz_);
  renderer_->use_team(team);
  rt::Command first;
  first.sequence = 1;
  first.batch = batch.release();
  const bool pushed = commands_.try_push(first);
  CONTINUO_CHECK(pushed, "the ring is empty");
}

std::vector<std::string> Engine::faults() {
  std::map<std::string, std::size_t> counts;
  for (rt::Fault fault; renderer_->faults().try_pop(fault);) ++counts[paths_[fault.node]];
  std::vector<std::string> lines;
  for (const auto& [path, count] : counts)
    lines.push_back(path + " gave NaN or Inf: " + (path == "in" ? "taken as silence" : "muted for a second") + ", " +
                    std::to_string(count) + (count == 1 ? " time" : " times"));
  const rt::Counters& counters = renderer_->counters();
  if (const auto lost = renderer_->faults().dropped(); lost > 0)
    lines.push_back("NaN or Inf, " + std::to_string(lost) + " times more, of nodes that are not listed");
  if (const auto samples = counters.non_finite_recorded.load(); samples > 0)
    lines.push_back(std::to_string(samples) + " samples of the output were NaN or Inf and are silence");
  return lines;
}

void Engine::check_whole() const {
  const rt::Counters& counters = renderer_->counters();
  CONTINUO_CHECK(counters.starved_frames.load() == 0, "every stream was filled before every chunk");
  CONTINUO_CHECK(counters.lost_record_frames.load() == 0, "the output was drained after every chunk");
  CONTINUO_CHECK(counters.commands_orphaned.load() == 0 && counters.buffers_without_plan.load() == 0,
                 "the first batch brings it all");
}

}  // namespace continuo::render
