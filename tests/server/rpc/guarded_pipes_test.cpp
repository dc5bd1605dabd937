#include "server/rpc/guarded_pipes.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace continuo::rpc {
namespace {

const std::string kGreeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A client's end, and what the daemon accepted.
std::pair<Descriptor, Descriptor> connection() {
  int pair[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  return {Descriptor(pair[0]), Descriptor(pair[1])};
}
/// gRPC's end does not block; a test's may.
void wait_for(const Descriptor& end) {
  const int flags = fcntl(end.get(), F_GETFL);
  REQUIRE(fcntl(end.get(), F_SETFL, flags & ~O_NONBLOCK) == 0);
}
void say(const Descriptor& end, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = send(end.get(), text.data(), text.size(), MSG_NOSIGNAL);
    REQUIRE(put > 0);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}
/// So many bytes, or all until the end.
std::string hear(const Descriptor& end, std::size_t bytes) {
  std::string text(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t now = recv(end.get(), text.data() + got, bytes - got, 0);
    if (now <= 0) break;
    got += static_cast<std::size_t>(now);
  }
  text.resize(got);
  return text;
}

TEST_CASE("what both sides say passes, whole and in order, much more than is held on the way") {
  GuardedPipes pipes({});
  auto [client, accepted] = connection();
  const Descriptor server = pipes.add(std::move(accepted));
  REQUIRE(server);
  wait_for(server);
  // One frame of data, of nearly all that its length can say.
  std::string up = kGreeting + std::string("\xFF\xFF\xFF\0\0\0\0\0\1", 9);
  std::string down;
  for (int i = 0; i < 8'000'000; ++i) up += static_cast<char>(i * 31 % 251);
  for (int i = 0; i < 8'000'000; ++i) down += static_cast<char>(i * 17 % 253);
  auto sending = std::async(std::launch::async, [&] { say(client, up); });
  auto answering = std::async(std::launch::async, [&] { say(server, down); });
  auto reading = std::async(std::launch::async, [&] { return hear(client, down.size()); });
  const bool same_up = hear(server, up.size()) == up;
  CHECK(same_up);
  const bool same_down = reading.get() == down;
  CHECK(same_down);
  sending.get();
  answering.get();
  // What the client closes, the server sees closed, and the other way round.
  shutdown(client.get(), SHUT_WR);
  CHECK(hear(server, 1).empty());
  say(server, "bye");
  shutdown(server.get(), SHUT_WR);
  CHECK(hear(client, 10) == "bye");
  while (pipes.size() > 0) std::this_thread::yield();
}

TEST_CASE("a client that goes too far, or says nothing, is cut off and told of, and others are not") {
  std::promise<std::string> first, second;
  int told = 0;
  GuardedPipes::Options options;
  options.greeting = std::chrono::milliseconds(50);
  options.cut = [&](const std::string& why) { (told++ == 0 ? first : second).set_value(why); };
  GuardedPipes pipes(options);
  auto [good, good_accepted] = connection();
  const Descriptor good_server = pipes.add(std::move(good_accepted));
  wait_for(good_server);
  say(good, kGreeting);
  CHECK(hear(good_server, kGreeting.size()) == kGreeting);

  auto [bad, bad_accepted] = connection();
  const Descriptor bad_server = pipes.add(std::move(bad_accepted));
  wait_for(bad_server);
  say(bad, "GET / HTTP/1.1\r\n\r\n");
  CHECK(hear(bad_server, 1).empty());  // gRPC never sees it
  CHECK(hear(bad, 1).empty());
  CHECK(first.get_future().get() == "it does not speak HTTP/2");

  auto [silent, silent_accepted] = connection();
  const Descriptor silent_server = pipes.add(std::move(silent_accepted));
  CHECK(hear(silent, 1).empty());
  CHECK(second.get_future().get() == "it says nothing");

  say(good_server, "still here");
  CHECK(hear(good, 10) == "still here");
  while (pipes.size() > 1) std::this_thread::yield();
}

TEST_CASE("the newcomer finds no room among those who have spoken, and takes the place of one who has not") {
  GuardedPipes::Options options;
  options.most = 2;
  GuardedPipes pipes(options);
  auto [a, a_accepted] = connection();
  auto [b, b_accepted] = connection();
  auto [c, c_accepted] = connection();
  const Descriptor a_server = pipes.add(std::move(a_accepted));
  const Descriptor b_server = pipes.add(std::move(b_accepted));
  wait_for(b_server);
  say(b, kGreeting);
  CHECK(hear(b_server, kGreeting.size()) == kGreeting);
  const Descriptor c_server = pipes.add(std::move(c_accepted));
  REQUIRE(c_server);
  CHECK(hear(a, 1).empty());  // it was there first, and said nothing
  wait_for(c_server);
  say(c, kGreeting);
  CHECK(hear(c_server, kGreeting.size()) == kGreeting);
  auto [d, d_accepted] = connection();
  const Descriptor d_server = pipes.add(std::move(d_accepted));
  CHECK(hear(d, 1).empty());
  say(b, "\0\0\0");
  say(b, std::string(6, '\0'));
  CHECK(hear(b_server, 6).size() == 6);
  while (pipes.size() > 2) std::this_thread::yield();
}

TEST_CASE("more newcomers at once than can be judged are turned away") {
  GuardedPipes::Options options;
  options.most = 0;
  GuardedPipes pipes(options);
  std::vector<std::pair<Descriptor, Descriptor>> all;
  for (int i = 0; i < 100; ++i) {
    auto [client, accepted] = connection();
    Descriptor server = pipes.add(std::move(accepted));
    all.emplace_back(std::move(client), std::move(server));
  }
  for (const auto& [client, server] : all) CHECK(hear(client, 1).empty());
  while (pipes.size() > 0) std::this_thread::yield();
}

TEST_CASE("its end closes every connection") {
  Descriptor client, server;
  {
    GuardedPipes pipes({});
    auto [mine, accepted] = connection();
    client = std::move(mine);
    server = pipes.add(std::move(accepted));
    wait_for(server);
  }
  CHECK(hear(client, 1).empty());
  CHECK(hear(server, 1).empty());
}

}  // namespace
}  // namespace continuo::rpc
