// The control plane of a daemon of its own on the clock device (256 frames at 48 kHz), over its Unix socket: what a set
// costs beside an empty call, waiting for COMMITTED and for APPLIED; calls a second; a transaction of 2,000 operations;
// what 100 watchers, meters of 64 tracks and idleness cost. CPU is the daemon's alone, in parts of one core. The client
// runs on the same machine: on a busy one look at the empty call first. --quick: fewer calls;
// --only idle|sets|clients|transaction|watch|meters|stream.
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_control_stream.hpp"
#include "tests/integration/client.hpp"

namespace {

using namespace continuo;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr double kPeriodUs = 256.0 / 48'000.0 * 1e6;

struct Times {
  std::vector<double> us;
  [[nodiscard]] double part(double p) {
    std::ranges::sort(us);
    return us[static_cast<std::size_t>(p * static_cast<double>(us.size() - 1))];
  }
};

[[noreturn]] void give_up(const grpc::Status& status) {
  std::fprintf(stderr, "bench_control: %s\n", status.error_message().c_str());
  std::exit(1);
}
void insist(const grpc::Status& status) {
  if (!status.ok()) give_up(status);
}

Times measure(int calls, const std::function<void(int)>& call) {
  for (int i = 0; i < calls / 10 + 10; ++i) call(i);
  Times times;
  times.us.reserve(static_cast<std::size_t>(calls));
  for (int i = 0; i < calls; ++i) {
    const auto begin = Clock::now();
    call(i);
    times.us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
  }
  return times;
}

/// Of the daemon: CPU seconds so far, and resident MiB.
double cpu_seconds(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  text.erase(0, text.rfind(')') + 2);
  unsigned long user = 0;
  unsigned long system = 0;
  std::sscanf(text.c_str(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}
double resident_mib(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0.0;
  double resident = 0.0;
  file >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1048576.0;
}

/// Part of a core that the daemon takes while `work` runs.
double load_of(pid_t pid, std::chrono::milliseconds time, const std::function<void()>& each_10ms = {}) {
  const double before = cpu_seconds(pid);
  const auto begin = Clock::now();
  for (auto next = begin; next < begin + time; next += 10ms) {
    std::this_thread::sleep_until(next);
    if (each_10ms) each_10ms();
  }
  return 100.0 * (cpu_seconds(pid) - before) / std::chrono::duration<double>(Clock::now() - begin).count();
}

v1::ApplyRequest gain(int i, v1::Wait wait) {
  v1::ApplyRequest request;
  *request.add_operations() = set_gain("t0", -6.0 - 0.001 * (i % 1000));
  request.set_wait(wait);
  return request;
}

/// Streams that are read to their end on threads of their own.
template <class Message>
class Readers {
 public:
  using Open = std::function<std::unique_ptr<grpc::ClientReader<Message>>(grpc::ClientContext*)>;
  void add(std::shared_ptr<grpc::Channel> channel, Open open) {
    auto context = std::make_unique<grpc::ClientContext>();
    threads_.emplace_back([this, context = context.get(), channel = std::move(channel), open = std::move(open)] {
      const auto reader = open(context);
      Message message;
      while (reader->Read(&message)) messages_.fetch_add(1, std::memory_order_relaxed);
      reader->Finish();
    });
    contexts_.push_back(std::move(context));
  }
  [[nodiscard]] std::uint64_t messages() const { return messages_.load(std::memory_order_relaxed); }
  ~Readers() {
    for (const auto& context : contexts_) context->TryCancel();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::vector<std::unique_ptr<grpc::ClientContext>> contexts_;
  std::vector<std::thread> threads_;
  std::atomic<std::uint64_t> messages_{0};
};

void sets(Client& client, int calls) {
  Times empty = measure(calls, [&](int) {
    Call call;
    v1::Clock clock;
    insist(client.system->GetClock(&call, {}, &clock));
  });
  const double floor_us = empty.part(0.5);
  std::printf("empty call (GetClock)        p50 %7.0f us  p99 %7.0f us\n", floor_us, empty.part(0.99));
  Times strand = measure(calls, [&](int) {
    Call call;
    v1::GetInfoResponse info;
    insist(client.system->GetInfo(&call, {}, &info));
  });
  std::printf("call to the strand (GetInfo) p50 %7.0f us  p99 %7.0f us\n", strand.part(0.5), strand.part(0.99));
  Times committed = measure(calls, [&](int i) { insist(client.apply(gain(i, v1::WAIT_COMMITTED)).first); });
  std::printf("set, COMMITTED               p50 %7.0f us  p99 %7.0f us  %.2f x the empty call (goal 1.3)\n",
              committed.part(0.5), committed.part(0.99), committed.part(0.5) / floor_us);
  Times applied =
      measure(std::max(calls / 20, 50), [&](int i) { insist(client.apply(gain(i, v1::WAIT_APPLIED)).first); });
  std::printf("set, APPLIED                 p50 %7.0f us  p99 %7.0f us  a device period is %.0f us (goal: p50 %.0f)\n",
              applied.part(0.5), applied.part(0.99), kPeriodUs, kPeriodUs + 300.0);
  // The clock's frame is the first of the next buffer: 0 is the soonest that there is.
  Times heard;
  for (int i = 0; i < 100; ++i) {
    Call call;
    v1::Clock clock;
    insist(client.system->GetClock(&call, {}, &clock));
    const auto answer = client.apply(gain(i, v1::WAIT_APPLIED));
    insist(answer.first);
    heard.us.push_back(static_cast<double>(answer.second.engine_frame() - clock.engine_frame()));
  }
  std::printf("set to audible               p50 %7.0f frames, p99 %.0f behind the next buffer's first\n",
              heard.part(0.5), heard.part(0.99));
}

void many_clients(const Daemon& daemon, int calls) {
  constexpr int kClients = 10;
  std::vector<std::thread> threads;
  const auto begin = Clock::now();
  for (int c = 0; c < kClients; ++c) {
    threads.emplace_back([&daemon, calls] {
      Client client(daemon);
      for (int i = 0; i < calls; ++i) insist(client.apply(gain(i, v1::WAIT_COMMITTED)).first);
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("10 clients, sets COMMITTED   %.0f calls/s in all\n", kClients * calls / seconds);
}

void large_transaction(Client& client) {
  v1::ApplyRequest request;
  for (int i = 0; i < 2000; ++i) *request.add_operations() = set_gain("t" + std::to_string(i % 64), -12.0 - 0.001 * i);
  request.set_wait(v1::WAIT_COMMITTED);
  Times times = measure(20, [&](int) { insist(client.apply(request).first); });
  std::printf("2,000 operations, COMMITTED  p50 %7.0f us\n", times.part(0.5));
}

void fan_out(const Daemon& daemon, Client& client, std::chrono::milliseconds time) {
  const pid_t pid = daemon.child.pid();
  const double alone = resident_mib(pid);
  int i = 0;
  const auto edit = [&] { insist(client.apply(gain(++i, v1::WAIT_COMMITTED)).first); };
  const double edits = load_of(pid, time, edit);
  Readers<v1::WatchResponse> watchers;
  std::vector<std::unique_ptr<v1::SessionService::Stub>> stubs;
  for (int w = 0; w < 100; ++w) {
    const auto channel = daemon.channel();
    stubs.push_back(v1::SessionService::NewStub(channel));
    watchers.add(channel, [stub = stubs.back().get()](grpc::ClientContext* context) {
      return stub->Watch(context, v1::WatchRequest());
    });
  }
  std::this_thread::sleep_for(500ms);
  const std::uint64_t before = watchers.messages();
  const double with = load_of(pid, time, edit);
  std::printf("100 edits/s                  %5.2f %% of a core; with 100 watchers %5.2f %% (%llu messages)\n", edits,
              with, static_cast<unsigned long long>(watchers.messages() - before));
  std::printf("memory                       %.1f MiB; with 100 clients %.1f MiB\n", alone, resident_mib(pid));
}

void meters(const Daemon& daemon, std::chrono::milliseconds time) {
  const pid_t pid = daemon.child.pid();
  const double idle = load_of(pid, time);
  Readers<v1::MeterFrame> readers;
  std::vector<std::unique_ptr<v1::MeterService::Stub>> stubs;
  for (int c = 0; c < 10; ++c) {
    const auto channel = daemon.channel();
    stubs.push_back(v1::MeterService::NewStub(channel));
    readers.add(channel, [stub = stubs.back().get()](grpc::ClientContext* context) {
      v1::WatchMetersRequest request;
      request.set_rate_hz(30);
      return stub->WatchMeters(context, request);
    });
  }
  std::this_thread::sleep_for(500ms);
  const double with = load_of(pid, time);
  std::printf(
      "64 tracks, nobody looks      %5.2f %% of a core; meters at 30 Hz to 10 clients %5.2f %%: %.2f %% more (goal "
      "3)\n",
      idle, with, with - idle);
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  bool quick = false;
  std::string only;
  for (int i = 1; i < argc; ++i) {
    quick = quick || std::strcmp(argv[i], "--quick") == 0;
    if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = argv[i + 1];
  }
  if (argc == 3 && std::strcmp(argv[1], "--floor") == 0) return stream_bench::serve_floor(argv[2]);
  const auto wanted = [&](const char* part) { return only.empty() || only == part; };
  const int calls = quick ? 1000 : 10'000;
  const std::chrono::milliseconds time = quick ? 2000ms : 10'000ms;
  const Daemon daemon({"--buffer", "256", "--rate", "48000", "--operations-per-second", "10000000"});
  if (daemon.ready.empty()) {
    std::fprintf(stderr, "bench_control: no daemon\n");
    return 1;
  }
  if (wanted("idle")) {
    const double load = load_of(daemon.child.pid(), time);
    std::printf("idle, an empty session       %5.2f %% of a core (goal 1), %.1f MiB\n", load,
                resident_mib(daemon.child.pid()));
  }
  Client client(daemon);
  for (int i = 0; i < 64; ++i) insist(client.apply(add_track("t" + std::to_string(i))).first);
  if (wanted("sets")) sets(client, calls);
  if (wanted("clients")) many_clients(daemon, calls / 10);
  if (wanted("transaction")) large_transaction(client);
  if (wanted("watch")) fan_out(daemon, client, time);
  if (wanted("meters")) meters(daemon, time);
  if (wanted("stream") && !stream_bench::run(daemon, time, cpu_seconds, [&client] {
        Call call;
        v1::Clock clock;
        insist(client.system->GetClock(&call, {}, &clock));
        return clock.engine_frame();
      })) {
    std::fprintf(stderr, "bench_control: a stream of parameters did not take its values\n");
    return 1;
  }
  return 0;
}
