// THREAD: control or render - where each signal lies while somebody needs it
#pragma once

#include <cstdint>
#include <vector>

#include "server/session/schedule.hpp"

namespace continuo::session {

struct BufferMap {
  std::vector<std::uint32_t> of_signal;  // buffer number; 0 is silence's own and is never written
  std::uint32_t count = 1;
};

/// Buffers are used again once the last step that reads them is over. No step writes a buffer that it, or a later step,
/// still reads, but for kinds that work in place, on a channel that nobody else reads. What stays in a tile needs no
/// buffer: it has one that nobody reads. Tasks share no buffer but those of the signals that go from one to another.
[[nodiscard]] BufferMap assign_buffers(const OpList& list, const Schedule& schedule);

}  // namespace continuo::session
