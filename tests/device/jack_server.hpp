// THREAD: test - the JACK server that with_jackd.sh started for us, and what a test listens with
#pragma once

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include "server/device/device.hpp"

namespace continuo::device {

/// The server may be killed and frozen at will: it is this test's alone.
class JackServer {
 public:
  JackServer() {
    const char* pid = std::getenv("JACKD_PID");
    REQUIRE_MESSAGE(pid != nullptr, "run this through tests/support/with_jackd.sh");
    pid_ = static_cast<pid_t>(std::atol(pid));
    REQUIRE(pid_ > 1);
  }
  void kill() { REQUIRE(::kill(pid_, SIGKILL) == 0); }
  void freeze() { REQUIRE(::kill(pid_, SIGSTOP) == 0); }
  void thaw() { REQUIRE(::kill(pid_, SIGCONT) == 0); }
  /// A new one, after the old one ended.
  void start_again() {
    FILE* script = popen(std::getenv("JACKD_START"), "r");
    REQUIRE(script != nullptr);
    long pid = 0;
    const int got = std::fscanf(script, "%ld", &pid);
    REQUIRE(pclose(script) == 0);
    REQUIRE(got == 1);
    pid_ = static_cast<pid_t>(pid);
  }

 private:
  pid_t pid_ = 0;
};

/// Until `test` is true; a minute is the end of patience, not a measure.
inline bool eventually(const std::function<bool()>& test) {
  for (int i = 0; i < 6000; ++i) {
    if (test()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

inline double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Counter final : AudioCallback {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint32_t> in{0}, out{0};
  void audio_callback(rt::InputBlock in_block, rt::OutputBlock out_block, std::uint32_t frames) noexcept
      RT_NONBLOCKING override {
    in = in_block.channel_count;
    out = out_block.channel_count;
    for (std::uint32_t c = 0; c < out_block.channel_count; ++c)
      for (std::uint32_t i = 0; i < frames; ++i) out_block.channels[c][i] = 0.0f;
    calls.fetch_add(1);
  }
};

}  // namespace continuo::device
