// THREAD: audio and its workers, or a job's threads - numbers that several threads take from, each its own first
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "rt/annotations.hpp"

namespace continuo::rt {

/// The numbers from 0 to `count` - 1, cut into as many ranges as there are members. A member takes its own range first,
/// so that what is behind a number stays in one core's cache from round to round, then the others'. Lock-free: a try
/// fails only where another thread took something meanwhile.
class Shares {
 public:
  /// Control thread; allocates. All is taken.
  explicit Shares(std::uint32_t members) : ranges_(members) {}

  /// One thread, while nobody has anything of the last round in hands. What it wrote before is seen by whoever takes.
  void offer(std::uint32_t count) noexcept RT_NONBLOCKING {
    const auto members = static_cast<std::uint32_t>(ranges_.size());
    for (std::uint32_t m = 0; m < members; ++m) {
      const std::uint64_t begin = std::uint64_t{count} * m / members;
      const std::uint64_t end = std::uint64_t{count} * (m + 1) / members;
      ranges_[m].word.store(begin << 32 | end, std::memory_order_release);
    }
  }

  /// Any member. It may have looked at an earlier round: whatever it gets is of the one that is offered now.
  bool try_take(std::uint32_t member, std::uint32_t& number) noexcept RT_NONBLOCKING {
    const auto members = static_cast<std::uint32_t>(ranges_.size());
    for (std::uint32_t i = 0; i < members; ++i) {
      std::atomic<std::uint64_t>& range = ranges_[(member + i) % members].word;
      std::uint64_t word = range.load(std::memory_order_relaxed);
      while (has_more(word)) {
        if (!range.compare_exchange_weak(word, word + (std::uint64_t{1} << 32), std::memory_order_acquire,
                                         std::memory_order_relaxed))
          continue;
        number = static_cast<std::uint32_t>(word >> 32);
        return true;
      }
    }
    return false;
  }

 private:
  struct alignas(64) Range {
    std::atomic<std::uint64_t> word{0};  // the next number << 32 | the end
  };
  static bool has_more(std::uint64_t word) noexcept RT_NONBLOCKING { return (word >> 32) < (word & 0xffffffffu); }

  std::vector<Range> ranges_;
};

}  // namespace continuo::rt
