// 128 mono 24-bit files from the disk into a stereo mix, by the daemon's own engine: buffers of 64 frames at 48 kHz,
// each when it is due, on this thread. The callback's time (mean, p99.9 and max as ratios to the mean) beside an empty
// session's; processor time of the disk threads beside a loop that only reads the same bytes; memory; seek to audible;
// the start of 128 armed players. --seconds N (30), --quick (5 s), --folder DIR: the disk.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "server/control/engine.hpp"
#include "server/device/stepped_device.hpp"

namespace {

using namespace continuo;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kPlayers = 128;
constexpr std::uint32_t kFrames = 64;
constexpr std::uint32_t kRate = 48'000;
constexpr double kPeriodNs = 1e9 * kFrames / kRate;

/// A WAV file of noise, on the disk and out of the memory.
void write_file(const fs::path& path, int seconds, std::uint32_t seed) {
  const auto bytes = static_cast<std::uint32_t>(seconds) * kRate * 3;
  std::vector<unsigned char> file(44 + bytes);
  const auto put = [&](std::size_t at, std::uint32_t value, int count) {
    for (int i = 0; i < count; ++i)
      file[at + static_cast<std::size_t>(i)] = static_cast<unsigned char>(value >> (8 * i));
  };
  std::memcpy(file.data(), "RIFF", 4);
  put(4, 36 + bytes, 4);
  std::memcpy(file.data() + 8, "WAVEfmt ", 8);
  put(16, 16, 4);
  put(20, 1, 2);
  put(22, 1, 2);
  put(24, kRate, 4);
  put(28, kRate * 3, 4);
  put(32, 3, 2);
  put(34, 24, 2);
  std::memcpy(file.data() + 36, "data", 4);
  put(40, bytes, 4);
  for (std::size_t i = 44; i < file.size(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    file[i] = i % 3 == 1 ? static_cast<unsigned char>((seed >> 24) & 7u) : static_cast<unsigned char>(seed >> 24);
  }
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || ::write(fd, file.data(), file.size()) != static_cast<ssize_t>(file.size()) || ::fsync(fd) != 0) {
    std::perror(path.c_str());
    std::exit(74);
  }
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  ::close(fd);
}

/// Processor time of this process's threads whose names begin with `name`, seconds.
double thread_seconds(const std::string& name) {
  double sum = 0.0;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    const std::size_t open = text.find('('), close = text.rfind(')');
    if (close == std::string::npos || !text.substr(open + 1).starts_with(name)) continue;
    char state = 0;
    unsigned long long skip = 0, user = 0, system = 0;
    if (std::sscanf(text.c_str() + close + 2, "%c %llu %llu %llu %llu %*d %llu %llu %llu %llu %llu %llu %llu", &state,
                    &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system) == 12)
      sum += static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  }
  return sum;
}

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double all = 0.0, resident = 0.0;
  file >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1048576.0;
}

double ns_of(Clock::duration time) { return std::chrono::duration<double, std::nano>(time).count(); }

double part(std::vector<double> values, double at) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(at * static_cast<double>(values.size() - 1) + 0.5)];
}

/// An engine whose device is this thread.
class Rig {
 public:
  explicit Rig(const fs::path& folder)
      : hardware_(std::make_shared<device::SteppedHardware>(device::stepped_info("bench", 0, 2, kRate))),
        work_(boost::asio::make_work_guard(io_)) {
    control::EngineConfig config;
    config.media_roots["media"] = folder;
    config.take_folder = folder / "takes";
    config.state_folder = folder / "state";
    engine_ = std::make_unique<control::Engine>(io_, std::move(config),
                                                std::make_unique<device::SteppedFactory>(std::vector{hardware_}));
    strand_ = std::thread([this] { io_.run(); });
    ask<std::monostate>([this](auto done) { engine_->start(std::move(done)); });
  }
  ~Rig() {
    ask<std::monostate>([this](auto done) { engine_->shutdown(std::move(done)); });
    io_.stop();
    strand_.join();
  }

  /// One buffer when it is due; its time in ns.
  double callback() {
    while (Clock::now() < due_) {
      if (due_ - Clock::now() > std::chrono::microseconds(200))
        std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    const auto begin = Clock::now();
    hardware_->step(kFrames);
    const auto end = Clock::now();
    due_ = std::max(due_ + std::chrono::nanoseconds(static_cast<std::int64_t>(kPeriodNs)),
                    end - std::chrono::milliseconds(5));
    if (++steps_ % 512 == 0) hardware_->clear_recording();
    return ns_of(end - begin);
  }
  template <class T>
  T ask(const std::function<void(control::Done<T>)>& call) {
    std::promise<Result<T>> promise;
    auto future = promise.get_future();
    call([&promise](Result<T> answer) { promise.set_value(std::move(answer)); });
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) callback();
    Result<T> answer = future.get();
    if (answer) return std::move(*answer);
    std::fprintf(stderr, "bench_playback: %s: %s\n", answer.error().field.c_str(), answer.error().message.c_str());
    std::exit(1);
  }
  /// Engine frames from the command to its first sample.
  std::int64_t apply(const v1::ApplyRequest& request) {
    const auto before = static_cast<std::int64_t>(hardware_->frames());
    const auto answer = ask<v1::ApplyResponse>([&](auto done) { engine_->apply(request, std::move(done)); });
    return answer.engine_frame() - before;
  }
  v1::GetStatusResponse status() {
    return ask<v1::GetStatusResponse>([this](auto done) { engine_->status(std::move(done)); });
  }
  std::vector<double> callbacks(int count) {
    std::vector<double> times;
    times.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) times.push_back(callback());
    return times;
  }

 private:
  boost::asio::io_context io_;
  std::shared_ptr<device::SteppedHardware> hardware_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unique_ptr<control::Engine> engine_;
  std::thread strand_;
  Clock::time_point due_ = Clock::now();
  std::uint64_t steps_ = 0;
};

v1::ApplyRequest players(bool free) {
  v1::ApplyRequest request;
  for (int i = 0; i < kPlayers; ++i) {
    const std::string id = (free ? "f" : "t") + std::to_string(i);
    auto& node = *request.add_operations()->mutable_add_node()->mutable_node()->mutable_fields();
    node["id"].set_string_value(id);
    node["type"].set_string_value("track");
    auto& child = *node["children"].mutable_list_value()->add_values()->mutable_struct_value()->mutable_fields();
    child["id"].set_string_value("p");
    child["type"].set_string_value("player");
    auto& params = *child["params"].mutable_struct_value()->mutable_fields();
    params["file"].set_string_value("media:" + std::to_string(i) + ".wav");
    if (free) params["mode"].set_string_value("free");
    auto& connect = *request.add_operations()->mutable_connect();
    connect.set_from(id);
    connect.set_to("out");
  }
  return request;
}

double print_times(const char* name, const std::vector<double>& ns) {
  double mean = 0.0;
  for (const double t : ns) mean += t / static_cast<double>(ns.size());
  std::printf("%-18s mean %7.1f us (%.2f of the period)  p99.9 %.2f x mean  max %.2f x mean\n", name, mean / 1e3,
              mean / kPeriodNs, part(ns, 0.999) / mean, part(ns, 1.0) / mean);
  return mean;
}

void print_frames(const char* name, const std::vector<double>& frames, const std::vector<double>& floor) {
  std::printf("%-18s median %.0f frames, longest %.0f; of an empty command %.0f and %.0f; a buffer has %u\n", name,
              part(frames, 0.5), part(frames, 1.0), part(floor, 0.5), part(floor, 1.0), kFrames);
}

/// The same bytes, read and nothing else: processor seconds for a second of sound.
double read_floor(const fs::path& folder, int seconds) {
  std::vector<char> buffer(256u << 10);
  timespec begin{}, end{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  for (int i = 0; i < kPlayers; ++i) {
    const int fd = ::open((folder / (std::to_string(i) + ".wav")).c_str(), O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && ::read(fd, buffer.data(), buffer.size()) > 0) {
    }
    if (fd >= 0) ::close(fd);
  }
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return (static_cast<double>(end.tv_sec - begin.tv_sec) + static_cast<double>(end.tv_nsec - begin.tv_nsec) * 1e-9) /
         seconds;
}

}  // namespace

int main(int argc, char** argv) {
  int seconds = 30;
  fs::path parent = fs::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) seconds = 5;
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) seconds = std::atoi(argv[++i]);
    if (std::strcmp(argv[i], "--folder") == 0 && i + 1 < argc) parent = argv[++i];
  }
  std::string name = (parent / "continuo-bench-XXXXXX").string();
  if (seconds < 1 || ::mkdtemp(name.data()) == nullptr) return 1;
  const fs::path folder = name;
  const int length = 2 * seconds + 20;
  for (int i = 0; i < kPlayers; ++i)
    write_file(folder / (std::to_string(i) + ".wav"), length, static_cast<std::uint32_t>(i));
  {
    Rig rig(folder);
    const int callbacks = seconds * static_cast<int>(kRate / kFrames);
    const double empty = print_times("empty session", rig.callbacks(callbacks / 2));
    v1::ApplyRequest stop, play, nothing;
    stop.add_operations()->mutable_stop();
    play.add_operations()->mutable_play();
    nothing.add_operations()->mutable_stop();
    std::vector<double> floor;
    for (int i = 0; i < 20; ++i) floor.push_back(static_cast<double>(rig.apply(nothing)));

    rig.apply(players(false));
    rig.apply(play);
    rig.callbacks(static_cast<int>(kRate / kFrames));
    const double cpu = thread_seconds("continuo-read");
    const auto begin = Clock::now();
    const double mean = print_times("128 players", rig.callbacks(callbacks));
    const double wall = ns_of(Clock::now() - begin) * 1e-9;
    const double disk = (thread_seconds("continuo-read") - cpu) / wall;
    const double raw = read_floor(folder, length);
    std::printf("%-18s %.1f x the empty session's\n", "", mean / empty);
    std::printf("disk thread        %.3f of a core (%.1f x a loop that only reads: %.3f)\n", disk,
                disk / std::max(raw, 1e-9), raw);
    std::printf("memory             %.0f MiB, to stay below 150: %s\n", resident_mib(),
                resident_mib() < 150.0 ? "met" : "MISSED");

    std::vector<double> seeks;
    v1::ApplyRequest locate;
    for (int i = 0; i < 20; ++i) {
      locate.clear_operations();
      locate.add_operations()->mutable_locate()->set_timeline_frame((i * 7919) % (length - 12) * std::int64_t{kRate} +
                                                                    17);
      seeks.push_back(static_cast<double>(rig.apply(locate)));
      rig.callbacks(100);
    }
    print_frames("seek to audible", seeks, floor);

    rig.apply(stop);
    v1::ApplyRequest bare;
    for (int i = 0; i < kPlayers; ++i) bare.add_operations()->mutable_remove_node()->set_path("t" + std::to_string(i));
    rig.apply(bare);
    rig.callbacks(1000);
    rig.apply(players(true));
    v1::ApplyRequest go, cues;
    v1::Cue& cue = *cues.add_operations()->mutable_cue_insert()->add_cues();
    cue.set_name("all");
    v1::Play& all = *cue.add_operations()->mutable_play();
    v1::Stop& none = *stop.mutable_operations(0)->mutable_stop();
    for (int i = 0; i < kPlayers; ++i) {
      all.add_players("f" + std::to_string(i) + "/p");
      none.add_players("f" + std::to_string(i) + "/p");
    }
    rig.apply(cues);
    go.add_operations()->mutable_go()->mutable_cue()->set_name("all");
    std::vector<double> starts;
    for (int i = 0; i < 20; ++i) {
      rig.callbacks(100);
      starts.push_back(static_cast<double>(rig.apply(go)));
      rig.callbacks(100);
      rig.apply(stop);
    }
    print_frames("start of 128", starts, floor);
    const auto status = rig.status();
    std::printf("starved frames     %llu\n", static_cast<unsigned long long>(status.counters().starved_frames()));
  }
  fs::remove_all(folder);
  return 0;
}
