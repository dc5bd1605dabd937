// THREAD: any (its own, "continuo-guard") - connections of clients that nobody knows yet, passed on to gRPC frame by
// frame
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/base/descriptor.hpp"

namespace continuo::rpc {

/// Between a client and gRPC: two descriptors and at most kBuffer bytes on their way each way, read only when there is
/// room, so that a client that does not read, or a server that is busy, holds up nobody but itself. A client that
/// breaks the FrameGuard's bounds, or has not greeted in time, is cut off. Bound: `most` at once, and kNewcomers; the
/// loser is whoever has said nothing for longest, and where all have spoken, the newcomer.
class GuardedPipes {
 public:
  static constexpr std::size_t kBuffer = 64u << 10;
  static constexpr std::size_t kNewcomers = 16;

  struct Options {
    std::size_t most = 256;
    std::chrono::milliseconds greeting{10'000};
    /// Called on its thread when a client is cut off, with why.
    std::function<void(const std::string& why)> cut = {};
  };
  explicit GuardedPipes(Options options);
  /// Every connection is closed.
  ~GuardedPipes();
  GuardedPipes(const GuardedPipes&) = delete;
  GuardedPipes& operator=(const GuardedPipes&) = delete;

  /// What gRPC is to serve in the client's place; none where there is no room.
  [[nodiscard]] Descriptor add(Descriptor client);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Pipe;
  void run();
  void make_room();
  /// False: it is over.
  [[nodiscard]] bool serve(Pipe& pipe, short client_events, short server_events) const;
  void cut(const char* why) const;
  void wake() const;

  const Options options_;
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Pipe>> arrived_;  // guarded by mutex_
  std::vector<std::unique_ptr<Pipe>> pipes_;    // the thread's
  std::atomic<std::size_t> size_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace continuo::rpc
