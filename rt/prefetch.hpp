// THREAD: any - asking for memory before it is needed
#pragma once

#include "rt/annotations.hpp"

namespace continuo::rt {

/// A callback walks through more nodes than the near caches hold. A kind whose members keep state of their own asks for
/// all of them first, one link of the way at a time (the nodes, then what they point to): the misses of a step's
/// members then overlap. Any address does, a null too.
inline void prefetch(const void* address) noexcept RT_NONBLOCKING { __builtin_prefetch(address, 0, 3); }
inline void prefetch_to_write(const void* address) noexcept RT_NONBLOCKING { __builtin_prefetch(address, 1, 3); }

}  // namespace continuo::rt
