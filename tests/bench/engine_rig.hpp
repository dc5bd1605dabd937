// THREAD: any, one at a time - a compiled session and the renderer that plays it, without a device
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "rt/renderer.hpp"
#include "server/session/plan_compiler.hpp"
#include "server/session/session_file.hpp"

namespace continuo::bench {

/// `tracks` of an oscillator, a gain and a pan, through a stereo bus to the output.
inline std::string mixer_session(int tracks) {
  std::string nodes;
  std::string connections;
  for (int i = 1; i <= tracks; ++i) {
    const std::string id = "t" + std::to_string(i);
    nodes += R"({"id":")" + id + R"(","type":"track","params":{"pan":0.2},"children":[)" +
             R"({"id":"osc","type":"oscillator","params":{"frequency_hz":)" + std::to_string(100 + i) + "}}," +
             R"({"id":"gain","type":"gain","params":{"gain_db":-6}},{"id":"pan","type":"pan","params":{"pan":-0.1}}]},)";
    connections += R"({"from":")" + id + R"(","to":"mix"},)";
  }
  return R"({"format":1,"sample_rate_hz":48000,"nodes":[)" + nodes + R"({"id":"mix","type":"bus"}],"connections":[)" +
         connections + R"({"from":"mix","to":"out"}]})";
}

inline session::Document parse(const std::string& json) {
  rt::Uid uid = 0;
  return *session::parse_session(json, [&uid] { return ++uid; });
}

/// The renderer with the session's plan taken, two channels in and out.
class EngineRig {
 public:
  explicit EngineRig(const session::Document& document) : EngineRig(document, rt::make_ring<rt::Command>(1024), rt::make_ring<rt::Event>(8192)) {}

  void process(std::uint32_t frames) {
    renderer_.process({in_pointers_, 2}, {out_pointers_, 2}, frames);
    rt::Event event;
    while (events_.try_pop(event)) {
      if (event.batch != nullptr) delete event.batch->plan, delete event.batch;
    }
  }
  [[nodiscard]] const float* out() const { return out_[0].data(); }

  EngineRig(const EngineRig&) = delete;
  EngineRig& operator=(const EngineRig&) = delete;
  ~EngineRig() {
    const rt::Renderer::Remains remains = renderer_.dismantle();
    for (rt::Batch* batch : remains.batches) delete batch->plan, delete batch;
    delete remains.plan;
  }

 private:
  using Commands = std::pair<rt::RingWriter<rt::Command>, rt::RingReader<rt::Command>>;
  using Events = std::pair<rt::RingWriter<rt::Event>, rt::RingReader<rt::Event>>;
  EngineRig(const session::Document& document, Commands commands, Events events)
      : commands_(std::move(commands.first)), events_(std::move(events.second)),
        renderer_(std::move(commands.second), std::move(events.first), 48000.0) {
    const session::MediaTable no_media;
    session::CompileRequest request;
    request.document = &document;
    request.shape = {48000.0, 2, 2};
    request.media = &no_media;
    request.fade_edits = false;
    compiled_ = compiler_.compile(request);
    rt::Command command;
    command.sequence = 1;
    command.batch = new rt::Batch{compiled_.plan.release(), {}};
    if (!commands_.try_push(command)) std::abort();
    process(64);
  }

  static constexpr std::size_t kMaxFrames = 8192;
  session::PlanCompiler compiler_;
  session::Compiled compiled_;
  rt::RingWriter<rt::Command> commands_;
  rt::RingReader<rt::Event> events_;
  rt::Renderer renderer_;
  std::vector<float> in_[2] = {std::vector<float>(kMaxFrames), std::vector<float>(kMaxFrames)};
  std::vector<float> out_[2] = {std::vector<float>(kMaxFrames), std::vector<float>(kMaxFrames)};
  const float* in_pointers_[2] = {in_[0].data(), in_[1].data()};
  float* out_pointers_[2] = {out_[0].data(), out_[1].data()};
};

}  // namespace continuo::bench
