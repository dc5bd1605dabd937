// 128 channels of 24 bits recorded on the clock device, by the daemon's own engine: frames lost (0), processor time of
// the callback and of the disk threads, the longest write and flush, memory. Beside it the floor: the same bytes by
// pwrite alone, a second at a time, with one fsync a second. --seconds N (60), --quick (5 s), --split: 128 files,
// --flac: those as FLAC, and what the encoder alone takes for eight channels; --folder DIR: the disk.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/control/engine.hpp"
#include "server/media/flac_encoder.hpp"
#include "server/media/take_file.hpp"

namespace {

using namespace continuo;
namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kChannels = 128;
constexpr std::int64_t kBytesPerSecond = 48'000ll * kChannels * 3;

double ms(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

void longest(std::atomic<std::int64_t>& most, Clock::time_point begin) {
  const std::int64_t took = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
  std::int64_t before = most.load();
  while (took > before && !most.compare_exchange_weak(before, took)) {
  }
}

struct Times {
  std::atomic<std::int64_t> write_ns{0}, sync_ns{0}, bytes{0}, writes{0};
};

/// A real file, and how long it takes.
class TimedFile final : public media::TakeFile {
 public:
  TimedFile(std::unique_ptr<media::TakeFile> file, Times& times) : file_(std::move(file)), times_(times) {}
  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) override {
    const auto begin = Clock::now();
    const int number = file_->write_at(offset, bytes, written);
    longest(times_.write_ns, begin);
    times_.bytes += static_cast<std::int64_t>(written);
    ++times_.writes;
    return number;
  }
  int truncate(std::int64_t size) override { return file_->truncate(size); }
  int sync() override {
    const auto begin = Clock::now();
    const int number = file_->sync();
    longest(times_.sync_ns, begin);
    return number;
  }
  int publish(const fs::path& name, bool overwrite) override { return file_->publish(name, overwrite); }
  void discard() noexcept override { file_->discard(); }
  [[nodiscard]] std::uint64_t volume() const noexcept override { return file_->volume(); }
  int sync_volume() override {
    const auto begin = Clock::now();
    const int number = file_->sync_volume();
    longest(times_.sync_ns, begin);
    return number;
  }
  [[nodiscard]] std::int64_t free_bytes() const noexcept override { return file_->free_bytes(); }

 private:
  std::unique_ptr<media::TakeFile> file_;
  Times& times_;
};

/// Seconds of processor time by thread name.
std::map<std::string, double> thread_seconds() {
  std::map<std::string, double> all;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::ifstream in(task.path() / "stat");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto open = text.find('('), close = text.rfind(')');
    if (open == std::string::npos || close == std::string::npos) continue;
    unsigned long user = 0, system = 0;
    if (std::sscanf(text.c_str() + close + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) !=
        2)
      continue;
    all[text.substr(open + 1, close - open - 1)] +=
        static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return all;
}

double resident_mib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::atof(line.c_str() + 6) / 1024.0;
  }
  return 0.0;
}

template <class T>
T wait_for(const std::function<void(control::Done<T>)>& call) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  call([promise](Result<T> result) { promise->set_value(std::move(result)); });
  Result<T> result = promise->get_future().get();
  if (!result) {
    std::fprintf(stderr, "bench_recording: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

double cpu_seconds(const rusage& u) {
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/// Two sines and a little noise a channel: what is neither silence nor all noise.
void flac_of(int seconds) {
  constexpr media::FlacFormat kFormat{8, 48'000, 24, 1152};
  std::vector<std::int32_t> second(std::size_t{kFormat.sample_rate_hz} * kFormat.channels);
  std::uint32_t noise = 1;
  for (std::size_t i = 0; i < second.size(); ++i) {
    const auto frame = static_cast<double>(i / kFormat.channels), pitch = static_cast<double>(i % kFormat.channels + 1);
    noise = noise * 1'664'525u + 1'013'904'223u;
    second[i] = static_cast<std::int32_t>(
        (0.4 * std::sin(frame * 0.01 * pitch) + 0.2 * std::sin(frame * 0.053 * pitch)) * 8e6 + (noise >> 17u));
  }
  std::size_t bytes = 0;
  media::FlacEncoder encoder(kFormat, [&](std::span<const std::byte> frame, std::uint32_t) {
    bytes += frame.size();
    return true;
  });
  rusage before{}, after{};
  getrusage(RUSAGE_THREAD, &before);
  bool good = true;
  for (int s = 0; s < seconds; ++s) good = encoder.encode(second) && good;
  if (!encoder.finish() || !good) std::exit(1);
  getrusage(RUSAGE_THREAD, &after);
  std::printf("FLAC encoder, 8 channels of 24 bits: %.2f %% of a core, %.0f %% of the bytes\n",
              100.0 * (cpu_seconds(after) - cpu_seconds(before)) / seconds,
              100.0 * static_cast<double>(bytes) / (static_cast<double>(second.size()) * 3 * seconds));
}

void floor_of(const fs::path& folder, int seconds) {
  const fs::path file = folder / "floor.raw";
  const int fd = ::open(file.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) std::exit(1);
  std::vector<char> block(kBytesPerSecond / 100, 'x');
  rusage before{}, after{};
  getrusage(RUSAGE_THREAD, &before);
  Clock::duration write{}, sync{};
  std::int64_t at = 0;
  const auto begin = Clock::now();
  for (int s = 0; s < seconds; ++s) {
    for (int i = 0; i < 100; ++i) {
      const auto from = Clock::now();
      if (::pwrite(fd, block.data(), block.size(), at) != static_cast<ssize_t>(block.size())) std::exit(1);
      write = std::max(write, Clock::now() - from);
      at += static_cast<std::int64_t>(block.size());
    }
    const auto from = Clock::now();
    ::fdatasync(fd);
    sync = std::max(sync, Clock::now() - from);
  }
  const double wall = ms(Clock::now() - begin) / 1e3;
  getrusage(RUSAGE_THREAD, &after);
  ::close(fd);
  fs::remove(file);
  std::printf(
      "floor, pwrite alone: %.1f s of wall time for %d s of sound, %.2f %% of a core, longest write %.2f ms, longest "
      "flush %.1f ms\n",
      wall, seconds, 100.0 * (cpu_seconds(after) - cpu_seconds(before)) / seconds, ms(write), ms(sync));
}

}  // namespace

int main(int argc, char** argv) {
  int seconds = 60;
  bool split = false, flac = false;
  fs::path parent = fs::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) seconds = 5;
    if (std::strcmp(argv[i], "--split") == 0) split = true;
    if (std::strcmp(argv[i], "--flac") == 0) split = flac = true;
    if (std::strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) seconds = std::atoi(argv[++i]);
    if (std::strcmp(argv[i], "--folder") == 0 && i + 1 < argc) parent = argv[++i];
  }
  std::string name = (parent / "continuo-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr || seconds < 1) return 1;
  const fs::path folder = name;
  Times times;
  {
    boost::asio::io_context io{1};
    control::EngineConfig config;
    config.device.name = "clock";
    config.device.in_channels = kChannels;
    config.device.out_channels = 2;
    config.device.buffer_frames = 256;
    config.take_folder = folder / "takes";
    config.state_folder = folder / "state";
    fs::create_directories(config.state_folder);
    config.take_file = [&times](const fs::path& file) -> Result<std::unique_ptr<media::TakeFile>> {
      auto made = media::make_take_file(file);
      if (!made) return made.error();
      return std::unique_ptr<media::TakeFile>(new TimedFile(std::move(*made), times));
    };
    control::Engine engine(io, config, device::make_portaudio_factory());
    auto work = boost::asio::make_work_guard(io);
    std::thread strand([&io] { io.run(); });
    wait_for<std::monostate>([&](auto done) { engine.start(std::move(done)); });
    const double idle_mib = resident_mib();
    v1::ApplyRequest start;
    v1::RecordStart& record = *start.add_operations()->mutable_record_start();
    record.add_nodes("in");
    record.set_format(flac ? v1::TAKE_FORMAT_FLAC24 : v1::TAKE_FORMAT_PCM24);
    record.set_split_channels(split);
    record.set_frames(48'000ll * seconds);
    const auto cpu_before = thread_seconds();
    const auto begun = wait_for<v1::ApplyResponse>([&](auto done) { engine.apply(start, std::move(done)); });
    double most_mib = 0.0;
    v1::GetStatusResponse status;
    for (bool runs = true; runs;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      most_mib = std::max(most_mib, resident_mib());
      status = wait_for<v1::GetStatusResponse>([&](auto done) { engine.status(std::move(done)); });
      runs = status.takes().empty() || status.takes(0).recording();
    }
    auto cpu = thread_seconds();
    for (const auto& [thread, before] : cpu_before) cpu[thread] -= before;
    const auto& take = status.takes(0);
    std::printf(
        "%u channels, 24 bits, %d s, %s: %lld frames, %llu lost; %llu xruns, callback mean %.1f us, max %.1f us\n",
        kChannels, seconds,
        flac    ? "128 FLAC files"
        : split ? "128 files"
                : "one file",
        static_cast<long long>(take.frames()), static_cast<unsigned long long>(take.lost_frames()),
        static_cast<unsigned long long>(status.counters().xruns()), status.realtime().callback_mean_us(),
        status.realtime().callback_max_us());
    std::printf("  longest write %.2f ms, longest flush %.1f ms, %lld writes, %.1f MB\n",
                static_cast<double>(times.write_ns) * 1e-6, static_cast<double>(times.sync_ns) * 1e-6,
                static_cast<long long>(times.writes), static_cast<double>(times.bytes) * 1e-6);
    for (const auto& [thread, used] : cpu) {
      if (used > 0.005 * seconds) std::printf("  %-16s %5.2f %% of a core\n", thread.c_str(), 100.0 * used / seconds);
    }
    std::printf("  memory %.0f MiB idle, %.0f MiB at most\n", idle_mib, most_mib);
    if (!take.error().empty()) std::printf("  error: %s\n", take.error().c_str());
    wait_for<std::monostate>([&](auto done) { engine.shutdown(std::move(done)); });
    work.reset();
    io.stop();
    strand.join();
  }
  fs::remove_all(folder / "takes");
  floor_of(folder, seconds);
  if (flac) flac_of(seconds);
  fs::remove_all(folder);
  return 0;
}
