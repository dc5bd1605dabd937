#include "server/base/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <utility>

#include "server/base/check.hpp"

namespace continuo::log {
namespace {

constexpr std::size_t kFileBytes = 10u << 20;
constexpr std::size_t kOldFiles = 5;

/// "<6>": what journald reads a line's priority from.
class JournalPriority final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    std::string_view mark = "<6>";
    if (message.level == spdlog::level::debug || message.level == spdlog::level::trace) mark = "<7>";
    if (message.level == spdlog::level::warn) mark = "<4>";
    if (message.level >= spdlog::level::err) mark = "<3>";
    out.append(mark.data(), mark.data() + mark.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<JournalPriority>();
  }
};

/// JOURNAL_STREAM alone does not do: a child whose stderr goes elsewhere has it too.
bool stderr_is_journal() {
  const char* text = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  if (text == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  unsigned long long device = 0;
  unsigned long long inode = 0;
  return std::sscanf(text, "%llu:%llu", &device, &inode) == 2 && device == status.st_dev && inode == status.st_ino;
}

spdlog::sink_ptr make_stderr_sink() {
  if (stderr_is_journal()) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<JournalPriority>('*').set_pattern("%*%v");
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(std::move(formatter));
    return sink;
  }
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  return sink;
}

spdlog::sink_ptr make_file_sink(const std::filesystem::path& file) {
  auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), kFileBytes, kOldFiles);
  sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  return sink;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct Log {
  std::shared_ptr<spdlog::sinks::dist_sink_mt> sinks = std::make_shared<spdlog::sinks::dist_sink_mt>();
  spdlog::logger logger{"continuod", sinks};
  std::mutex mutex;
  std::filesystem::path file;   // guarded by mutex
  std::shared_mutex observing;  // shared while the observer is called
  std::function<void(Level, std::string_view)> observer;
  std::atomic<bool> observed{false};

  Log() {
    sinks->add_sink(make_stderr_sink());
    logger.flush_on(spdlog::level::info);
  }
};

/// Never destroyed: threads that end late may still log.
Log& the_log() {
  static Log* const log = new Log;
  return *log;
}

void tell(Log& log, Level level, std::string_view line) {
  if (level == Level::debug || !log.observed) return;
  const std::shared_lock lock(log.observing);
  if (log.observer) log.observer(level, line);
}

}  // namespace

std::optional<Level> level_from(std::string_view name) noexcept {
  if (name == "debug") return Level::debug;
  if (name == "info") return Level::info;
  if (name == "warning") return Level::warning;
  if (name == "error") return Level::error;
  return std::nullopt;
}

Result<> start(const Settings& settings) {
  Log& log = the_log();
  try {
    const std::lock_guard lock(log.mutex);
    if (!settings.file.empty()) log.sinks->set_sinks({make_file_sink(settings.file)});
    log.file = settings.file;
    log.logger.set_level(to_spdlog(settings.level));
    log.logger.flush_on(to_spdlog(settings.level));
    return {};
  } catch (const std::exception& problem) {
    return make_error(ErrorKind::configuration, "LOG_FILE", "log.file",
                      fmt::format("cannot write the log file {}: {}", settings.file.string(), problem.what()));
  }
}

void reopen() noexcept {
  Log& log = the_log();
  try {
    const std::lock_guard lock(log.mutex);
    if (!log.file.empty()) log.sinks->set_sinks({make_file_sink(log.file)});
  } catch (const std::exception& problem) {
    write(Level::error, std::string("cannot open the log file anew: ") + problem.what());
  }
}

void flush() noexcept { the_log().logger.flush(); }

void observe(std::function<void(Level, std::string_view)> call) {
  Log& log = the_log();
  const std::unique_lock lock(log.observing);
  log.observer = std::move(call);
  log.observed = static_cast<bool>(log.observer);
}

bool enabled(Level level) noexcept {
  Log& log = the_log();
  return log.logger.should_log(to_spdlog(level)) || (level != Level::debug && log.observed);
}

void write(Level level, std::string_view text) noexcept {
  Log& log = the_log();
  // Names and texts of clients are in it: no line of a log is cut in two by them, nor does a terminal obey them.
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::ranges::none_of(text, is_control)) {
    log.logger.log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
    return tell(log, level, text);
  }
  std::string line(text);
  for (char& c : line) {
    if (is_control(c)) c = ' ';
  }
  log.logger.log(to_spdlog(level), line);
  tell(log, level, line);
}

}  // namespace continuo::log

namespace continuo {

void check_failed(const char* expression, const char* file, int line, const char* why) noexcept {
  log::error("fault of ours at {}:{}: {} ({}): aborting", file, line, why, expression);
  log::flush();
  std::abort();
}

}  // namespace continuo
