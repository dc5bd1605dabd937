// THREAD: test - a renderer with both ends of its rings, driven by hand in device buffers of any size
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "rt/command.hpp"
#include "rt/nodes/device_io.hpp"
#include "rt/renderer.hpp"
#include "tests/support/plan_builder.hpp"

namespace continuo::test {

using Channels = std::vector<std::vector<float>>;

/// What a device might ask for, buffer after buffer; repeats. The last is ragged.
inline const std::vector<std::vector<std::uint32_t>>& buffer_patterns() {
  static const std::vector<std::vector<std::uint32_t>> kPatterns = {
      {64}, {1}, {17}, {63}, {65}, {256}, {512}, {1000}, {3, 64, 1, 200, 63, 7, 65, 512, 2, 31}};
  return kPatterns;
}

class Rig {
 public:
  explicit Rig(std::size_t outs = 2, double rate = 48000.0, std::size_t commands = 8192, std::size_t events = 8192,
               const rt::dsp::Kernels& kernels = rt::dsp::chosen_kernels())
      : Rig(rt::make_ring<rt::Command>(commands), rt::make_ring<rt::Event>(events), outs, rate, kernels) {}
  /// With the kernels of one CPU level.
  Rig(std::size_t outs, const rt::dsp::Kernels& kernels) : Rig(outs, 48000.0, 8192, 8192, kernels) {}
  ~Rig() {
    rt::Renderer::Remains rest = renderer.dismantle();
    delete rest.plan;
    for (rt::Batch* b : rest.batches) home(b);
    while (pop()) {
    }
  }

  /// A node without state of its own; lives as long as the rig.
  rt::Node& node(const rt::NodeKind& kind, std::vector<double> params = {}, rt::Uid uid = 1) {
    return adopt(std::make_unique<rt::Node>(kind, uid, params.size()), params);
  }
  template <class T>
  T& adopt(std::unique_ptr<T> owned, const std::vector<double>& params = {}) {
    T& result = *owned;
    for (std::size_t i = 0; i < params.size(); ++i) result.params.at(i) = rt::Param(params[i]);
    nodes_.push_back(std::move(owned));
    return result;
  }

  /// Sends and returns the sequence number.
  std::uint64_t send(rt::Action action, rt::FrameCount frame = rt::kNow) { return push(frame, nullptr, action); }
  std::uint64_t send(std::unique_ptr<rt::RenderPlan> plan, std::vector<rt::Action> actions,
                     rt::FrameCount frame = rt::kNow) {
    return push(frame, new rt::Batch{plan.release(), std::move(actions)}, {});
  }
  std::uint64_t set(std::uint32_t slot, std::uint16_t param, double value, rt::FrameCount frame = rt::kNow,
                    std::uint32_t ramp_frames = 0) {
    return send(value_of(rt::Action::Kind::set_param, value, ramp_frames, {slot, 1}, param), frame);
  }
  static rt::Action act(rt::Action::Kind kind, std::uint32_t slot = 0) {
    rt::Action a;
    a.kind = kind;
    a.node = {slot, 1};
    return a;
  }
  static rt::Action value_of(rt::Action::Kind kind, double value, std::uint32_t ramp_frames = 0, rt::NodeRef node = {},
                             std::uint16_t param = 0) {
    rt::Action a = act(kind);
    a.param = param;
    a.ramp_frames = ramp_frames;
    a.node = node;
    a.value = value;
    return a;
  }
  static rt::Action locate(rt::FrameCount position) {
    rt::Action a = act(rt::Action::Kind::transport_locate);
    a.position = position;
    return a;
  }
  static rt::Action give(std::uint32_t slot, rt::Source* source) {
    rt::Action a = act(rt::Action::Kind::exchange_source, slot);
    a.source = source;
    return a;
  }
  static rt::Action record(std::uint32_t slot, rt::Sink* sink) {
    rt::Action a = act(rt::Action::Kind::record_start, slot);
    a.sink = sink;
    return a;
  }

  /// Renders `frames` frames in device buffers of the pattern's sizes (cut at the end) and appends them to `out`.
  void run(std::uint32_t frames, const std::vector<std::uint32_t>& pattern = {64}) {
    for (std::uint32_t done = 0; done < frames;) {
      const std::uint32_t n = std::min(pattern[next_++ % pattern.size()], frames - done);
      if (before_buffer) before_buffer();
      std::vector<const float*> ins;
      std::vector<float*> outs;
      for (auto& c : in) ins.push_back(c.data() + rendered_);
      for (auto& c : out) {
        c.resize(c.size() + n, 7.0f);
        outs.push_back(c.data() + c.size() - n);
      }
      renderer.process({ins.data(), static_cast<std::uint32_t>(ins.size())},
                       {outs.data(), static_cast<std::uint32_t>(outs.size())}, n);
      rendered_ += n;
      done += n;
    }
  }

  /// Every event so far, in order. A batch that came home stays readable until the rig ends.
  std::vector<rt::Event> events() {
    std::vector<rt::Event> result;
    while (auto e = pop()) result.push_back(*e);
    return result;
  }
  const rt::Counters& counters() const { return renderer.counters(); }
  /// While nobody renders.
  rt::ClockReading clock() const {
    rt::ClockReading reading;
    if (!counters().clock.try_read(reading)) std::abort();
    return reading;
  }

  rt::RingWriter<rt::Command> to_audio;
  rt::RingReader<rt::Event> from_audio;
  rt::Renderer renderer;
  Channels in;
  Channels out;
  std::uint64_t sequence = 0;
  std::function<void()> before_buffer;

 private:
  using CommandEnds = std::pair<rt::RingWriter<rt::Command>, rt::RingReader<rt::Command>>;
  using EventEnds = std::pair<rt::RingWriter<rt::Event>, rt::RingReader<rt::Event>>;
  Rig(CommandEnds commands, EventEnds events, std::size_t outs, double rate, const rt::dsp::Kernels& kernels)
      : to_audio(std::move(commands.first)),
        from_audio(std::move(events.second)),
        renderer(std::move(commands.second), std::move(events.first), rate, kernels),
        out(outs) {}

  std::uint64_t push(rt::FrameCount frame, rt::Batch* batch, const rt::Action& value) {
    if (!to_audio.try_push({++sequence, frame, batch, value})) std::abort();  // the test sends more than its ring holds
    return sequence;
  }
  std::unique_ptr<rt::Event> pop() {
    auto event = std::make_unique<rt::Event>();
    if (!from_audio.try_pop(*event)) return nullptr;
    if (event->batch != nullptr) home(event->batch);
    return event;
  }
  void home(rt::Batch* batch) {
    plans_.emplace_back(batch->plan);
    batches_.emplace_back(batch);
  }

  std::vector<std::unique_ptr<rt::Node>> nodes_;
  std::vector<std::unique_ptr<rt::Batch>> batches_;
  std::vector<std::unique_ptr<rt::RenderPlan>> plans_;
  std::size_t rendered_ = 0;
  std::size_t next_ = 0;
};

/// Bit for bit, also the sign of zero.
inline bool same_bits(const Channels& a, const Channels& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t c = 0; c < a.size(); ++c)
    if (a[c].size() != b[c].size() || std::memcmp(a[c].data(), b[c].data(), a[c].size() * sizeof(float)) != 0)
      return false;
  return true;
}

/// A signal that never repeats within a test and has every sample different: -1 to 1.
inline float probe(std::int64_t frame, std::uint32_t channel = 0) {
  auto x = static_cast<std::uint64_t>(frame) * 0x9e3779b97f4a7c15ull + channel * 0xbf58476d1ce4e5b9ull + 1;
  x = (x ^ (x >> 29)) * 0x94d049bb133111ebull;
  return static_cast<float>(static_cast<std::int32_t>(x >> 32) >> 8) * 0x1p-23f;
}

}  // namespace continuo::test
