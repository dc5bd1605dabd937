// THREAD: control makes, one owner (the audio thread) uses - blocks of one size that are taken and given back
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "rt/annotations.hpp"

namespace continuo::rt {

/// What the audio thread itself must take and give back: scheduled commands, automation that runs. One arena, made and
/// touched here, locked by whoever makes it (memory()); blocks of whole cache lines, so that none shares one with
/// another.
///
/// Both calls are wait-free and belong to one thread: a list through the free blocks, the last one back is the first
/// one out, while it is still in the cache. Where no block is left, whoever asks goes without, and is counted.
template <class T>
class BlockPool {
 public:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::size_t kBlockBytes = (sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  static_assert(std::is_trivially_destructible_v<T>, "nobody ends the life of what is in a block");
  static_assert(alignof(T) <= kAlignment, "blocks are aligned to cache lines");

  /// Control thread. Allocates and touches every page.
  explicit BlockPool(std::size_t capacity)
      : capacity_(capacity),
        arena_(static_cast<std::byte*>(
            ::operator new[](capacity*(kBlockBytes + kMarkBytes), std::align_val_t{kAlignment}))) {
    for (std::size_t i = capacity; i != 0; --i) {
      mark(i - 1) = kFree;
      push(arena_.get() + (i - 1) * kBlockBytes);
    }
  }

  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// Owner. Null when every block is out.
  template <class... Args>
  [[nodiscard]] T* try_take(Args&&... args) noexcept RT_NONBLOCKING {
    static_assert(std::is_nothrow_constructible_v<T, Args...>);
    if (free_ == nullptr) {
      ++refused_;
      return nullptr;
    }
    Free* const block = free_;
    free_ = block->next;
    mark(index_of(block)) = kTaken;
    ++in_use_;
    return ::new (static_cast<void*>(block)) T(std::forward<Args>(args)...);
  }

  /// Owner. What is no block of this pool, or is free already, ends the process: the list would hand it out twice.
  void give_back(T* block) noexcept RT_NONBLOCKING {
    const std::size_t offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(block) - arena_.get());
    if (offset >= capacity_ * kBlockBytes || offset % kBlockBytes != 0) std::abort();
    std::uint8_t& taken = mark(offset / kBlockBytes);
    if (taken != kTaken) std::abort();
    taken = kFree;
    --in_use_;
    push(block);
  }

  /// Owner, or any thread once nobody takes.
  [[nodiscard]] std::size_t in_use() const noexcept RT_NONBLOCKING { return in_use_; }
  [[nodiscard]] std::uint64_t refused() const noexcept RT_NONBLOCKING { return refused_; }

  /// Any thread.
  [[nodiscard]] std::size_t capacity() const noexcept RT_NONBLOCKING { return capacity_; }
  [[nodiscard]] std::span<const std::byte> memory() const noexcept {
    return {arena_.get(), capacity_ * (kBlockBytes + kMarkBytes)};
  }

 private:
  struct Free {
    Free* next;
  };
  struct Delete {
    void operator()(std::byte* p) const noexcept { ::operator delete[](p, std::align_val_t{kAlignment}); }
  };
  static constexpr std::size_t kMarkBytes = 1;  // a block's, behind all blocks: it outlives what is written into one
  static constexpr std::uint8_t kFree = 0;
  static constexpr std::uint8_t kTaken = 1;

  [[nodiscard]] std::uint8_t& mark(std::size_t block) noexcept RT_NONBLOCKING {
    return reinterpret_cast<std::uint8_t*>(arena_.get() + capacity_ * kBlockBytes)[block];
  }
  [[nodiscard]] std::size_t index_of(const void* block) const noexcept RT_NONBLOCKING {
    return static_cast<std::size_t>(static_cast<const std::byte*>(block) - arena_.get()) / kBlockBytes;
  }
  void push(void* block) noexcept RT_NONBLOCKING { free_ = ::new (block) Free{free_}; }

  std::size_t capacity_;
  std::unique_ptr<std::byte[], Delete> arena_;
  Free* free_ = nullptr;
  std::size_t in_use_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace continuo::rt
