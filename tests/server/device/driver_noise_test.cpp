#include "server/device/driver_noise.hpp"

#include <doctest/doctest.h>

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
  CHECK(last_driver_messages(10) == "first; second");
  CHECK(last_driver_messages(1) == "second");
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
