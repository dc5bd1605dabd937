#include "server/device/memory_lock.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

namespace continuo::device {
namespace {

struct Pages {
  std::uintptr_t begin;
  std::size_t bytes;
};

Pages pages_of(const void* begin, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(begin) & ~(page - 1);
  const auto last = (reinterpret_cast<std::uintptr_t>(begin) + bytes + page - 1) & ~(page - 1);
  return {first, last - first};
}

// What is locked and what was refused, by first page. One lock for all: control side, a few calls in a session.
struct Ledger {
  std::mutex mutex;
  std::map<std::uintptr_t, std::size_t> locked, refused;
};
Ledger& ledger() {
  static Ledger& the = *new Ledger;  // outlives every static object: a device may be closed late
  return the;
}

std::uint64_t sum(const std::map<std::uintptr_t, std::size_t>& map) {
  std::uint64_t total = 0;
  for (const auto& entry : map) total += entry.second;
  return total;
}

// Only what a callback passes through: the limit of a plain user is 8 MiB.
bool on_the_way(std::string_view path) {
  if (path.empty()) return false;
  const std::string_view file = path.substr(path.find_last_of('/') + 1);
  constexpr std::array<std::string_view, 8> kNames = {"libportaudio.", "libjack.",   "libasound.", "libc.so",
                                                      "libm.so",       "libstdc++.", "libkissfft", "ld-linux"};
  for (const auto name : kNames)
    if (file.starts_with(name)) return true;
  return path.starts_with("/proc/self/fd/");  // private copies of PortAudio
}

int collect(dl_phdr_info* info, std::size_t, void* user) {
  auto& found = *static_cast<std::vector<Pages>*>(user);
  const std::string_view path = info->dlpi_name ? info->dlpi_name : "";
  const bool program = path.empty() && found.empty();  // the program comes first, without a name
  if (!program && !on_the_way(path)) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || header.p_memsz == 0) continue;
    if (!program && !(header.p_flags & PF_X)) continue;
    found.push_back(pages_of(reinterpret_cast<const void*>(info->dlpi_addr + header.p_vaddr), header.p_memsz));
  }
  return 0;
}

}  // namespace

void prefault(const void* begin, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  const Pages p = pages_of(begin, bytes);
  void* const address = reinterpret_cast<void*>(p.begin);
  if (madvise(address, p.bytes, MADV_POPULATE_WRITE) == 0) return;
  if (madvise(address, p.bytes, MADV_POPULATE_READ) == 0) return;
  if (madvise(address, 0, MADV_POPULATE_READ) == 0) return;           // known to the kernel: this memory cannot be had
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));  // before Linux 5.14: touch it
  for (std::size_t i = 0; i < p.bytes; i += page) (void)*reinterpret_cast<const volatile char*>(p.begin + i);
}

bool lock_memory(const void* begin, std::size_t bytes) noexcept {
  if (bytes == 0) return true;
  const Pages p = pages_of(begin, bytes);
  // Sanitizers make mlock() do nothing and succeed; this one they leave alone.
  const bool locked = mlock2(reinterpret_cast<const void*>(p.begin), p.bytes, 0) == 0;
  if (!locked) prefault(begin, bytes);
  const std::lock_guard lock(ledger().mutex);
  (locked ? ledger().locked : ledger().refused)[p.begin] = p.bytes;
  (locked ? ledger().refused : ledger().locked).erase(p.begin);
  return locked;
}

void unlock_memory(const void* begin, std::size_t bytes) noexcept {
  if (bytes == 0) return;
  const Pages p = pages_of(begin, bytes);
  {
    const std::lock_guard lock(ledger().mutex);
    ledger().refused.erase(p.begin);
    if (ledger().locked.erase(p.begin) == 0) return;
  }
  munlock(reinterpret_cast<const void*>(p.begin), p.bytes);
}

void lock_code() {
  std::vector<Pages> found;
  dl_iterate_phdr(collect, &found);
  for (const Pages& p : found) {
    {
      const std::lock_guard lock(ledger().mutex);
      if (ledger().locked.contains(p.begin)) continue;
    }
    lock_memory(reinterpret_cast<const void*>(p.begin), p.bytes);
  }
}

MemoryReport memory_report() {
  MemoryReport report;
  const std::lock_guard lock(ledger().mutex);
  report.locked_bytes = sum(ledger().locked);
  report.refused_bytes = sum(ledger().refused);
  if (report.refused_bytes > 0) {
    report.warning =
        std::to_string(report.refused_bytes / 1024) + " of " +
        std::to_string((report.refused_bytes + report.locked_bytes) / 1024) +
        " KiB could not be locked in memory: allow it (MEMLOCK): LimitMEMLOCK=infinity in the systemd unit, or "
        "for a user '@audio - memlock unlimited' in /etc/security/limits.d";
  }
  return report;
}

}  // namespace continuo::device
