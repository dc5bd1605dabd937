#include "server/device/driver_noise.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <cstdio>
#include <string>

using namespace continuo::device;

TEST_CASE("what C code prints on stderr is kept, bounded, and stderr is back afterwards") {
  forget_driver_messages();
  FILE* const before = stderr;
  {
    const QuietDrivers quiet;
    {
      const QuietDrivers nested;
      std::fprintf(stderr, "first\nsec");
    }
    CHECK(stderr != before);
    std::fprintf(stderr, "ond\n\n");
  }
  CHECK(stderr == before);
  CHECK(last_driver_messages(10) == "first; sec; ond");
  CHECK(last_driver_messages(1) == "ond");
  {
    const QuietDrivers quiet;
    for (int i = 0; i < 1000; ++i) std::fprintf(stderr, "line %d %s\n", i, std::string(2000, 'x').c_str());
  }
  CHECK(last_driver_messages(1).starts_with("line 999 "));
  CHECK(last_driver_messages(10'000).size() < kKeptLines * 250);
  CHECK(last_driver_messages(10'000).find("line 935 ") == std::string::npos);
  forget_driver_messages();
  CHECK(last_driver_messages(10).empty());
}

TEST_CASE("a thread that a driver cancels in the middle of an error message breaks nothing") {
  static int spoken = 0;
  const auto speak = [](void*) -> void* {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
    for (;;) {
      remember_driver_message("the server is gone");
      __atomic_fetch_add(&spoken, 1, __ATOMIC_RELAXED);
    }
  };
  for (int round = 0; round < 300; ++round) {
    pthread_t thread{};
    REQUIRE(pthread_create(&thread, nullptr, speak, nullptr) == 0);
    const int before = __atomic_load_n(&spoken, __ATOMIC_RELAXED);
    while (__atomic_load_n(&spoken, __ATOMIC_RELAXED) == before) {
    }
    REQUIRE(pthread_cancel(thread) == 0);
    REQUIRE(pthread_join(thread, nullptr) == 0);
    remember_driver_message("still here");  // nobody left anything locked
    REQUIRE(last_driver_messages(1) == "still here");
  }
  forget_driver_messages();
}
