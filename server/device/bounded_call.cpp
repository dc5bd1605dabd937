#include "server/device/bounded_call.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "server/device/driver_noise.hpp"

namespace continuo::device {
namespace {
// Never destroyed: the thread of a dead call never ends.
thread_local std::function<void()>* died_here = nullptr;

struct Leave {
  ~Leave() {
    delete died_here;
    died_here = nullptr;
  }
};
}  // namespace

void become_driver_thread(std::function<void()> died) {
  pthread_setname_np(pthread_self(), "continuo-driver");
  // A write to a server that has just gone is an error, not the end of us. Threads that a driver makes here inherit it.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  thread_local Leave leave;
  died_here = new std::function<void()>(std::move(died));
  (void)leave;
}

}  // namespace continuo::device

// What assert() calls in every library that is loaded, in place of the C library's own. The linker exports it from the
// program, because libraries refer to it; server/CMakeLists.txt makes sure.
extern "C" [[noreturn]] void __assert_fail(const char* expression, const char* file, unsigned line,
                                           const char* function) noexcept;
extern "C" [[noreturn]] void __assert_fail(const char* expression, const char* file, unsigned line,
                                           const char* function) noexcept {
  char text[240];
  std::snprintf(text, sizeof text, "%s:%u: %s: assertion `%s' failed", file ? file : "?", line,
                function ? function : "?", expression ? expression : "?");
  if (continuo::device::died_here == nullptr) {
    std::fprintf(stderr, "%s\n", text);
    std::abort();
  }
  continuo::device::remember_driver_message(text);
  const auto died = std::move(*continuo::device::died_here);
  died();
  for (;;) pause();
}
