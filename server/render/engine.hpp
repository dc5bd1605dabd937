// THREAD: job - the engine of one render: its plan, its renderer, and the batch that sets it going
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "rt/command.hpp"
#include "rt/event.hpp"
#include "rt/renderer.hpp"
#include "rt/sink.hpp"
#include "rt/spsc_ring.hpp"
#include "rt/types.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::render {

/// Sources and the sink that it was given must outlive it.
class Engine {
 public:
  /// `document` must be valid; it is not kept. The device has `in_channels` inputs. `threads`: how many the plan is
  /// for. `metered`: paths of nodes that are to have a meter, if they can; without any the plan has no meters.
  Engine(const session::Document& document, const session::ProcessorFiles& files, double rate_hz,
         std::uint32_t in_channels, std::uint32_t threads = 1, const std::set<std::string>& metered = {});
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] const session::Compiled& compiled() const noexcept { return compiled_; }
  /// What "out" takes: as wide as the document connects it, 2 channels at least.
  [[nodiscard]] std::uint32_t out_channels() const noexcept;
  /// How many frames after the timeline "out" sounds: what delay compensation costs.
  [[nodiscard]] std::int64_t latency() const noexcept;

  /// Its plan is cut into tasks, for a team.
  [[nodiscard]] bool parallel() const noexcept { return parallel_; }

  /// The first process() then begins at timeline frame `from`, rolling; "out" goes to `sink` from there on. `batch`
  /// brings the players' sources. A team must outlive it. Once.
  void start(std::int64_t from, rt::Sink& sink, std::unique_ptr<rt::Batch> batch, rt::Team* team = nullptr);

  void process(rt::InputBlock in, std::uint32_t frames) { renderer_->process(in, {}, frames); }

  /// Between two process(). Nodes that gave NaN or Inf and were muted for a second, a line each; and the output, if
  /// such a sample came that far. Once.
  [[nodiscard]] std::vector<std::string> faults();

  /// Aborts where the engine missed a frame, on either side: it never waits here, so whoever drives it did not keep up.
  void check_whole() const;

 private:
  session::PlanCompiler compiler_;
  session::Compiled compiled_;
  const session::CompiledRecorder* tap_ = nullptr;
  bool parallel_ = false;
  const double rate_hz_;
  rt::RingWriter<rt::Command> commands_;
  rt::RingReader<rt::Event> events_;
  std::unique_ptr<rt::Renderer> renderer_;
  std::unordered_map<rt::Uid, std::string> paths_;
};

}  // namespace continuo::render
