// THREAD: any - spectrum: the loudest tones of now; another thread ends it where nothing comes
#include <CLI/CLI.hpp>
#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "clients/cli/context.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/spectrum_tones.hpp"
#include "clients/cli/table.hpp"

namespace continuo::cli {
namespace {

constexpr std::size_t kTones = 12;

struct SpectrumOptions {
  std::string node = "out";
  std::optional<std::uint32_t> channel;
  std::uint32_t fft_size = 16384;
  std::string window = "hann";
  double average_s = 0.0;
};

// Ends what the daemon sends, after `time`, unless it is destroyed before.
class Patience {
 public:
  Patience(Connection& daemon, std::chrono::duration<double> time)
      : thread_([this, &daemon, time] {
          std::unique_lock lock(mutex_);
          if (!over_.wait_for(lock, time, [this] { return done_; })) daemon.cancel_streams();
        }) {}
  ~Patience() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
  std::thread thread_;  // last: it uses the others
};

int spectrum(Context& context, const SpectrumOptions& options) {
  v1::WatchSpectrumRequest request;
  request.set_node(options.node);
  if (options.channel) request.set_channel(*options.channel);
  request.set_fft_size(options.fft_size);
  request.set_window(options.window);
  request.set_average_s(options.average_s);
  Connection& daemon = context.connection();
  std::optional<v1::SpectrumFrame> first;
  std::optional<v1::SpectrumFrame> last;
  const Interrupt::Scope interrupt([&daemon] { daemon.cancel_streams(); });
  {
    // More than 60 s the daemon refuses.
    const double average_s = options.average_s > 0.0 ? std::min(options.average_s, 60.0) : 0.0;
    const Patience patience(daemon, std::chrono::duration<double>(context.timeout_seconds + average_s));
    daemon.watch_spectrum(request, [&](const v1::SpectrumFrame& frame) {
      if (!first) first = frame;
      last = frame;
      const double rate_hz = frame.bin_hz() * options.fft_size;
      const auto sound = static_cast<double>(frame.engine_frame() - first->engine_frame());
      return sound < options.average_s * rate_hz;
    });
  }
  if (interrupt.happened()) return kOk;
  if (!last)
    throw Failure(kTryAgain, "NO_SOUND", options.node, "nothing came of '" + options.node + "': does the device run?");
  if (context.json) {
    print_line(to_json_line(*last));
    return kOk;
  }
  const std::vector<Tone> tones = loudest_tones(*last, kTones, options.window);
  if (tones.empty()) {
    print_line(format("no tone above %.0f dBFS", kToneFloorDb));
    return kOk;
  }
  Table table({">HZ", ">dBFS"});
  for (const Tone& tone : tones) table.add({format("%.1f", tone.frequency_hz), format("%.1f", tone.level_db)});
  table.print();
  return kOk;
}

}  // namespace

void add_spectrum_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<SpectrumOptions>();
  CLI::App* command = app.add_subcommand("spectrum", "The loudest tones of a node's sound; with --json every bin");
  command->add_option("NODE", options->node, "A node that has a meter; else out");
  command->add_option("--channel", options->channel, "From 1; else the sum of all, divided by their number");
  command->add_option("--fft-size", options->fft_size, "Samples, 256, 512 ... 65536; else 16384");
  command->add_option("--window", options->window, "hann (else), blackman-harris, flat-top, rectangular");
  command->add_option("--average", options->average_s, "Seconds to look and to average over; else one window alone")
      ->check(finite_number());
  command->callback([&context, options] { context.run = [&context, options] { return spectrum(context, *options); }; });
}

}  // namespace continuo::cli
