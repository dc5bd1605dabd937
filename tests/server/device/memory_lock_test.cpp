#include "server/device/memory_lock.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <vector>

using namespace continuo::device;

namespace {
struct Pages {
  std::size_t bytes = 16 * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* begin = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ~Pages() { munmap(begin, bytes); }
  bool resident() const {
    std::array<unsigned char, 16> there{};
    if (mincore(begin, bytes, there.data()) != 0) return false;
    for (const auto page : there)
      if (!(page & 1)) return false;
    return true;
  }
};
}  // namespace

TEST_CASE("locked memory is resident and counted once, unlocked it is counted no more") {
  Pages pages;
  CHECK_FALSE(pages.resident());
  const auto before = memory_report();
  const bool locked = lock_memory(pages.begin, pages.bytes);
  lock_memory(pages.begin, pages.bytes);
  CHECK(pages.resident());
  const auto during = memory_report();
  CHECK(during.locked_bytes + during.refused_bytes == before.locked_bytes + before.refused_bytes + pages.bytes);
  if (locked) {
    CHECK(during.locked_bytes == before.locked_bytes + pages.bytes);
  } else {
    CHECK(during.warning.find("MEMLOCK") != std::string::npos);
  }
  unlock_memory(pages.begin, pages.bytes);
  const auto after = memory_report();
  CHECK(after.locked_bytes == before.locked_bytes);
  CHECK(after.refused_bytes == before.refused_bytes);
}

TEST_CASE("prefault makes memory resident and leaves its content") {
  Pages pages;
  static_cast<char*>(pages.begin)[5000] = 'x';
  prefault(pages.begin, pages.bytes);
  CHECK(pages.resident());
  CHECK(static_cast<char*>(pages.begin)[5000] == 'x');
}

TEST_CASE("what cannot be locked is refused, counted and said") {
  Pages pages;
  const auto before = memory_report();
  munmap(pages.begin, pages.bytes);  // no such memory
  mmap(pages.begin, pages.bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  CHECK_FALSE(lock_memory(pages.begin, 1));
  CHECK(memory_report().refused_bytes == before.refused_bytes + static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  CHECK_FALSE(memory_report().warning.empty());
  unlock_memory(pages.begin, 1);
  CHECK(memory_report().refused_bytes == before.refused_bytes);
}

TEST_CASE("the program's code is counted as locked or refused, once") {
  lock_code();
  const auto first = memory_report();
  CHECK(first.locked_bytes + first.refused_bytes > 100'000);
  lock_code();
  CHECK(memory_report().locked_bytes >= first.locked_bytes);
  CHECK(memory_report().locked_bytes + memory_report().refused_bytes == first.locked_bytes + first.refused_bytes);
}
