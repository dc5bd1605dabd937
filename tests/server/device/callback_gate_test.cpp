#include "server/device/callback_gate.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>

using continuo::device::CallbackGate;
using namespace std::chrono_literals;

TEST_CASE("a gate begins closed, and lets one in while it is open") {
  CallbackGate gate;
  CHECK_FALSE(gate.try_enter());
  gate.open();
  REQUIRE(gate.try_enter());
  CHECK_FALSE(gate.try_enter());  // one at a time
  gate.leave();
  CHECK(gate.try_enter());
  gate.leave();
  gate.close();
  CHECK_FALSE(gate.try_enter());
  CHECK(gate.wait_left(0ms));
}

TEST_CASE("opening twice and closing twice change nothing the second time") {
  CallbackGate gate;
  gate.close();
  CHECK(gate.generation() == 0);
  gate.open();
  gate.open();
  CHECK(gate.generation() == 1);
  CHECK(gate.is_open());
  gate.close();
  gate.close();
  CHECK(gate.generation() == 2);
  CHECK_FALSE(gate.is_open());
}

TEST_CASE("who is inside while the gate is closed is waited for, within the bound") {
  CallbackGate gate;
  gate.open();
  REQUIRE(gate.try_enter());
  gate.close();
  CHECK_FALSE(gate.wait_left(5ms));
  CHECK_FALSE(gate.try_enter());
  gate.leave();
  CHECK(gate.wait_left(0ms));
  CHECK_FALSE(gate.try_enter());
}

TEST_CASE("a gate that is opened again while somebody is inside stays consistent") {
  CallbackGate gate;
  gate.open();
  REQUIRE(gate.try_enter());
  gate.close();
  gate.open();
  CHECK_FALSE(gate.try_enter());  // the first has not left
  gate.leave();
  CHECK(gate.try_enter());
  gate.leave();
}

TEST_CASE("two threads: nothing behind a closed gate is touched, and it may be freed") {
  CallbackGate gate;
  std::atomic<bool> end{false};
  std::atomic<std::uint64_t> entered{0}, refused{0};
  int* guarded = nullptr;  // plain on purpose: ThreadSanitizer and AddressSanitizer judge the gate by it
  std::thread audio([&] {
    while (!end.load(std::memory_order_relaxed)) {
      if (gate.try_enter()) {
        *guarded += 1;
        gate.leave();
        entered.fetch_add(1, std::memory_order_relaxed);
      } else {
        refused.fetch_add(1, std::memory_order_relaxed);
      }
    }
  });
  for (int round = 0; round < 100; ++round) {
    auto value = std::make_unique<int>(0);
    guarded = value.get();
    const auto entered_before = entered.load();
    gate.open();
    while (entered.load(std::memory_order_relaxed) < entered_before + 3) std::this_thread::yield();
    gate.close();
    REQUIRE(gate.wait_left(30s));
    const int last = *value;
    const auto refused_before = refused.load();
    while (refused.load(std::memory_order_relaxed) < refused_before + 2) std::this_thread::yield();
    REQUIRE(*value == last);
    guarded = nullptr;
  }
  end = true;
  audio.join();
}
