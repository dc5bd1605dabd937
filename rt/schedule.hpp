// THREAD: audio - commands that wait for their frame, the earliest first
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/block_pool.hpp"
#include "rt/command.hpp"

namespace continuo::rt {

/// A heap of small entries; the commands lie still in blocks of a pool. Equal frames keep the order of their sequence
/// numbers. The bound is the pool's; the loser is the newcomer.
class Schedule {
 public:
  /// Control thread.
  explicit Schedule(std::size_t capacity) : blocks_(capacity), heap_(capacity) {}

  /// False: it is full, and the command was not taken.
  [[nodiscard]] bool try_add(const Command& command) noexcept RT_NONBLOCKING {
    Command* const block = blocks_.try_take(command);
    if (block == nullptr) return false;
    heap_[size_++] = {command.frame, command.sequence, block};
    std::push_heap(heap_.begin(), end(), DueLater{});
    return true;
  }

  /// The earliest, where its frame has come.
  [[nodiscard]] bool try_take_due(FrameCount now, Command& command) noexcept RT_NONBLOCKING {
    if (next_frame() > now) return false;
    std::pop_heap(heap_.begin(), end(), DueLater{});
    Command* const block = heap_[--size_].command;
    command = *block;
    blocks_.give_back(block);
    return true;
  }

  /// Of the earliest; kEndless where there is none.
  [[nodiscard]] FrameCount next_frame() const noexcept RT_NONBLOCKING {
    return size_ == 0 ? kEndless : heap_.front().frame;
  }
  [[nodiscard]] std::size_t size() const noexcept RT_NONBLOCKING { return size_; }

  /// Control thread, while the audio thread is elsewhere: everything, in no order.
  template <class Take>
  void drain(Take&& take) {
    for (; size_ != 0; --size_) {
      take(*heap_[size_ - 1].command);
      blocks_.give_back(heap_[size_ - 1].command);
    }
  }

  /// What must be resident: the blocks, and the heap.
  [[nodiscard]] std::span<const std::byte> blocks() const noexcept { return blocks_.memory(); }
  [[nodiscard]] std::span<const std::byte> heap() const noexcept { return std::as_bytes(std::span(heap_)); }

 private:
  struct Entry {
    FrameCount frame = 0;
    std::uint64_t sequence = 0;
    Command* command = nullptr;
  };
  /// The order of std::push_heap with the earliest on top.
  struct DueLater {
    bool operator()(const Entry& a, const Entry& b) const noexcept RT_NONBLOCKING {
      return a.frame != b.frame ? a.frame > b.frame : a.sequence > b.sequence;
    }
  };
  [[nodiscard]] std::vector<Entry>::iterator end() noexcept RT_NONBLOCKING {
    return heap_.begin() + static_cast<std::ptrdiff_t>(size_);
  }

  BlockPool<Command> blocks_;
  std::vector<Entry> heap_;  // never grows
  std::size_t size_ = 0;
};

}  // namespace continuo::rt
