// "30m", "2GB": the length of a part.
#include "clients/cli/split_text.hpp"

#include <doctest/doctest.h>

#include "clients/cli/failure.hpp"

using namespace continuo::cli;

TEST_CASE("split: times and sizes, and nothing else") {
  CHECK(parse_split("90s", "--split-every").seconds == 90.0);
  CHECK(parse_split("30m", "--split-every").seconds == 1800.0);
  CHECK(parse_split("1.5h", "--split-every").seconds == 5400.0);
  CHECK(parse_split("30m", "--split-every").bytes == 0);
  CHECK(parse_split("2GB", "--split-every").bytes == 2'000'000'000u);
  CHECK(parse_split("4GiB", "--split-every").bytes == std::uint64_t{4} << 30);
  CHECK(parse_split("1.5MB", "--split-every").bytes == 1'500'000u);
  CHECK(parse_split("2GB", "--split-every").seconds == 0.0);
  for (const char* wrong : {"", "30", "m", "-1s", "0s", "30 m", "30min", "2gb", "nanm", "infs", "1e300GB", "2GBx"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(static_cast<void>(parse_split(wrong, "--split-every")), Failure);
  }
}
