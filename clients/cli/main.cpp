// THREAD: any - the program `continuo`: reads the command line, runs one command, tells how it went
#include <google/protobuf/stubs/logging.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "clients/cli/context.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/output.hpp"

namespace {

using namespace continuo::cli;  // NOLINT: the one file that is nothing else

constexpr const char* kFooter =
    "The daemon: --server, else $CONTINUO_SERVER, else the user's socket ($XDG_RUNTIME_DIR/continuo/continuo.sock,\n"
    "/tmp/continuo-UID/continuo.sock), else the system's (/run/continuo/continuo.sock).\n"
    "Off the loopback: with the certificate of --tls, else $CONTINUO_TLS, else ~/.config/continuo/tls.\n"
    "Exit codes: 0 done, 64 usage, 65 bad data, 66 no such node or file, 69 no daemon, 70 our fault, 73 output "
    "exists,\n"
    "74 I/O or full disk, 75 try again, 77 refused.";

// CLI11 says that a command is required where one was given that it does not know.
Failure usage_failure(const CLI::App& app, const CLI::ParseError& error) {
  std::string place = "continuo";
  const CLI::App* deepest = &app;
  while (!deepest->get_subcommands().empty()) {
    deepest = deepest->get_subcommands().front();
    place += " " + deepest->get_name();
  }
  const std::vector<std::string> rest = app.remaining(true);
  const bool takes_command = !deepest->get_subcommands([](const CLI::App*) { return true; }).empty();
  if (takes_command && !rest.empty() && !rest.front().starts_with('-')) {
    return {kUsage, "UNKNOWN_COMMAND", rest.front(),
            "there is no command '" + place + " " + rest.front() + "'; see '" + place + " --help'"};
  }
  return {kUsage, "USAGE", "", std::string(error.what()) + "; see '" + place + " --help'"};
}

int run(int argc, char** argv) {
  Context context;
  CLI::App app("Plays, mixes and records on a Continuo daemon", "continuo");
  app.fallthrough();  // so that --json and --server may stand anywhere
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", "continuo " CONTINUO_VERSION);
  app.footer(kFooter);
  app.add_option("--server", context.server, "unix:/path/to/socket or host:port");
  std::string token_file;
  std::string tls;
  app.add_option("--token-file", token_file, "File with the token to show; else $CONTINUO_TOKEN_FILE");
  app.add_option("--tls", tls, "Folder of ca.crt, client.crt and client.key; else $CONTINUO_TLS");
  app.add_flag("--json", context.json, "Answer in JSON; one line each where it follows");
  app.add_option("--timeout", context.timeout_seconds, "Seconds that an answer may take; else 10")
      ->check(number_from(0.1, 3600.0));
  app.add_option("--lease", context.leases, "Tokens of 'lease take', with commas; else $CONTINUO_LEASE");
  add_transport_commands(app, context);
  add_queue_commands(app, context);
  add_cue_commands(app, context);
  add_session_commands(app, context);
  add_build_commands(app, context);
  add_set_commands(app, context);
  add_automate_command(app, context);
  add_arm_command(app, context);
  add_calibrate_command(app, context);
  add_lease_commands(app, context);
  add_record_commands(app, context);
  add_media_commands(app, context);
  add_see_commands(app, context);
  add_why_command(app, context);
  add_meter_command(app, context);
  add_loudness_commands(app, context);
  add_spectrum_command(app, context);
  add_scheduled_commands(app, context);
  add_undo_commands(app, context);
  add_watch_command(app, context);
  add_events_command(app, context);
  add_device_commands(app, context);
  add_batch_commands(app, context);
  add_jobs_commands(app, context);
  add_api_commands(app, context);
  add_complete_command(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    app.exit(success);  // prints the help that was asked for
    flush_output();
    return kOk;
  } catch (const CLI::ParseError& error) {
    throw usage_failure(app, error);
  }
  // Names and values travel as UTF-8; what goes to the offline program as it is, need not.
  if (!context.passes_on) {
    for (int i = 1; i < argc; ++i) {
      if (!is_utf8(argv[i])) throw Failure(kUsage, "NOT_UTF8", "", "'" + std::string(argv[i]) + "' is not UTF-8");
    }
  }
  // Where every channel looks (channel.hpp).
  if (!token_file.empty()) ::setenv("CONTINUO_TOKEN_FILE", token_file.c_str(), 1);
  if (!tls.empty()) ::setenv("CONTINUO_TLS", tls.c_str(), 1);
  if (const char* const held = std::getenv("CONTINUO_LEASE"); context.leases.empty() && held != nullptr)
    context.leases = held;
  const int code = context.run();
  flush_output();
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // One line on stderr is ours; libraries keep their remarks unless somebody asks for them.
  ::setenv("GRPC_VERBOSITY", "NONE", 0);
  google::protobuf::SetLogHandler(nullptr);
  Interrupt::install();
  try {
    return run(argc, argv);
  } catch (const Failure& failure) {
    std::fflush(stdout);
    note(one_line(failure));
    return failure.exit_code;
  } catch (const std::filesystem::filesystem_error& error) {
    std::fflush(stdout);
    note(error.what());
    return kIoError;
  } catch (const std::exception& error) {
    std::fflush(stdout);
    note(std::string("a fault of this program: ") + error.what());
    return kFault;
  }
}
