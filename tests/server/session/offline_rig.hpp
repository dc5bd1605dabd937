// THREAD: any, one at a time - a compiler and a renderer, driven by hand
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rt/renderer.hpp"
#include "rt/sink.hpp"
#include "rt/source.hpp"
#include "server/session/plan_compiler.hpp"
#include "tests/server/session/builders.hpp"

namespace continuo::session::test {

/// By channel.
using Sound = std::vector<std::vector<float>>;

/// Sample of a media file or of a device input: the same wherever a test asks for it.
float test_sample(const std::string& name, std::uint32_t channel, rt::FrameCount frame);

/// [control] compile -> push a batch -> [audio] render -> [control] the batch comes home, and what it dropped is
/// destroyed. Everything on the test's thread.
class Rig {
 public:
  explicit Rig(std::uint32_t in_channels = 0, std::uint32_t out_channels = 2);
  ~Rig();

  CompileRequest request;  // shape, media and taps for every compile
  MediaTable media;
  std::vector<rt::Action> also;  // goes into the next batch, behind the fades

  /// Compiles, gives fresh players their sources and recorders without one their sinks, and queues the batch.
  void take(const Document& document);

  /// Renders, in device buffers of `buffer` frames; `in` gives the device's inputs. Takes home what is done.
  Sound render(std::uint32_t frames, std::uint32_t buffer = 64);
  /// The device's input, by channel and engine frame; default: test_sample("in").
  std::function<float(std::uint32_t, rt::FrameCount)> input;

  /// What a recorder took since it was there.
  Sound recorded(const std::string& path);

  PlanCompiler compiler;
  Compiled last;  // but for what went into the batch
  const rt::RenderPlan* plan = nullptr;
  std::size_t destroyed = 0;  // nodes that came home
  [[nodiscard]] const rt::Counters& counters() const { return renderer_->counters(); }
  void start_timeline();
  /// Before the first render. Plans are then compiled for it; it must outlive the rig.
  void use_team(rt::Team& team);

 private:
  struct Flight {
    rt::Batch batch;
    std::unique_ptr<rt::RenderPlan> plan;  // the one that is brought
    std::vector<std::unique_ptr<rt::Node>> dropped;
  };
  void give_source(const CompiledPlayer& player, std::vector<rt::Action>& actions);
  void give_sink(const CompiledRecorder& recorder, std::vector<rt::Action>& actions);
  void come_home();

  rt::RingWriter<rt::Command> commands_;
  rt::RingReader<rt::Event> events_;
  std::unique_ptr<rt::Renderer> renderer_;
  std::vector<std::unique_ptr<Flight>> flights_;
  std::unique_ptr<rt::RenderPlan> current_;
  std::vector<std::unique_ptr<rt::Source>> sources_;
  struct Take {
    std::unique_ptr<rt::Sink> sink;
    rt::RingReader<float> frames;
  };
  std::map<std::string, Take> takes_;
  std::uint64_t sequence_ = 0;
  rt::FrameCount rendered_ = 0;
};

}  // namespace continuo::session::test
