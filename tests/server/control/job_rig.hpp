// THREAD: test - an engine whose renders are the real program, and whose jobs the test asks about
#pragma once

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "server/control/job_desk.hpp"
#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

inline constexpr std::int64_t kHours = std::int64_t{48'000} * 3600 * 100;  // of a render that will not end by itself

struct JobRig : Rig {
  explicit JobRig(RigOptions options = {}) : Rig(with_program(std::move(options))) {}

  static RigOptions with_program(RigOptions options) {
    options.adjust = [more = options.adjust](EngineConfig& config) {
      config.render_program = CONTINUO_RENDER;
      if (more) more(config);
    };
    return options;
  }
  [[nodiscard]] std::filesystem::path media() const { return folder.path() / "media"; }
  void song(const std::string& name = "a.wav", std::size_t frames = 24'000) {
    write_wav(name, 2, 48'000, ramp_signal(2, frames));
  }
  /// A track that plays `file`.
  void play(const std::string& file = "a.wav", const std::string& more = "") {
    const auto loaded = load(
        "{'format':1,'sample_rate_hz':48000,'nodes':[{'id':'vox','type':'track','children':[{'id':'p','type':'player',"
        "'params':{'file':'" +
        file + "'" + more + "}}]}],'connections':[{'from':'vox','to':'out'}]}");
    REQUIRE_MESSAGE(loaded, loaded.error().message);
  }
  static v1::StartRenderRequest to(const std::string& file, bool endless = false) {
    v1::StartRenderRequest request;
    request.set_file(file);
    request.set_client("test");
    if (endless) request.set_end_frame(kHours);
    return request;
  }
  Result<v1::Job> start(const v1::StartRenderRequest& request, const std::string& who = "user anna") {
    return answer<v1::Job>([&](auto done) { engine->jobs().start_render(request, std::move(done), who); });
  }
  std::uint64_t started(const v1::StartRenderRequest& request) {
    const auto job = start(request);
    REQUIRE_MESSAGE(job, job.error().message);
    return job->job_id();
  }
  std::string refusal(const v1::StartRenderRequest& request) {
    const auto job = start(request);
    return job ? "started" : job.error().reason;
  }
  v1::Job get(std::uint64_t id) {
    const auto job = answer<v1::Job>([&](auto done) { engine->jobs().get(id, std::move(done)); });
    REQUIRE(job);
    return *job;
  }
  v1::Job ended(std::uint64_t id) {
    v1::Job job;
    REQUIRE(until([&] {
      job = get(id);
      return job.state() != v1::Job::STATE_WAITING && job.state() != v1::Job::STATE_RUNNING;
    }));
    return job;
  }
  Result<v1::Job> cancel(std::uint64_t id) {
    v1::CancelJobRequest request;
    request.set_job_id(id);
    return answer<v1::Job>([&](auto done) {
      engine->jobs().cancel(request, [](v1::Job::Kind) { return Result<>(); }, std::move(done), "user ben");
    });
  }
  std::vector<v1::Job> jobs() {
    const auto listed = answer<v1::ListJobsResponse>([&](auto done) { engine->jobs().list({}, std::move(done)); });
    REQUIRE(listed);
    return {listed->jobs().begin(), listed->jobs().end()};
  }
  /// The child is at work: what it writes has its hidden name.
  void at_work(std::uint64_t id) {
    REQUIRE(until([&] { return get(id).progress() > 0.0 && engine->jobs().render_process() > 0; }));
    CHECK(hidden().size() == 1);
  }
  [[nodiscard]] std::set<std::string> names(const std::filesystem::path& in) const {
    std::set<std::string> all;
    for (const auto& one : std::filesystem::directory_iterator(in)) all.insert(one.path().filename().string());
    return all;
  }
  [[nodiscard]] std::set<std::string> hidden() const {
    std::set<std::string> all;
    for (const std::string& name : names(media())) {
      if (name.starts_with('.')) all.insert(name);
    }
    return all;
  }
  [[nodiscard]] static std::string bytes(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    REQUIRE_MESSAGE(in, file.string());
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

}  // namespace continuo::control::test
