// THREAD: main - the wiring diagram of continuod: construct, run, tear down in reverse
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "rt/cpu_level.hpp"
#include "server/base/config.hpp"
#include "server/base/exit_code.hpp"
#include "server/base/lock_file.hpp"
#include "server/base/log.hpp"
#include "server/base/notify.hpp"
#include "server/base/options.hpp"
#include "server/base/paths.hpp"
#include "server/base/stop_signal.hpp"
#include "server/base/take_folders.hpp"
#include "server/control/engine.hpp"
#include "server/rpc/server.hpp"

namespace {

using namespace continuo;

constexpr std::chrono::milliseconds kShutdownLimit{4200};  // the engine promises 4 s
constexpr std::chrono::milliseconds kLastCalls{200};

/// To the log, and to whoever sits before the terminal where the log goes to a file.
int fail(const Config& config, const Error& error) {
  log::error("{}", error.message);
  log::flush();
  if (!config.log_file.empty()) std::fprintf(stderr, "continuod: %s\n", error.message.c_str());
  return exit_code(error.kind);
}

/// The strand of the house: one thread runs it, and is joined before what it runs is destroyed.
class ControlThread {
 public:
  explicit ControlThread(boost::asio::io_context& io)
      : io_(io), work_(io.get_executor()), thread_([&io] {
          pthread_setname_np(pthread_self(), "control");
          io.run();
        }) {}
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;
  ~ControlThread() {
    io_.stop();
    thread_.join();
  }

 private:
  boost::asio::io_context& io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

/// Turns one of the engine's calls into something that this thread can wait for.
template <class T>
struct Answer {
  std::shared_ptr<std::promise<Result<T>>> promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> future = promise->get_future();
  control::Done<T> done() {
    return [promise = promise](Result<T> result) { promise->set_value(std::move(result)); };
  }
};

control::EngineConfig engine_config(const Config& config, const std::string& second_problem) {
  control::EngineConfig engine;
  engine.device.name = config.device_name;
  engine.device.host_api = config.host_api;
  engine.device.sample_rate_hz = config.sample_rate_hz;
  engine.device.buffer_frames = config.buffer_frames;
  if (config.in_channels) engine.device.in_channels = *config.in_channels;
  if (config.out_channels) engine.device.out_channels = *config.out_channels;
  engine.device.priority = static_cast<int>(config.priority);
  engine.render_workers = config.render_workers;
  engine.ceiling_db = config.ceiling_db;
  for (const auto& [name, folder] : config.media_roots) {
    if (!folder.empty()) engine.media_roots.emplace(name, folder);
  }
  engine.take_folder = config.take_folder;
  engine.second_take_folder = config.second_take_folder;
  engine.second_take_problem = second_problem;
  engine.take_template = config.take_template;
  engine.state_folder = config.state_folder;
  engine.restore_session = config.start_session == "last";
  engine.resume_playback = config.start_playback == "resume";
  engine.resume_recording = config.start_recording == "resume";
  engine.loss_stops_playback = config.loss_playback == "stop";
  engine.loss_stops_recording = config.loss_recording == "stop";
  engine.input_labels = config.input_labels;
  engine.output_labels = config.output_labels;
  return engine;
}

rpc::AccessRules access_rules(const Config& config) {
  return {config.role,          config.user_roles, config.group_roles, config.certificate_roles,
          config.loopback_role, config.token_file};
}

rpc::ServerConfig server_config(const Config& config) {
  return {config.listen,
          access_rules(config),
          {config.tls_certificate, config.tls_key, config.tls_client_ca},
          config.group,
          config.operations_per_second};
}

/// `second_problem`: why takes have no second destination for now.
Result<> make_folders(const Config& config, std::string& second_problem) {
  if (Result<> made = make_folder(config.state_folder, 0755, false, "state.folder"); !made) return made;
  Result<std::string> takes = make_take_folders(config);
  if (!takes) return takes.error();
  second_problem = *std::move(takes);
  // The default root is ours to make; the others are somebody's folders, and may be mounted later.
  const auto media = config.media_roots.find("media");
  if (media == config.media_roots.end() || media->second != config.state_folder / "media") return {};
  return make_folder(media->second, 0755, false, "media.roots");
}

std::string describe(const v1::GetStatusResponse& status, const std::string& wanted) {
  const auto& device = status.device();
  std::string text = device.name();
  if (device.host_api() == "clock") {
    text = "clock device: ";
    if (wanted.empty())
      text += "no sound card found";
    else
      text += wanted == "clock" ? "as asked for" : "'" + wanted + "' was not found, looking for it";
  }
  return fmt::format("{} ({} in, {} out, {:.0f} Hz)", text, device.in_channels(), device.out_channels(),
                     device.sample_rate_hz());
}

/// One line on stdout, which scripts wait for.
void announce(const rpc::Server& server, control::Engine& engine, const std::string& wanted) {
  Answer<v1::GetStatusResponse> status;
  engine.status(status.done());
  const Result<v1::GetStatusResponse> known = status.future.get();
  std::string where;
  for (const std::string& address : server.addresses()) where += " " + address;
  std::printf("continuod " CONTINUO_VERSION " ready on%s; %s\n", where.c_str(),
              known ? describe(*known, wanted).c_str() : "");
  std::fflush(stdout);
  notify_supervisor("READY=1");
}

/// What the log says is in the journal as well, until this goes.
class JournalOfLog {
 public:
  explicit JournalOfLog(journal::Journal& journal) {
    log::observe([&journal](log::Level level, std::string_view line) {
      v1::Event event;
      event.set_kind(v1::Event::KIND_LOG);
      event.set_severity(level == log::Level::error     ? v1::Event::SEVERITY_ERROR
                         : level == log::Level::warning ? v1::Event::SEVERITY_WARNING
                                                        : v1::Event::SEVERITY_INFO);
      event.set_message(std::string(line));
      journal.add(std::move(event));
    });
  }
  JournalOfLog(const JournalOfLog&) = delete;
  JournalOfLog& operator=(const JournalOfLog&) = delete;
  ~JournalOfLog() { log::observe({}); }
};

/// SIGHUP: [access] is read anew; the rest of the configuration waits for the next start.
void read_access(rpc::Server& server, const ConfigSources& sources) {
  const Result<LoadedConfig> loaded = load_config(sources);
  if (!loaded) return log::error("SIGHUP: the access rules stay as they were: {}", loaded.error().message);
  server.use(access_rules(loaded->config));
  log::info("SIGHUP: the access rules were read anew");
}

/// Clients and files each take one; the shell's usual 1024 are few for 128 takes in parts.
void allow_descriptors() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 65'536);
  setrlimit(RLIMIT_NOFILE, &files);
}

int run(const Config& config, const ConfigSources& sources) {
  allow_descriptors();
  StopSignal stop;
  std::string second_problem;
  if (const Result<> made = make_folders(config, second_problem); !made) return fail(config, made.error());
  const Result<LockFile> state =
      LockFile::claim(config.state_folder / "continuod.lock", "the state folder " + config.state_folder.string());
  if (!state) return fail(config, state.error());
  Result<std::unique_ptr<rpc::Server>> claimed = rpc::Server::claim(server_config(config));
  if (!claimed) return fail(config, claimed.error());

  boost::asio::io_context io{1};
  control::Engine engine(io, engine_config(config, second_problem), device::make_portaudio_factory());
  const JournalOfLog journal(engine.journal());
  log::info("continuod " CONTINUO_VERSION " starts");
  const ControlThread control(io);
  const std::unique_ptr<rpc::Server> server = *std::move(claimed);  // the last in is the first out
  Answer<std::monostate> started;
  engine.start(started.done());
  // A driver may take its time; a signal need not wait for it.
  while (started.future.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready && !stop.requested()) {
  }
  if (!stop.requested()) {
    if (const Result<> running = started.future.get(); !running) return fail(config, running.error());
    if (const Result<> serving = server->start(engine); !serving) return fail(config, serving.error());
    stop.on_hangup([&server = *server, &sources] { read_access(server, sources); });
    announce(*server, engine, config.device_name);
    stop.wait();
    stop.on_hangup({});
  }

  notify_supervisor("STOPPING=1");
  log::info("continuod " CONTINUO_VERSION " stops");
  const bool sounded = engine.audio_alive();
  server->close_door();
  Answer<std::monostate> ended;
  engine.shutdown(ended.done());
  const bool saved = ended.future.wait_for(kShutdownLimit) == std::future_status::ready && ended.future.get();
  server->stop(std::chrono::system_clock::now() + kLastCalls);
  if (!saved || !sounded) {
    // A dead audio library aborts or hangs in its destructors; everything that counts is on disk.
    log::warning("the audio device did not end as it should; state {} saved", saved ? "is" : "is not");
    log::flush();
    server->abandon();
    _exit(kExitOk);
  }
  return kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (const auto* notice = std::get_if<Notice>(&parsed)) {
    std::fputs(notice->text.c_str(), notice->exit_code == kExitOk ? stdout : stderr);
    return notice->exit_code;
  }
  const Options& options = std::get<Options>(parsed);
  const Result<LoadedConfig> loaded = load_config(options.sources);
  if (!loaded) {
    std::fprintf(stderr, "continuod: %s\n", loaded.error().message.c_str());
    return exit_code(loaded.error().kind);
  }
  if (options.action == Action::print_config) {
    std::fputs(print_config(*loaded).c_str(), stdout);
    return kExitOk;
  }
  if (options.action == Action::check_config) {
    const std::string file = loaded->file.empty() ? "no configuration file; defaults" : loaded->file.string();
    std::printf("configuration is good: %s\n", file.c_str());
    return kExitOk;
  }
  if (const Result<> logging = log::start({*log::level_from(loaded->config.log_level), loaded->config.log_file});
      !logging) {
    std::fprintf(stderr, "continuod: %s\n", logging.error().message.c_str());
    return exit_code(logging.error().kind);
  }
  bool refused = false;
  const rt::CpuLevel level = rt::chosen_cpu_level(&refused);
  if (refused) log::warning("CONTINUO_CPU names no level that this machine has; taken: {}", rt::name_of(level));
  return run(loaded->config, options.sources);
}
