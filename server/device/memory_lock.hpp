// THREAD: control - memory that the audio thread may touch is resident before it does
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace continuo::device {

/// Locks what `begin` and the `bytes` after it share a page with. Where the limit forbids it, the memory is at least
/// made resident now; false, counted, and memory_report() says so. Locks do not nest. Never the whole process, never
/// future mappings: that makes every thread's stack resident.
bool lock_memory(const void* begin, std::size_t bytes) noexcept;
void unlock_memory(const void* begin, std::size_t bytes) noexcept;

/// Makes it resident without a lock and without changing it; another thread may be using it.
void prefault(const void* begin, std::size_t bytes) noexcept;

/// Locks the code and data of the program, and the code of the libraries that an audio callback passes through, as
/// loaded now. Call it after the first device is open; again after another: what is new is added.
void lock_code();

struct MemoryReport {
  std::uint64_t locked_bytes = 0;
  std::uint64_t refused_bytes = 0;
  std::string warning;  // what could not be locked, and the remedy; empty when all is well
};
[[nodiscard]] MemoryReport memory_report();

}  // namespace continuo::device
