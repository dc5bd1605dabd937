#include "server/control/disk_lines.hpp"

#include <doctest/doctest.h>

#include <future>
#include <vector>

namespace continuo::control {
namespace {

TEST_CASE("a root's lines are so many, another root's are its own, and a place is free once its work is done") {
  DiskLines lines(2);
  std::promise<void> hung;
  std::shared_future<void> let_go = hung.get_future().share();
  std::vector<std::future<void>> begun;
  {
    std::vector<std::shared_ptr<DiskLines::Line>> open;
    for (int i = 0; i < 2; ++i) {
      auto line = lines.try_open("a");
      REQUIRE(line);
      auto started = std::make_shared<std::promise<void>>();
      begun.push_back(started->get_future());
      line->post([started, let_go] {
        started->set_value();
        let_go.wait();
      });
      open.push_back(std::move(line));
    }
  }
  for (auto& one : begun) one.wait();
  CHECK_FALSE(lines.try_open("a"));  // nobody holds them any more, but their disk hangs
  const auto other = lines.try_open("b");
  REQUIRE(other);
  std::promise<void> done;
  other->post([&] { done.set_value(); });
  done.get_future().wait();
  hung.set_value();
  std::shared_ptr<DiskLines::Line> free;
  while (!free) free = lines.try_open("a");
  CHECK(free);
}

TEST_CASE("a line does what was posted in order, and all of it, also when its owner has gone") {
  auto lines = std::make_unique<DiskLines>(1);
  auto order = std::make_shared<std::vector<int>>();
  std::promise<void> last;
  {
    const auto line = lines->try_open("a");
    for (int i = 0; i < 100; ++i) line->post([order, i] { order->push_back(i); });
    line->post([&] { last.set_value(); });
  }
  last.get_future().wait();
  REQUIRE(order->size() == 100);
  for (int i = 0; i < 100; ++i) CHECK((*order)[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("a disk that hangs does not hold up the end") {
  std::promise<void> hung;
  std::shared_future<void> let_go = hung.get_future().share();
  auto left = std::make_shared<std::promise<void>>();
  std::future<void> done = left->get_future();
  {
    DiskLines lines(1);
    lines.try_open("a")->post([let_go, left] {
      let_go.wait();
      left->set_value();
    });
  }  // returns, with the work still under way
  CHECK(done.wait_for(std::chrono::seconds(0)) == std::future_status::timeout);
  hung.set_value();
  done.wait();
}

}  // namespace
}  // namespace continuo::control
