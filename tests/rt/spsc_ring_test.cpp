#include "rt/spsc_ring.hpp"

#include <doctest/doctest.h>

#include <array>
#include <numeric>
#include <vector>

using namespace continuo;

TEST_CASE("a ring holds exactly its capacity, refuses one more, and gives all back in order") {
  auto [writer, reader] = rt::make_ring<int>(4);
  REQUIRE(writer.capacity() == 4);
  for (int i = 0; i < 4; ++i) REQUIRE(writer.try_push(i));
  CHECK_FALSE(writer.try_push(4));
  CHECK(writer.space() == 0);
  CHECK(reader.available() == 4);
  for (int i = 0; i < 4; ++i) {
    int v = -1;
    REQUIRE(reader.try_pop(v));
    CHECK(v == i);
  }
  int v = 77;
  CHECK_FALSE(reader.try_pop(v));
  CHECK(v == 77);
  CHECK(writer.space() == 4);
}

TEST_CASE("a capacity is rounded up to a power of two, at least one") {
  CHECK(rt::make_ring<int>(0).first.capacity() == 1);
  CHECK(rt::make_ring<int>(5).first.capacity() == 8);
  auto [writer, reader] = rt::make_ring<char>(1);
  for (char c = 'a'; c <= 'z'; ++c) {
    REQUIRE(writer.try_push(c));
    CHECK_FALSE(writer.try_push('!'));
    char got = 0;
    REQUIRE(reader.try_pop(got));
    CHECK(got == c);
  }
}

TEST_CASE("spans of every length wrap at every place") {
  for (std::size_t length = 1; length <= 9; ++length) {
    auto [writer, reader] = rt::make_ring<int>(8);
    int sent = 0, got = 0;
    for (int round = 0; round < 40; ++round) {
      std::vector<int> block(length);
      std::iota(block.begin(), block.end(), sent);
      const std::size_t taken = writer.write(block);
      REQUIRE(taken == std::min<std::size_t>(length, 8));
      sent += static_cast<int>(taken);
      REQUIRE(reader.available() == taken);
      std::vector<int> back(length + 3, -1);
      REQUIRE(reader.read(back) == taken);
      for (std::size_t i = 0; i < taken; ++i) REQUIRE(back[i] == got++);
      REQUIRE(back[taken] == -1);
    }
  }
}

TEST_CASE("a span that does not fit is taken from its front, and an empty one is nothing") {
  auto [writer, reader] = rt::make_ring<int>(4);
  const std::array<int, 6> six{0, 1, 2, 3, 4, 5};
  REQUIRE(writer.write({six.data(), 3}) == 3);
  CHECK(writer.write(six) == 1);
  CHECK(writer.write(six) == 0);
  CHECK(writer.write({}) == 0);
  CHECK(reader.read({}) == 0);
  std::array<int, 4> back{};
  CHECK(reader.read(back) == 4);
  CHECK(back == std::array<int, 4>{0, 1, 2, 0});
}

TEST_CASE("view shows both parts of a wrap, and skip takes them") {
  auto [writer, reader] = rt::make_ring<int>(4);
  for (int i = 0; i < 3; ++i) REQUIRE(writer.try_push(i));
  CHECK(reader.skip(3) == 3);
  for (int i = 10; i < 14; ++i) REQUIRE(writer.try_push(i));
  const auto [head, tail] = reader.view(9);
  REQUIRE(head.size() == 1);
  REQUIRE(tail.size() == 3);
  CHECK(head[0] == 10);
  CHECK(tail[2] == 13);
  REQUIRE(reader.peek() != nullptr);
  CHECK(*reader.peek() == 10);
  CHECK(reader.skip(2) == 2);
  CHECK(*reader.peek() == 12);
  CHECK(reader.skip(9) == 2);
  CHECK(reader.peek() == nullptr);
}

TEST_CASE("either end keeps the storage alive, and moved ends go on") {
  rt::RingReader<int> reader;
  {
    auto ring = rt::make_ring<int>(4);
    rt::RingWriter<int> writer(std::move(ring.first));
    reader = std::move(ring.second);
    REQUIRE(writer.try_push(5));
  }
  int v = 0;
  REQUIRE(reader.try_pop(v));
  CHECK(v == 5);
}
