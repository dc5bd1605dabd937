// THREAD: any - valid documents of every shape, from a seed
#pragma once

#include <cstdint>

#include "server/session/document.hpp"

namespace continuo::session::test {

struct RandomShape {
  int roots = 8;          // about so many nodes at the root
  int connections = 12;   // about so many
  bool steady = false;    // no sound but the device's; parameters, gains and uids follow from the path alone
  bool sounding = false;  // only what tests/server/session/reference.hpp can work out, with at most 4 channels
};

/// The same seed gives the same document. In its one form: defaults left out.
[[nodiscard]] Document random_document(std::uint32_t seed, const RandomShape& shape);

}  // namespace continuo::session::test
