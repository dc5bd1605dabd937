// THREAD: one writer, any readers - a small value that is read whole or not at all
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "rt/annotations.hpp"

namespace continuo::rt {

/// A sequence lock made of atomic words, with no fences (ThreadSanitizer understands it): every word is stored with
/// release and loaded with acquire, so a reader that saw one new word also sees that the sequence moved.
/// The writer is wait-free. A reader's retries are bounded: try_read() tries a few times and says so when it lost.
template <class T>
class Snapshot {
  static_assert(std::is_trivially_copyable_v<T>);
  static constexpr std::size_t kWords = (sizeof(T) + 7) / 8;

 public:
  /// The one writer. Wait-free.
  void write(const T& value) noexcept RT_NONBLOCKING {
    std::array<std::uint64_t, kWords> words{};
    std::memcpy(words.data(), &value, sizeof(T));
    const std::uint64_t s = sequence_.load(std::memory_order_relaxed);
    sequence_.store(s + 1, std::memory_order_relaxed);
    for (std::size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
    sequence_.store(s + 2, std::memory_order_release);
  }

  /// Any thread. False when the writer was in the way `tries` times: keep the value from before and ask again later.
  [[nodiscard]] bool try_read(T& value, int tries = 16) const noexcept RT_NONBLOCKING {
    std::array<std::uint64_t, kWords> words;
    for (; tries > 0; --tries) {
      const std::uint64_t before = sequence_.load(std::memory_order_acquire);
      if (before & 1) continue;
      for (std::size_t i = 0; i < kWords; ++i) words[i] = words_[i].load(std::memory_order_acquire);
      if (sequence_.load(std::memory_order_relaxed) != before) continue;
      std::memcpy(static_cast<void*>(&value), words.data(), sizeof(T));
      return true;
    }
    return false;
  }

 private:
  std::atomic<std::uint64_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, kWords> words_{};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

}  // namespace continuo::rt
