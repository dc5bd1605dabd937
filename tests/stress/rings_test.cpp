#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "rt/fault.hpp"
#include "rt/meter.hpp"
#include "rt/snapshot.hpp"
#include "rt/spsc_ring.hpp"

// Two threads on everything that two threads share. Run under ThreadSanitizer these find races; without, wrong values.
namespace {

using namespace continuo;

constexpr int kItems = 200000;

}  // namespace

TEST_CASE("ring: items arrive once, in order, through the smallest and a larger ring") {
  for (const std::size_t capacity : {1u, 2u, 64u}) {
    const int items = capacity < 64 ? kItems / 20 : kItems;  // where both share a core each item may cost a turn of it
    auto [writer, reader] = rt::make_ring<std::array<int, 3>>(capacity);
    std::thread sender([w = std::move(writer), items]() mutable {
      for (int i = 0; i < items;) {
        if (w.try_push({i, -i, 2 * i}))
          ++i;
        else
          std::this_thread::yield();
      }
    });
    for (int i = 0; i < items;) {
      std::array<int, 3> item{};
      if (!reader.try_pop(item)) {
        std::this_thread::yield();
        continue;
      }
      REQUIRE(item[0] == i);
      REQUIRE(item[1] == -i);
      REQUIRE(item[2] == 2 * i);
      ++i;
    }
    sender.join();
    CHECK(reader.available() == 0);
  }
}

TEST_CASE("ring: spans of any length, read by span, view, peek and skip") {
  auto [writer, reader] = rt::make_ring<int>(256);
  std::thread sender([w = std::move(writer)]() mutable {
    std::mt19937 random(1);
    std::vector<int> block;
    for (int sent = 0; sent < kItems * 4;) {
      block.resize(1 + random() % 300);
      for (std::size_t i = 0; i < block.size(); ++i) block[i] = sent + static_cast<int>(i);
      const std::size_t n = std::min<std::size_t>(w.space(), static_cast<std::size_t>(kItems * 4 - sent));
      const std::size_t want = std::min(block.size(), n);
      if (w.write({block.data(), want}) != want) std::abort();  // space() promised
      sent += static_cast<int>(want);
      if (want == 0) std::this_thread::yield();
    }
  });
  std::mt19937 random(2);
  int next = 0;
  std::vector<int> block(400);
  while (next < kItems * 4) {
    const int before = next;
    const std::size_t length = 1 + random() % 300;
    if (random() % 2 == 0) {
      const std::size_t n = reader.read({block.data(), length});
      for (std::size_t i = 0; i < n; ++i) REQUIRE(block[i] == next++);
    } else {
      if (const int* first = reader.peek()) REQUIRE(*first == next);
      const auto [head, tail] = reader.view(length);
      for (const int v : head) REQUIRE(v == next++);
      for (const int v : tail) REQUIRE(v == next++);
      REQUIRE(reader.skip(head.size() + tail.size()) == head.size() + tail.size());
    }
    if (next == before) std::this_thread::yield();
  }
  sender.join();
}

TEST_CASE("snapshot: a value is read whole or not at all, and never goes back") {
  struct Value {
    std::array<std::uint64_t, 7> words{};
  };
  rt::Snapshot<Value> snapshot;
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  std::atomic<std::uint64_t> torn{0}, read{0}, backwards{0};
  for (int r = 0; r < 2; ++r)
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!done.load(std::memory_order_acquire)) {
        Value v;
        if (!snapshot.try_read(v)) continue;
        for (std::size_t i = 0; i < v.words.size(); ++i)
          if (v.words[i] != v.words[0] * (i + 1)) torn.fetch_add(1);
        if (v.words[0] < last) backwards.fetch_add(1);
        last = v.words[0];
        read.fetch_add(1);
      }
    });
  std::uint64_t n = 0;
  while (read.load() < 20000 || n < 100000) {
    ++n;
    Value v;
    for (std::size_t i = 0; i < v.words.size(); ++i) v.words[i] = n * (i + 1);
    snapshot.write(v);
    if (n % 64 == 0) std::this_thread::yield();
  }
  done.store(true, std::memory_order_release);
  for (std::thread& t : readers) t.join();
  CHECK(torn == 0);
  CHECK(backwards == 0);
}

TEST_CASE("meter slot: every window that two readers get is whole, and what one misses is counted") {
  rt::MeterSlot slot;
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> wrong{0}, folds{0};
  std::vector<std::thread> readers;
  std::vector<std::uint64_t> seen(2), missed(2);
  for (std::size_t r = 0; r < 2; ++r)
    readers.emplace_back([&, r] {
      rt::MeterReader reader;
      for (bool last = false; !last;) {
        last = done.load(std::memory_order_acquire);
        const std::uint64_t before = reader.next, lost_before = missed[r];
        rt::MeterWindow w;
        if (!reader.fold(slot, w, missed[r])) {
          std::this_thread::yield();
          continue;
        }
        if (w.peak != static_cast<float>(w.end_frame) || w.mean_square > w.peak) wrong.fetch_add(1);
        seen[r] += reader.next - before - (missed[r] - lost_before);
        folds.fetch_add(1);
      }
    });
  int n = 0;
  while (folds.load() < 2000 || n < 50000) {  // float holds these exactly
    ++n;
    if (n >= 16000000) break;
    slot.publish({.end_frame = n, .peak = static_cast<float>(n), .mean_square = static_cast<float>(n)});
    if (n % 32 == 0) std::this_thread::yield();
  }
  done.store(true, std::memory_order_release);
  for (std::thread& t : readers) t.join();
  CHECK(wrong == 0);
  for (std::size_t r = 0; r < 2; ++r) CHECK(seen[r] + missed[r] == static_cast<std::uint64_t>(n));
}

TEST_CASE("fault log: several writers, one reader: each fault once and whole, or counted as lost") {
  constexpr int kWriters = 3, kEach = 50000;
  rt::FaultLog log;
  std::atomic<int> running{kWriters};
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        const rt::Fault fault{static_cast<rt::Uid>(w), i, static_cast<rt::FrameCount>(w) * 1000000 + i};
        if (!log.try_push(fault)) refused.fetch_add(1);
        if (i % 64 == 0) std::this_thread::yield();
      }
      running.fetch_sub(1);
    });
  std::array<std::uint64_t, kWriters> got{};
  std::array<rt::FrameCount, kWriters> last{-1, -1, -1};
  const auto drain = [&] {
    for (rt::Fault fault; log.try_pop(fault);) {
      REQUIRE(fault.node < kWriters);
      REQUIRE(fault.muted_until == static_cast<rt::FrameCount>(fault.node) * 1000000 + fault.frame);
      REQUIRE(fault.frame > last[fault.node]);  // of one writer: in order
      last[fault.node] = fault.frame;
      ++got[fault.node];
    }
  };
  while (running.load() != 0) {
    drain();
    std::this_thread::yield();
  }
  for (std::thread& writer : writers) writer.join();
  drain();
  CHECK(got[0] + got[1] + got[2] + refused.load() == std::uint64_t{kWriters} * kEach);
  CHECK(log.dropped() == refused.load());
  // It is as good as new: all of its room is there.
  std::uint32_t room = 0;
  while (log.try_push({})) ++room;
  CHECK(room == rt::FaultLog::kCapacity);
}
