// THREAD: any - meters: one thread reads and folds, this one draws; a slow terminal sees fewer pictures, not older ones
#include <CLI/CLI.hpp>
#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/meter_values.hpp"
#include "clients/cli/meter_view.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct MeterOptions {
  std::vector<std::string> nodes;
  bool inputs = false;
  std::vector<std::string> kinds;
  std::optional<double> decay_db_per_s;
  std::optional<double> hold_s;
  std::optional<double> silence_db;
  std::uint32_t rate_hz = 10;
  bool once = false;
  std::string length;
};

// What the two threads share.
struct Shared {
  std::mutex mutex;
  std::condition_variable changed;
  MeterView view;
  bool ended = false;
  std::exception_ptr error;
};

// Draws over what it drew before.
class Screen {
 public:
  void draw(const std::string& text) {
    std::string out = lines_ > 0 ? format("\x1b[%zuA\r", lines_) : "\x1b[?25l";
    lines_ = 0;
    for (const char c : text) {
      if (c == '\n') {
        out += "\x1b[K";
        ++lines_;
      }
      out += c;
    }
    print_raw(out + "\x1b[J");
  }
  ~Screen() {
    if (lines_ > 0) std::fputs("\x1b[?25h", stdout);
  }

 private:
  std::size_t lines_ = 0;
};

void draw_until_end(Context& context, const MeterOptions& options, Shared& shared,
                    std::optional<Clock::time_point> end) {
  const bool bars = on_terminal() && !context.json;
  Screen screen;
  std::unique_lock lock(shared.mutex);
  while (true) {
    // One picture alone shall show levels of everything, unless some meter never gets any.
    const auto ready = [&] { return shared.ended || (options.once ? shared.view.complete() : shared.view.fresh()); };
    const bool woke = end ? shared.changed.wait_until(lock, *end, ready) : (shared.changed.wait(lock, ready), true);
    if (shared.view.fresh()) {
      const TerminalSize size = bars ? terminal_size() : TerminalSize{};
      const std::string text =
          bars ? shared.view.draw_bars({size.columns, options.once ? 10000 : size.rows, wants_colour(), shows_utf8()})
          : context.json ? shared.view.draw_json()
                         : shared.view.draw_lines();
      lock.unlock();
      if (bars && !options.once) {
        screen.draw(text);
      } else {
        print_raw(text);
      }
      flush_output();
      lock.lock();
      if (options.once) return;
    }
    if (!woke || shared.ended) return;
  }
}

int meters(Context& context, const MeterOptions& options) {
  v1::WatchMetersRequest request;
  for (const std::string& node : options.nodes) request.add_nodes(node);
  request.set_inputs(options.inputs);
  request.set_rate_hz(options.rate_hz);
  for (const std::string& kind : options.kinds) request.add_kinds(kind_of(kind));
  if (options.decay_db_per_s) request.set_decay_db_per_s(*options.decay_db_per_s);
  if (options.hold_s) request.set_hold_s(*options.hold_s);
  if (options.silence_db) request.set_silence_db(*options.silence_db);
  std::optional<Clock::time_point> end;
  if (options.once) {
    const bool long_window = std::ranges::count(request.kinds(), static_cast<int>(v1::METER_KIND_SHORT_TERM)) > 0;
    end = Clock::now() + std::chrono::seconds(long_window ? 5 : 2);  // 3 s of sound, and some
  }
  if (!options.length.empty()) {
    const TimeText length = parse_time(options.length, "--for");
    const double seconds = length.to_seconds(length.is_frames ? context.connection().clock().engine_rate_hz() : 0.0);
    end = Clock::now() +
          std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, 1e8)));
  }
  Connection& daemon = context.connection();
  Shared shared;
  std::thread reader([&] {
    std::exception_ptr error;
    try {
      daemon.watch_meters(request, [&shared](const v1::MeterFrame& frame) {
        const std::lock_guard lock(shared.mutex);
        shared.view.add(frame);
        shared.changed.notify_one();
        return true;
      });
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(shared.mutex);
    shared.ended = true;
    shared.error = error;
    shared.changed.notify_one();
  });
  struct Join {
    Connection& daemon;
    std::thread& thread;
    ~Join() {
      daemon.cancel_streams();
      thread.join();
    }
  };
  {
    const Interrupt::Scope interrupt([&daemon] { daemon.cancel_streams(); });
    const Join join{daemon, reader};
    draw_until_end(context, options, shared, end);
  }
  if (shared.error) std::rethrow_exception(shared.error);
  return kOk;
}

}  // namespace

void add_meter_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<MeterOptions>();
  CLI::App* command = app.add_subcommand("meters", "Live levels and position; Ctrl-C ends");
  command->add_option("NODE", options->nodes, "Nodes, 'in', 'out'; else every track and bus, then out");
  command->add_flag("--inputs", options->inputs, "Also the device's inputs");
  command->add_option("--rate", options->rate_hz, "Pictures a second; else 10")
      ->check(CLI::IsMember({1, 2, 5, 10, 20, 30, 50, 60, 100}));
  std::string kinds;
  for (const std::string& name : kind_names()) kinds += (kinds.empty() ? "" : ", ") + name;
  command->add_option("--kind", options->kinds, "Also these, with commas: " + kinds)
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--decay", options->decay_db_per_s, "Of peak-hold: dB a second, 1 to 1000; else 20")
      ->check(finite_number());
  command->add_option("--hold", options->hold_s, "Of peak-hold: seconds, 0 to 60; else 1")->check(finite_number());
  command->add_option("--silence", options->silence_db, "Of silence: dBFS, -140 to 0; else -60")
      ->check(finite_number());
  command->add_flag("--once", options->once, "One picture, once everything was measured, then end");
  command->add_option("--for", options->length, "End after this long: 10s");
  command->callback([&context, options] { context.run = [&context, options] { return meters(context, *options); }; });
}

}  // namespace continuo::cli
