#include "server/device/bounded_call.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>

#include "server/device/driver_noise.hpp"

using continuo::device::call_bounded;
using namespace std::chrono_literals;

TEST_CASE("a call that comes back gives its value") {
  bool late = false;
  const auto value = call_bounded<int>(30s, [] { return 42; }, [] { return -1; }, [&](int) { late = true; });
  REQUIRE(value);
  CHECK(*value == 42);
  CHECK_FALSE(late);
}

TEST_CASE("a call that does not come back in time is left alone, and its value goes to `late`") {
  struct Shared {
    std::binary_semaphore go{0}, done{0};
    std::atomic<int> late{0};
  };
  const auto shared = std::make_shared<Shared>();
  const auto value = call_bounded<std::unique_ptr<int>>(
      1ms,
      [shared] {
        shared->go.acquire();
        return std::make_unique<int>(7);
      },
      [] { return std::make_unique<int>(-1); },
      [shared](std::unique_ptr<int> got) {
        shared->late = *got;
        shared->done.release();
      });
  CHECK_FALSE(value);
  CHECK(shared->late == 0);
  shared->go.release();
  shared->done.acquire();
  CHECK(shared->late == 7);
}

extern "C" [[noreturn]] void __assert_fail(const char*, const char*, unsigned, const char*) noexcept;

TEST_CASE("an assertion in a library on a driver thread ends the call, not the process") {
  continuo::device::forget_driver_messages();
  // As a library would reach it: through the dynamic linker.
  const auto fail = reinterpret_cast<decltype(&__assert_fail)>(dlsym(RTLD_DEFAULT, "__assert_fail"));
  REQUIRE((fail == &__assert_fail));
  bool late = false;
  const auto value = call_bounded<int>(
      30s,
      [fail] {
        fail("server is alive", "pa_jack.c", 7, "Terminate");
        return 0;
      },
      [] { return -1; }, [&](int) { late = true; });
  REQUIRE(value);
  CHECK(*value == -1);
  CHECK_FALSE(late);
  CHECK(continuo::device::last_driver_messages(1).find("server is alive") != std::string::npos);
}

TEST_CASE("an assertion that fails after the bound goes to `late`") {
  struct Shared {
    std::binary_semaphore go{0}, done{0};
    std::atomic<int> late{0};
  };
  const auto shared = std::make_shared<Shared>();
  const auto value = call_bounded<int>(
      1ms,
      [shared]() -> int {
        shared->go.acquire();
        __assert_fail("x", "y", 1, "z");
      },
      [] { return -1; },
      [shared](int got) {
        shared->late = got;
        shared->done.release();
      });
  CHECK_FALSE(value);
  shared->go.release();
  shared->done.acquire();
  CHECK(shared->late == -1);
}

TEST_CASE("at the edge of the bound exactly one gets the value") {
  for (int round = 0; round < 200; ++round) {
    struct Shared {
      std::atomic<int> late{0};
      std::binary_semaphore done{0};
    };
    const auto shared = std::make_shared<Shared>();
    const auto value = call_bounded<int>(
        0ms, [] { return 1; }, [] { return -1; },
        [shared](int) {
          ++shared->late;
          shared->done.release();
        });
    if (!value) shared->done.acquire();
    REQUIRE((value ? 1 : 0) + shared->late == 1);
  }
}
