// THREAD: one writer, one reader - a wait-free ring with two move-only ends
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "rt/annotations.hpp"

namespace continuo::rt {
namespace detail {

/// Indices count for ever and are masked on use, so "full" and "empty" need no spare slot.
template <class T>
struct RingStorage {
  explicit RingStorage(std::size_t capacity) : mask(capacity - 1), items(std::make_unique<T[]>(capacity)) {}
  const std::size_t mask;
  const std::unique_ptr<T[]> items;
  alignas(64) std::atomic<std::size_t> written{0};  // stored by the writer, released after the payload
  alignas(64) std::atomic<std::size_t> read{0};     // stored by the reader, released after the payload was copied out
  static_assert(std::atomic<std::size_t>::is_always_lock_free);
};

}  // namespace detail

/// The end that writes. One thread at a time. Destroyed on a control thread only (it may free the storage).
template <class T>
class RingWriter {
  static_assert(std::is_trivially_copyable_v<T>, "items are copied as bytes and never destroyed");

 public:
  RingWriter() = default;
  explicit RingWriter(std::shared_ptr<detail::RingStorage<T>> storage) : storage_(std::move(storage)) {}
  RingWriter(RingWriter&&) noexcept = default;
  RingWriter& operator=(RingWriter&&) noexcept = default;

  /// Wait-free. False when full: the caller counts the loss or tries again later.
  [[nodiscard]] bool try_push(const T& item) noexcept RT_NONBLOCKING { return write({&item, 1}) == 1; }

  /// Wait-free. Copies as many items as there is room for, from the front; returns how many.
  std::size_t write(std::span<const T> items) noexcept RT_NONBLOCKING {
    detail::RingStorage<T>& s = *storage_;
    const std::size_t at = s.written.load(std::memory_order_relaxed);
    if (s.mask + 1 - (at - read_seen_) < items.size()) read_seen_ = s.read.load(std::memory_order_acquire);
    const std::size_t n = std::min(items.size(), s.mask + 1 - (at - read_seen_));
    const std::size_t first = std::min(n, s.mask + 1 - (at & s.mask));
    std::copy_n(items.data(), first, s.items.get() + (at & s.mask));
    std::copy_n(items.data() + first, n - first, s.items.get());
    s.written.store(at + n, std::memory_order_release);
    return n;
  }

  /// Wait-free. Up to `count` free items where they lie, in two parts (the second after the wrap), to be written and
  /// then told to the reader with publish().
  [[nodiscard]] std::pair<std::span<T>, std::span<T>> room(std::size_t count) noexcept RT_NONBLOCKING {
    const std::size_t n = std::min(count, space());
    const std::size_t at = storage_->written.load(std::memory_order_relaxed) & storage_->mask;
    const std::size_t first = std::min(n, capacity() - at);
    return {std::span<T>(storage_->items.get() + at, first), std::span<T>(storage_->items.get(), n - first)};
  }
  /// Wait-free. The first `count` items of room() are there; at most as many as it gave.
  void publish(std::size_t count) noexcept RT_NONBLOCKING {
    storage_->written.store(storage_->written.load(std::memory_order_relaxed) + count, std::memory_order_release);
  }

  /// Wait-free. How many items fit now; grows only by the reader's work.
  [[nodiscard]] std::size_t space() noexcept RT_NONBLOCKING {
    read_seen_ = storage_->read.load(std::memory_order_acquire);
    return capacity() - (storage_->written.load(std::memory_order_relaxed) - read_seen_);
  }
  [[nodiscard]] std::size_t capacity() const noexcept RT_NONBLOCKING { return storage_->mask + 1; }

  /// Control thread, before the ring is handed over: the memory, so that it can be locked and touched.
  [[nodiscard]] std::span<T> memory() noexcept { return {storage_->items.get(), storage_->mask + 1}; }

 private:
  std::shared_ptr<detail::RingStorage<T>> storage_;
  std::size_t read_seen_ = 0;  // a cached lower bound of storage_->read: saves a shared cache line per push
};

/// The end that reads. One thread at a time. Destroyed on a control thread only (it may free the storage).
template <class T>
class RingReader {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  RingReader() = default;
  explicit RingReader(std::shared_ptr<detail::RingStorage<T>> storage)
      : items_(storage->items.get()),
        mask_(storage->mask),
        read_(storage->read.load(std::memory_order_relaxed)),
        storage_(std::move(storage)) {}
  RingReader(RingReader&&) noexcept = default;
  RingReader& operator=(RingReader&&) noexcept = default;

  /// Wait-free. False when empty; `item` is then untouched.
  [[nodiscard]] bool try_pop(T& item) noexcept RT_NONBLOCKING { return read({&item, 1}) == 1; }

  /// Wait-free. The oldest item without taking it; null when empty. Valid until the next read or skip.
  [[nodiscard]] const T* peek() noexcept RT_NONBLOCKING { return available() == 0 ? nullptr : next(); }

  /// Any time: where the next item will lie, whether it is there or not. To be prefetched, not to be read.
  [[nodiscard]] const T* next() const noexcept RT_NONBLOCKING { return items_ + (read_ & mask_); }

  /// Wait-free. Copies out as many of the oldest items as there are, up to `items.size()`; returns how many.
  std::size_t read(std::span<T> items) noexcept RT_NONBLOCKING {
    const auto [head, tail] = view(items.size());
    std::copy_n(head.data(), head.size(), items.data());
    std::copy_n(tail.data(), tail.size(), items.data() + head.size());
    took(head.size() + tail.size());
    return head.size() + tail.size();
  }

  /// Wait-free. Drops up to `count` of the oldest items; returns how many.
  std::size_t skip(std::size_t count) noexcept RT_NONBLOCKING {
    const std::size_t n = ready(count);
    took(n);
    return n;
  }

  /// Wait-free. Up to `count` of the oldest items where they lie, in two parts (the second after the wrap). Valid until
  /// the next read or skip; take them with skip().
  [[nodiscard]] std::pair<std::span<const T>, std::span<const T>> view(std::size_t count) noexcept RT_NONBLOCKING {
    const std::size_t at = read_ & mask_;
    const std::size_t n = ready(count);
    const std::size_t first = std::min(n, capacity() - at);
    return {std::span<const T>(items_ + at, first), std::span<const T>(items_, n - first)};
  }

  /// Wait-free. How many items are ready now; grows only by the writer's work.
  [[nodiscard]] std::size_t available() noexcept RT_NONBLOCKING {
    written_seen_ = storage_->written.load(std::memory_order_acquire);
    return written_seen_ - read_;
  }
  /// Wait-free. How many of the next `count` items are ready. Cheaper than available(): the writer's cache line is only
  /// looked at where what was seen there before does not do.
  [[nodiscard]] std::size_t ready(std::size_t count) noexcept RT_NONBLOCKING {
    const std::size_t seen = written_seen_ - read_;
    return std::min(count, seen >= count ? seen : available());
  }
  [[nodiscard]] std::size_t capacity() const noexcept RT_NONBLOCKING { return mask_ + 1; }

 private:
  void took(std::size_t count) noexcept RT_NONBLOCKING {
    read_ += count;
    storage_->read.store(read_, std::memory_order_release);
  }

  // Copies of what the storage holds, beside the caller's own data: a thousand rings are read one after the other.
  const T* items_ = nullptr;
  std::size_t mask_ = 0;
  std::size_t read_ = 0;          // storage_->read
  std::size_t written_seen_ = 0;  // a lower bound of storage_->written
  std::shared_ptr<detail::RingStorage<T>> storage_;
};

/// Control thread. Allocates a ring of at least `capacity` items (rounded up to a power of two) and hands out its ends.
template <class T>
[[nodiscard]] std::pair<RingWriter<T>, RingReader<T>> make_ring(std::size_t capacity) {
  auto storage = std::make_shared<detail::RingStorage<T>>(std::bit_ceil(std::max<std::size_t>(capacity, 1)));
  return {RingWriter<T>(storage), RingReader<T>(storage)};
}

}  // namespace continuo::rt
