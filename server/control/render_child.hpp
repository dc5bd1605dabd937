// THREAD: any that may wait runs it, any ends it - the program continuo-render, in a process of its own
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "server/base/descriptor.hpp"
#include "server/base/result.hpp"

namespace continuo::control {

/// Makes the calling thread, and what it starts, give way to whoever has less time.
void work_in_the_background() noexcept;

/// The one beside this program.
[[nodiscard]] std::filesystem::path find_render_program();

/// A crash or a large session over there touches nothing here. It has a process group of its own, no real-time
/// priority, and of our descriptors the session, the output and a pipe.
class RenderChild {
 public:
  static constexpr std::chrono::milliseconds kPatience{3000};  // from being asked to end to being killed
  static constexpr std::size_t kMaxSaid = 4u << 20;            // bytes of an answer; more is cut

  struct Order {
    std::filesystem::path program;
    std::vector<std::string> arguments;  // its session is kSession, its output's descriptor kOutput
    int session = -1;                    // both stay the caller's
    int output = -1;
  };
  static constexpr const char* kSession = "/proc/self/fd/0";
  static constexpr const char* kOutput = "3";

  struct Ended {
    std::string answer;  // its last line on standard output
    std::string said;    // its last line on standard error
    int code = 0;        // exit code, where `signal` is 0
    int signal = 0;
  };

  RenderChild();

  /// Until it has ended. `line`: each line of its standard output that is not the last. Once.
  [[nodiscard]] Result<Ended> run(const Order& order, const std::function<void(const std::string&)>& line);

  /// Asks it to end; kills it after kPatience.
  void cancel() noexcept { ask(Wish::end); }
  void kill() noexcept { ask(Wish::die); }
  /// 0 while it does not run.
  [[nodiscard]] pid_t process() const noexcept { return process_.load(std::memory_order_relaxed); }

 private:
  enum class Wish : std::uint8_t { none, end, die };
  void ask(Wish wish) noexcept;
  [[nodiscard]] Result<pid_t> start(const Order& order, Descriptor& out, Descriptor& err) const;
  void listen(pid_t process, int out, int err, Ended& ended, const std::function<void(const std::string&)>& line);

  std::atomic<Wish> wish_{Wish::none};
  std::atomic<pid_t> process_{0};
  Descriptor bell_;
};

}  // namespace continuo::control
