// THREAD: any - what every command is given: the global options and the way to the daemon
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clients/cli/connection.hpp"
#include "clients/cli/server_address.hpp"

namespace CLI {
class App;
}
namespace google::protobuf {
class Message;
}

namespace continuo::cli {

struct Context {
  std::string server;           // --server
  bool json = false;            // --json
  double timeout_seconds = 10;  // --timeout
  std::string leases;           // --lease, else $CONTINUO_LEASE: tokens with commas between them

  /// Set by the command that was chosen; main calls it once the whole command line was understood. Its result is the
  /// exit code.
  std::function<int()> run;

  /// Set by a command whose words go to another program as they are.
  bool passes_on = false;

  /// Made at first use: a command that needs no daemon looks for none.
  [[nodiscard]] Connection& connection() {
    if (!connection_) {
      connection_ =
          std::make_unique<Connection>(find_server(address_sources(server)),
                                       std::chrono::milliseconds(static_cast<std::int64_t>(timeout_seconds * 1000.0)));
      connection_->use_leases(leases);
    }
    return *connection_;
  }

 private:
  std::unique_ptr<Connection> connection_;
};

/// `render --on-server`: all words behind "render". The exit code.
int render_on_server(Context& context, std::vector<std::string> arguments);

// One group of commands a file (cmd_*.cpp).
void add_transport_commands(CLI::App& app, Context& context);
void add_queue_commands(CLI::App& app, Context& context);
void add_cue_commands(CLI::App& app, Context& context);
void add_build_commands(CLI::App& app, Context& context);
void add_session_commands(CLI::App& app, Context& context);
void add_set_commands(CLI::App& app, Context& context);
void add_automate_command(CLI::App& app, Context& context);
void add_lease_commands(CLI::App& app, Context& context);
void add_record_commands(CLI::App& app, Context& context);
void add_arm_command(CLI::App& app, Context& context);
void add_calibrate_command(CLI::App& app, Context& context);
void add_media_commands(CLI::App& app, Context& context);
void add_see_commands(CLI::App& app, Context& context);
void add_why_command(CLI::App& app, Context& context);
void add_meter_command(CLI::App& app, Context& context);
void add_loudness_commands(CLI::App& app, Context& context);
void add_spectrum_command(CLI::App& app, Context& context);
void add_scheduled_commands(CLI::App& app, Context& context);
void add_undo_commands(CLI::App& app, Context& context);
void add_watch_command(CLI::App& app, Context& context);
void add_events_command(CLI::App& app, Context& context);
void add_device_commands(CLI::App& app, Context& context);
void add_batch_commands(CLI::App& app, Context& context);
void add_jobs_commands(CLI::App& app, Context& context);
void add_api_commands(CLI::App& app, Context& context);
void add_complete_command(CLI::App& app, Context& context);

}  // namespace continuo::cli
