#include "server/control/render_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

namespace continuo::control {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNice = 10;
constexpr int kFirstFree = 10;  // descriptors that we hand over stand above those that they become

Error cannot(const char* what, int number) {
  return make_error(ErrorKind::internal, "RENDER_NOT_STARTED", "",
                    std::string("cannot start a render: ") + what + ": " + std::strerror(number));
}

Descriptor lifted(int fd) { return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree)); }

Result<> make_pipe(Descriptor& in, Descriptor& out) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return cannot("pipe", errno);
  in = Descriptor(ends[0]);
  const Descriptor writing(ends[1]);
  out = lifted(writing.get());
  if (!out) return cannot("descriptor", errno);
  ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
  return {};
}

/// What runs there is not ours to tell systemd about.
std::vector<char*> environment() {
  std::vector<char*> all;
  for (char** at = environ; *at != nullptr; ++at) {
    if (std::strncmp(*at, "NOTIFY_SOCKET=", 14) != 0) all.push_back(*at);
  }
  all.push_back(nullptr);
  return all;
}

struct SpawnActions {
  posix_spawn_file_actions_t all;
  SpawnActions() { ::posix_spawn_file_actions_init(&all); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&all); }
};

struct SpawnManner {
  posix_spawnattr_t all;
  SpawnManner() {
    ::posix_spawnattr_init(&all);
    sigset_t none, every;
    sigemptyset(&none);
    sigfillset(&every);
    ::posix_spawnattr_setsigmask(&all, &none);
    ::posix_spawnattr_setsigdefault(&all, &every);
    ::posix_spawnattr_setpgroup(&all, 0);
    const sched_param plain{};
    ::posix_spawnattr_setschedpolicy(&all, SCHED_OTHER);
    ::posix_spawnattr_setschedparam(&all, &plain);
    ::posix_spawnattr_setflags(
        &all, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSCHEDULER);
  }
  SpawnManner(const SpawnManner&) = delete;
  SpawnManner& operator=(const SpawnManner&) = delete;
  ~SpawnManner() { ::posix_spawnattr_destroy(&all); }
};

/// Lines of a pipe. What has no line end yet, and is too long, loses its end.
class Lines {
 public:
  /// False at the pipe's end.
  bool read(int fd, const std::function<void(std::string)>& use) {
    std::array<char, 16'384> block;
    for (;;) {
      const ssize_t n = ::read(fd, block.data(), block.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno == EAGAIN;
      if (n == 0) return false;
      for (const char c : std::string_view(block.data(), static_cast<std::size_t>(n))) {
        if (c == '\n')
          use(std::exchange(begun_, {}));
        else if (begun_.size() < RenderChild::kMaxSaid)
          begun_ += c;
      }
    }
  }

 private:
  std::string begun_;
};

}  // namespace

void work_in_the_background() noexcept {
  constexpr int kWhoProcess = 1, kBestEffortLowest = (2 << 13) | 7;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
  ::syscall(SYS_ioprio_set, kWhoProcess, 0, kBestEffortLowest);
}

std::filesystem::path find_render_program() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "continuo-render";
}

RenderChild::RenderChild() : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void RenderChild::ask(Wish wish) noexcept {
  Wish now = wish_.load();
  while (now < wish && !wish_.compare_exchange_weak(now, wish)) {
  }
  if (bell_) ::eventfd_write(bell_.get(), 1);
}

Result<pid_t> RenderChild::start(const Order& order, Descriptor& out, Descriptor& err) const {
  Descriptor out_end, err_end;
  if (Result<> made = make_pipe(out, out_end); !made) return made.error();
  if (Result<> made = make_pipe(err, err_end); !made) return made.error();
  const Descriptor session = lifted(order.session);
  const Descriptor output = lifted(order.output);
  if (!session || !output) return cannot("descriptor", errno);
  SpawnActions actions;
  ::posix_spawn_file_actions_adddup2(&actions.all, session.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions.all, out_end.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions.all, err_end.get(), 2);
  ::posix_spawn_file_actions_adddup2(&actions.all, output.get(), 3);
  ::posix_spawn_file_actions_addclosefrom_np(&actions.all, 4);
  const SpawnManner manner;
  std::vector<std::string> words{"continuo-render"};
  words.insert(words.end(), order.arguments.begin(), order.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::vector<char*> variables = environment();
  pid_t process = 0;
  const int number =
      ::posix_spawn(&process, order.program.c_str(), &actions.all, &manner.all, argv.data(), variables.data());
  if (number != 0) return cannot(order.program.c_str(), number);
  // Where memory ends, it goes first.
  std::ofstream("/proc/" + std::to_string(process) + "/oom_score_adj") << 800;
  return process;
}

void RenderChild::listen(pid_t process, int out, int err, Ended& ended,
                         const std::function<void(const std::string&)>& line) {
  std::array<pollfd, 3> all{{{out, POLLIN, 0}, {err, POLLIN, 0}, {bell_.get(), POLLIN, 0}}};
  Lines said, complained;
  std::optional<std::string> last;
  std::optional<Clock::time_point> patience;
  bool killed = false;
  while (all[0].fd >= 0 || all[1].fd >= 0) {
    int wait = -1;
    if (patience && !killed) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*patience - Clock::now());
      wait = static_cast<int>(std::max<std::int64_t>(0, left.count() + 1));
    }
    if (::poll(all.data(), all.size(), wait) < 0 && errno != EINTR) break;
    if (all[0].revents != 0 && !said.read(out, [&](std::string text) {
          if (last) line(*last);
          last = std::move(text);
        }))
      all[0].fd = -1;
    if (all[1].revents != 0 && !complained.read(err, [&](std::string text) { ended.said = std::move(text); }))
      all[1].fd = -1;
    if (all[2].revents != 0) {
      eventfd_t rung = 0;
      ::eventfd_read(bell_.get(), &rung);
    }
    const Wish wish = wish_.load();
    // Not yet waited for, so the number is still its own.
    if (wish != Wish::none && !patience) {
      ::kill(-process, SIGTERM);
      patience = Clock::now() + kPatience;
    }
    if (!killed && (wish == Wish::die || (patience && Clock::now() >= *patience))) {
      ::kill(-process, SIGKILL);
      killed = true;
    }
  }
  ended.answer = last.value_or("");
}

Result<RenderChild::Ended> RenderChild::run(const Order& order, const std::function<void(const std::string&)>& line) {
  if (wish_.load() != Wish::none)
    return make_error(ErrorKind::aborted, "CANCELLED", "", "the render was cancelled before it began");
  Descriptor out, err;
  const Result<pid_t> process = start(order, out, err);
  if (!process) return process.error();
  process_.store(*process, std::memory_order_relaxed);
  Ended ended;
  listen(*process, out.get(), err.get(), ended, line);
  int status = 0;
  while (::waitpid(*process, &status, 0) < 0 && errno == EINTR) {
  }
  process_.store(0, std::memory_order_relaxed);
  if (WIFSIGNALED(status))
    ended.signal = WTERMSIG(status);
  else
    ended.code = WEXITSTATUS(status);
  return ended;
}

}  // namespace continuo::control
