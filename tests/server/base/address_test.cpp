#include "server/base/address.hpp"

#include <doctest/doctest.h>

namespace continuo {
namespace {

TEST_CASE("addresses that are accepted read back the same") {
  for (const char* text :
       {"unix:/run/continuo/continuo.sock", "127.0.0.1:4747", "127.9.9.9:1", "[::1]:65535", "localhost:0"}) {
    CAPTURE(text);
    const auto address = parse_address(text);
    REQUIRE(address);
    CHECK(to_string(*address) == text);
  }
  CHECK(parse_address("unix:/a//b/../c")->socket == "/a/c");
}

TEST_CASE("addresses that are refused say why") {
  for (const char* text :
       {"", ":", "unix:", "unix:relative", "unix:/", "unix:/a/", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
        "127.0.0.1:-1", "127.0.0.1:8x", ":4747", "*:4747", "[::g]:1", "a b:1", "/run/continuo.sock"}) {
    CAPTURE(text);
    const auto address = parse_address(text);
    REQUIRE_FALSE(address);
    CHECK(address.error().kind == ErrorKind::configuration);
    CHECK(address.error().message.find(std::string("'") + text + "'") != std::string::npos);
  }
}

TEST_CASE("loopback is what no other machine reaches, and nothing that looks like it") {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"}) {
    CAPTURE(text);
    CHECK(parse_address(text)->is_loopback());
  }
  for (const char* text : {"0.0.0.0:4747", "[::]:4747", "10.0.0.1:4747", "example.org:4747", "localhost.evil.org:1",
                           "[::ffff:10.0.0.1]:1", "127.0.0.1.evil.org:1"}) {
    CAPTURE(text);
    REQUIRE(parse_address(text));
    CHECK_FALSE(parse_address(text)->is_loopback());
  }
}

TEST_CASE("a socket's path has room for what it is bound as") {
  const std::string room(107 - 16 - 1, 'a');
  CHECK(parse_address("unix:/" + room));
  CHECK_FALSE(parse_address("unix:/" + room + "a"));
}

}  // namespace
}  // namespace continuo
