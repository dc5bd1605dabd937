// Writing where the ring lies: room() and publish().
#include <doctest/doctest.h>

#include <vector>

#include "rt/spsc_ring.hpp"

using namespace continuo::rt;

TEST_CASE("room shows both parts of a wrap, nothing is seen before publish, and a full ring has none") {
  auto [writer, reader] = make_ring<int>(8);
  int next = 0;
  int expected = 0;
  for (int round = 0; round < 50; ++round) {
    const auto wanted = static_cast<std::size_t>(round % 11);
    const std::size_t space = writer.space();
    const auto [head, tail] = writer.room(wanted);
    REQUIRE(head.size() + tail.size() == std::min(wanted, space));
    for (int& item : head) item = next++;
    for (int& item : tail) item = next++;
    const std::size_t before = reader.available();
    CHECK(before == 8 - space);
    writer.publish(head.size() + tail.size());
    CHECK(reader.available() == before + head.size() + tail.size());
    std::vector<int> got(static_cast<std::size_t>(round % 7));
    got.resize(reader.read(got));
    for (const int item : got) REQUIRE(item == expected++);
  }
  while (writer.try_push(next)) ++next;
  const auto [head, tail] = writer.room(3);
  CHECK(head.empty());
  CHECK(tail.empty());
  for (int item = 0; reader.try_pop(item);) REQUIRE(item == expected++);
  CHECK(expected == next);
  // Less may be published than there was room for.
  const auto parts = writer.room(8);
  CHECK(parts.first.size() + parts.second.size() == 8);
  parts.first[0] = 7;
  writer.publish(1);
  CHECK(reader.available() == 1);
  CHECK(*reader.peek() == 7);
}
