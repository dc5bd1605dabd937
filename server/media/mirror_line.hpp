// THREAD: any posts, its own thread works - one destination's queue: bounded, in order, and allowed to hang alone
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

namespace continuo::media {

/// The disk work of one destination of mirrored takes (mirror_take_file.hpp). Bounded in bytes; the loser is who posts.
class MirrorLine {
 public:
  static constexpr std::size_t kMaxBytes = 64u << 20;  // 128 channels of 24 bits at 48 kHz: 3.6 s
  static constexpr std::chrono::milliseconds kPatience{1000};

  explicit MirrorLine(const char* thread_name, std::size_t max_bytes = kMaxBytes);
  /// What was posted is done first; but a disk that hangs is waited for no longer than kPatience: its thread is then
  /// left alone with what it holds.
  ~MirrorLine();
  MirrorLine(const MirrorLine&) = delete;
  MirrorLine& operator=(const MirrorLine&) = delete;

  /// False where the bytes that wait would be more than the bound. Work of no bytes always has room.
  [[nodiscard]] bool try_post(std::size_t bytes, std::function<void()> work);
  /// Whatever waits.
  void post(std::size_t bytes, std::function<void()> work);
  [[nodiscard]] bool idle() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace continuo::media
