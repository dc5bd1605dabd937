// THREAD: any, one at a time - a session compiled as the daemon does it, its players fed from memory, driven by hand
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rt/renderer.hpp"
#include "rt/source.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::bench {

inline double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Every file that the players name, endless; "stereo..." has two channels, the others have one.
inline session::MediaTable memory_media(const session::Document& document) {
  session::MediaTable media;
  session::for_each_node(document.nodes, "", [&](const std::string&, const session::DocNode& node) {
    if (node.type != "player") return;
    const std::string file = session::text_of(node, "file");
    media[file] = {file.starts_with("stereo") ? 2u : 1u, 48000, rt::FrameCount{1} << 40};
  });
  return media;
}

/// Faders, rings and meters as in the daemon; in the place of the disk, refill() writes the same noise again and again,
/// outside of the time that is measured. A ring is filled in bulk, as a disk thread does: what a callback reads was
/// written long before, and has left the first caches.
class LiveRig {
 public:
  static constexpr std::uint32_t kFrames = 64;
  static constexpr double kPeriodNs = 1e9 * kFrames / 48000.0;

  /// `metered`: somebody looks at every meter.
  explicit LiveRig(const session::Document& document, bool metered = false)
      : LiveRig(document, rt::make_ring<rt::Command>(8192), rt::make_ring<rt::Event>(16384)) {
    if (!metered) return;
    for (const session::CompiledMeter& meter : compiled_.meters) looks_.emplace_back(meter.slots);
  }
  LiveRig(const LiveRig&) = delete;
  LiveRig& operator=(const LiveRig&) = delete;
  ~LiveRig() {
    const rt::Renderer::Remains remains = renderer_.dismantle();
    for (rt::Batch* batch : remains.batches) delete batch->plan, delete batch;
    take_events();
    delete remains.plan;
  }

  /// One device buffer; how long it took. What must not be timed happens before and after.
  double callback() {
    if (buffered_ == 0) {
      refill();
      process();  // the first two after a refill meet caches that the bench has emptied
      process();
    }
    const double begin = now_ns();
    process();
    const double took = now_ns() - begin;
    take_events();
    return took;
  }

  /// The mean of one callback, over `count` of them.
  double mean_ns(std::uint32_t count) {
    double sum = 0.0;
    for (std::uint32_t i = 0; i < count; ++i) sum += callback();
    return sum / count;
  }

  [[nodiscard]] const std::vector<session::CompiledMeter>& meters() const { return compiled_.meters; }

  void ramp(rt::Uid uid, int rt_index, double value, std::uint32_t frames) {
    const auto target = compiler_.param_target(uid);
    if (!target || rt_index < 0) std::abort();
    rt::Command command;
    command.sequence = ++sequence_;
    command.value.node = *target;
    command.value.param = static_cast<std::uint16_t>(rt_index);
    command.value.value = value;
    command.value.ramp_frames = frames;
    if (!commands_.try_push(command)) std::abort();  // the bench sends more than its ring holds
  }

  /// Sound came out, and none of it was missing.
  [[nodiscard]] bool sane() const {
    const rt::Counters& c = renderer_.counters();
    return loudest_ > 0.0f && loudest_ < 1e4f && c.starved_frames.load() == 0 && c.commands_orphaned.load() == 0 &&
           c.non_finite_samples.load() == 0;
  }

 private:
  using Commands = std::pair<rt::RingWriter<rt::Command>, rt::RingReader<rt::Command>>;
  using Events = std::pair<rt::RingWriter<rt::Event>, rt::RingReader<rt::Event>>;
  static constexpr std::uint32_t kRingFrames = 4096;

  struct Feed {
    rt::Source source;
    rt::RingWriter<float> writer;
  };

  LiveRig(const session::Document& document, Commands commands, Events events)
      : commands_(std::move(commands.first)),
        events_(std::move(events.second)),
        renderer_(std::move(commands.second), std::move(events.first), 48000.0),
        noise_(4 * kRingFrames) {
    std::uint32_t seed = 1;
    for (std::size_t i = 0; i < noise_.size(); ++i) {
      const float level = (i / 512) % 3 == 0 ? 0.25f : 0.03f;
      noise_[i] =
          level * static_cast<float>(static_cast<std::int32_t>(seed = seed * 1664525u + 1013904223u)) * 0x1p-31f;
    }
    const session::MediaTable media = memory_media(document);
    session::CompileRequest request;
    request.document = &document;
    request.shape = {48000.0, 2, 2};
    request.media = &media;
    request.fade_edits = false;
    compiled_ = compiler_.compile(request);
    auto batch = std::make_unique<rt::Batch>();
    batch->plan = compiled_.plan.release();
    batch->actions = compiled_.actions;
    for (const session::CompiledPlayer& player : compiled_.players) {
      Feed& feed = *feeds_.emplace_back(std::make_unique<Feed>());
      auto [writer, reader] = rt::make_ring<float>(std::size_t{kRingFrames} * player.channels);
      feed.writer = std::move(writer);
      feed.source.frames = std::move(reader);
      feed.source.channels = player.channels;
      rt::Action give;
      give.kind = rt::Action::Kind::exchange_source;
      give.node = player.ref;
      give.source = &feed.source;
      batch->actions.push_back(give);
    }
    rt::Action start;
    start.kind = rt::Action::Kind::transport_start;
    batch->actions.push_back(start);
    refill();
    rt::Command command;
    command.sequence = ++sequence_;
    command.batch = batch.release();
    if (!commands_.try_push(command)) std::abort();
    process();
    take_events();
  }

  void process() {
    renderer_.process({in_pointers_, 2}, {out_pointers_, 2}, kFrames);
    buffered_ -= kFrames;
    for (const auto& channel : out_) loudest_ = std::max(loudest_, channel[0] < 0.0f ? -channel[0] : channel[0]);
  }
  void refill() {
    std::size_t offset = 0;
    for (const auto& feed : feeds_) {
      offset = (offset + 61) % kRingFrames;
      (void)feed->writer.write({noise_.data() + offset, std::size_t{kRingFrames - buffered_} * feed->source.channels});
    }
    buffered_ = kRingFrames;
  }
  void take_events() {
    rt::Event event;
    while (events_.try_pop(event)) {
      if (event.batch != nullptr) delete event.batch->plan, delete event.batch;
    }
  }

  session::PlanCompiler compiler_;
  session::Compiled compiled_;
  std::vector<rt::MeterLook> looks_;
  std::vector<std::unique_ptr<Feed>> feeds_;
  rt::RingWriter<rt::Command> commands_;
  rt::RingReader<rt::Event> events_;
  rt::Renderer renderer_;
  std::vector<float> noise_;
  std::uint32_t buffered_ = 0;  // frames in every ring
  std::uint64_t sequence_ = 0;
  float loudest_ = 0.0f;
  alignas(64) float in_[2][kFrames] = {};
  alignas(64) float out_[2][kFrames] = {};
  const float* in_pointers_[2] = {in_[0], in_[1]};
  float* out_pointers_[2] = {out_[0], out_[1]};
};

}  // namespace continuo::bench
