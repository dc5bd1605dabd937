// Who waits for a client, and how long.
#include "server/control/idle_transfers.hpp"

#include <doctest/doctest.h>

using namespace continuo::control;
using namespace std::chrono_literals;

TEST_CASE("idle transfers: the client's turn ends at the limit, once, and ours never does") {
  IdleTransfers::Clock::time_point now{100s};
  IdleTransfers idle(60s, [&now] { return now; });
  int first = 0, second = 0;
  auto a = idle.add([&first] { ++first; });
  const auto b = idle.add([&second] { ++second; });
  now += 1000s;
  idle.check();
  CHECK(first == 0);  // nobody's turn yet but ours
  CHECK(idle.count() == 2);
  a->client();
  now += 59'999ms;
  b->client();
  idle.check();
  CHECK(first == 0);
  now += 1ms;
  idle.check();
  CHECK(first == 1);
  CHECK(second == 0);
  now += 1000s;
  b->ours();
  idle.check();
  CHECK(first == 1);
  CHECK(second == 0);
  b->client();
  now += 59s;
  b->client();  // the next piece: the time begins anew
  now += 59s;
  idle.check();
  CHECK(second == 0);
  a->client();
  a.reset();
  CHECK(idle.count() == 1);
  now += 1000s;
  idle.check();
  CHECK(first == 1);  // what is gone is not ended
  CHECK(second == 1);
}
