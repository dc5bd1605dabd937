#include "rt/block_pool.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <vector>

// The pool's promises: its bound and its loser, aligned blocks that never overlap, and that a block that is given back
// twice ends the process.
namespace {

using continuo::rt::BlockPool;

struct Wide {
  double values[9] = {};
};

/// In a child, which dies of it.
template <class Sin>
bool aborts(Sin&& sin) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);  // the test's own handler would tell of a failure
    sin();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("a pool gives out each block once, aligned, and counts who comes too late") {
  constexpr std::size_t kCount = 1000;
  BlockPool<Wide> pool(kCount);
  CHECK(BlockPool<Wide>::kBlockBytes == 128);
  CHECK(pool.capacity() == kCount);
  std::vector<Wide*> taken;
  std::set<Wide*> different;
  for (std::size_t i = 0; i < kCount; ++i) {
    Wide* const block = pool.try_take();
    REQUIRE(block != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
    CHECK(reinterpret_cast<const std::byte*>(block) >= pool.memory().data());
    CHECK(reinterpret_cast<const std::byte*>(block + 1) <= pool.memory().data() + pool.memory().size());
    for (double& value : block->values) value = static_cast<double>(i);
    taken.push_back(block);
    different.insert(block);
  }
  CHECK(different.size() == kCount);
  CHECK(pool.refused() == 0);
  for (int i = 0; i < 3; ++i) CHECK(pool.try_take() == nullptr);
  CHECK(pool.refused() == 3);
  CHECK(pool.in_use() == kCount);
  for (std::size_t i = 0; i < kCount; ++i)
    for (const double value : taken[i]->values) CHECK(value == static_cast<double>(i));

  // One back, one out: the same, still warm.
  pool.give_back(taken[17]);
  CHECK(pool.try_take() == taken[17]);
  CHECK(pool.try_take() == nullptr);
  for (Wide* block : taken) pool.give_back(block);
  CHECK(pool.in_use() == 0);
  different.clear();
  for (std::size_t i = 0; i < kCount; ++i) different.insert(pool.try_take());
  CHECK(different.size() == kCount);
  CHECK(different.count(nullptr) == 0);
}

TEST_CASE("a pool in random order never has a block out twice") {
  BlockPool<std::uint64_t> pool(64);
  CHECK(BlockPool<std::uint64_t>::kBlockBytes == 64);
  std::vector<std::uint64_t*> out;
  std::uint64_t random = 1, written = 0, lost = 0;
  for (int i = 0; i < 100000; ++i) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    if ((random >> 33) % 2 == 0) {
      std::uint64_t* const block = pool.try_take(written);
      if (block == nullptr) {
        CHECK(out.size() == 64);
        ++lost;
        continue;
      }
      REQUIRE(*block == written++);
      out.push_back(block);
    } else if (!out.empty()) {
      const std::size_t which = (random >> 40) % out.size();
      REQUIRE(*out[which] < written);
      pool.give_back(out[which]);
      out[which] = out.back();
      out.pop_back();
    }
    REQUIRE(pool.in_use() == out.size());
  }
  CHECK(pool.refused() == lost);
}

TEST_CASE("what is no block that is out, given back, ends the process") {
  BlockPool<std::uint64_t> pool(4);
  std::uint64_t* const block = pool.try_take(1u);
  CHECK_FALSE(aborts([&] { pool.give_back(block); }));
  CHECK(aborts([&] {
    pool.give_back(block);
    pool.give_back(block);
  }));
  CHECK(aborts([&] { pool.give_back(block + 1); }));   // inside a block
  CHECK(aborts([&] { pool.give_back(block + 8); }));   // a block that is free
  CHECK(aborts([&] { pool.give_back(block + 32); }));  // behind the last
  CHECK(aborts([&] { pool.give_back(block - 8); }));   // before the first
  std::uint64_t foreign = 0;
  CHECK(aborts([&] { pool.give_back(&foreign); }));
  CHECK(aborts([&] { pool.give_back(nullptr); }));
}

TEST_CASE("a pool without blocks refuses everybody") {
  BlockPool<int> pool(0);
  CHECK(pool.try_take() == nullptr);
  CHECK(pool.refused() == 1);
}
