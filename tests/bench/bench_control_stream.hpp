// THREAD: any - StreamParams: what 100,000 changes a second cost, how many there can be, and how soon one is heard
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "continuo/v1/param.grpc.pb.h"
#include "tests/integration/client.hpp"

namespace continuo::stream_bench {

using Clock = std::chrono::steady_clock;

constexpr int kHandles = 64;
constexpr int kBatch = 100;

/// The floor: takes the same messages and does nothing with them.
class Dropping final : public v1::ParamService::CallbackService {
 public:
  class Reactor final : public grpc::ServerBidiReactor<v1::StreamParamsRequest, v1::StreamParamsResponse> {
   public:
    Reactor() { StartRead(&request_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status::OK);
      if (request_.has_bind()) {
        for (int i = 0; i < request_.bind().params_size(); ++i)
          response_.mutable_bound()->add_handles(static_cast<std::uint32_t>(i));
        StartWrite(&response_);
      }
      StartRead(&request_);
    }
    void OnDone() override { delete this; }

   private:
    v1::StreamParamsRequest request_;
    v1::StreamParamsResponse response_;
  };
  grpc::ServerBidiReactor<v1::StreamParamsRequest, v1::StreamParamsResponse>* StreamParams(
      grpc::CallbackServerContext*) override {
    return new Reactor;
  }
};

/// Serves until it is killed.
inline int serve_floor(const std::string& address) {
  Dropping service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::puts("ready");
  std::fflush(stdout);
  server->Wait();
  return 0;
}

/// One stream with its handles; its reports are read by a thread of its own.
class Fader {
 public:
  explicit Fader(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(v1::ParamService::NewStub(channel)), stream_(stub_->StreamParams(&context_)) {
    v1::StreamParamsRequest request;
    for (int i = 0; i < kHandles; ++i) request.mutable_bind()->add_params("t" + std::to_string(i) + ".gain_db");
    stream_->Write(request);
    v1::StreamParamsResponse bound;
    ok_ = stream_->Read(&bound) && bound.bound().handles_size() == kHandles;
    reader_ = std::thread([this] {
      v1::StreamParamsResponse response;
      while (stream_->Read(&response)) {
        applied_.store(response.report().applied_sequence());
        frame_.store(response.report().engine_frame());
        refused_.store(response.report().refused());
      }
    });
  }
  ~Fader() {
    stream_->WritesDone();
    reader_.join();
    stream_->Finish();
  }
  [[nodiscard]] bool ok() const { return ok_ && refused_.load() == 0; }

  bool send(int count) {
    v1::StreamParamsRequest request;
    auto& changes = *request.mutable_changes();
    for (int i = 0; i < count; ++i, ++next_) {
      changes.add_handles(static_cast<std::uint32_t>(next_ % kHandles));
      changes.add_values(-0.001 * static_cast<double>(next_ % 6000));
    }
    changes.set_ramp_ms(0.0);
    changes.set_sequence(++sequence_);
    return stream_->Write(request);
  }
  /// The engine frame of the last one sent.
  std::int64_t wait() const {
    while (applied_.load() != sequence_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return frame_.load();
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<v1::ParamService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamParamsRequest, v1::StreamParamsResponse>> stream_;
  std::thread reader_;
  std::atomic<std::uint64_t> applied_{0}, refused_{0};
  std::atomic<std::int64_t> frame_{0};
  std::uint64_t next_ = 0;
  std::uint64_t sequence_ = 0;
  bool ok_ = false;
};

struct Cost {
  double changes_per_second = 0.0;
  double percent = 0.0;  // of a core, of the process that takes them
};

/// `per_second` changes; 0: as many as it takes. `cpu_seconds`: of that process so far.
inline Cost measure(Fader& fader, double per_second, std::chrono::milliseconds time,
                    const std::function<double()>& cpu_seconds) {
  const double before = cpu_seconds();
  const auto begin = Clock::now();
  std::uint64_t sent = 0;
  while (Clock::now() < begin + time) {
    if (!fader.send(kBatch)) return {};
    sent += kBatch;
    if (per_second > 0.0)
      std::this_thread::sleep_until(
          begin + std::chrono::microseconds(static_cast<std::int64_t>(1e6 * static_cast<double>(sent) / per_second)));
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return {static_cast<double>(sent) / seconds, 100.0 * (cpu_seconds() - before) / seconds};
}

/// `clock`: the engine frame of now. False: a stream did not take what it was sent.
inline bool run(const Daemon& daemon, std::chrono::milliseconds time, const std::function<double(pid_t)>& cpu_seconds,
                const std::function<std::int64_t()>& clock) {
  const std::string floor_address = "unix:" + (daemon.folder.path() / "floor.sock").string();
  Child floor_server({"/proc/self/exe", "--floor", floor_address});
  if (floor_server.read_line() != "ready") return false;
  Cost floor, floor_most, cost, most;
  {
    Fader fader(grpc::CreateChannel(floor_address, grpc::InsecureChannelCredentials()));
    const auto cpu = [&] { return cpu_seconds(floor_server.pid()); };
    floor = measure(fader, 100'000.0, time, cpu);
    floor_most = measure(fader, 0.0, time, cpu);
  }
  Fader fader(daemon.channel());
  const auto cpu = [&] { return cpu_seconds(daemon.child.pid()); };
  cost = measure(fader, 100'000.0, time, cpu);
  most = measure(fader, 0.0, time, cpu);
  if (!fader.ok() || cost.changes_per_second == 0.0) return false;
  std::printf("stream, %.0f changes/s     %5.2f %% of a core (goal 100); the same messages dropped %5.2f %%\n",
              cost.changes_per_second, cost.percent, floor.percent);
  std::printf("stream, as fast as it goes   %.0f changes/s, %.0f %% of a core; dropped %.0f changes/s, %.0f %%\n",
              most.changes_per_second, most.percent, floor_most.changes_per_second, floor_most.percent);
  std::vector<std::int64_t> frames;
  for (int i = 0; i < 60; ++i) {
    fader.wait();
    const std::int64_t from = clock();
    fader.send(1);
    frames.push_back(fader.wait() - from);
  }
  std::ranges::sort(frames);
  std::printf("stream, set to audible       p50 %7lld frames, p99 %lld behind the next buffer's first\n",
              static_cast<long long>(frames[frames.size() / 2]), static_cast<long long>(frames[frames.size() - 1]));
  return fader.ok();
}

}  // namespace continuo::stream_bench
