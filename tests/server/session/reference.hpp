// THREAD: any - what a document sounds like, from its meaning alone: no plan, no batches, no shared buffers
#pragma once

#include "tests/server/session/offline_rig.hpp"

namespace continuo::session::test {

struct Reference {
  Sound out;                              // what reaches the node "out"
  std::map<std::string, Sound> recorded;  // by path of the recorder
};

/// `frames` frames from the start of the timeline, which rolls from engine frame 0. Sums are made as the contract says:
/// leaves of 16 inputs in document order, then the leaves.
[[nodiscard]] Reference evaluate(const Document& document, const EngineShape& shape, const MediaTable& media,
                                 std::uint32_t frames);

}  // namespace continuo::session::test
