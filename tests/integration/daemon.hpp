// THREAD: any - a continuod of the test's own on the clock device, in a folder of its own
#pragma once

#include <fcntl.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/base/temp_folder.hpp"

namespace continuo {

/// A child process whose stdout the test reads line by line; killed at the end if it still runs.
class Child {
 public:
  explicit Child(std::vector<std::string> words, const std::string& errors = "/dev/null") {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      const int log = open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, STDERR_FILENO);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(ends[1]);
    out_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
    close(out_);
  }

  /// Empty at the end of the output.
  std::string read_line() {
    std::string line;
    char c = 0;
    while (read(out_, &c, 1) == 1 && c != '\n') line += c;
    return line;
  }
  void signal(int number) const { kill(pid_, number); }
  /// The exit code, or minus the signal that ended it.
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

/// Started, and ready once made: `ready` is the line that it prints then.
struct Daemon {
  TempFolder folder;
  std::string address = "unix:" + (folder.path() / "run" / "c.sock").string();
  Child child;
  std::string ready;

  explicit Daemon(std::vector<std::string> more = {})
      : child(words(std::move(more)), (folder.path() / "log").string()) {
    ready = child.read_line();
  }

  [[nodiscard]] std::vector<std::string> words(std::vector<std::string> more) const {
    const std::string state = (folder.path() / "state").string();
    std::vector<std::string> all{CONTINUOD,      "--config", folder.write("c.toml", "").string(),
                                 "--device",     "clock",    "--state-folder",
                                 state,          "--listen", address,
                                 "--media-root", "home="};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// A connection of its own.
  [[nodiscard]] std::shared_ptr<grpc::Channel> channel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  }
};

/// With the deadline that every call of a test has.
struct Call : grpc::ClientContext {
  Call() { set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30)); }
  operator grpc::ClientContext*() { return this; }  // NOLINT: so that a call that needs no name has none
};

}  // namespace continuo
