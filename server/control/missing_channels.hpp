// THREAD: any - connections to channels that the device of now does not have
#pragma once

#include <string>
#include <vector>

#include "server/session/plan_compiler.hpp"

namespace continuo::control {

/// A line each, in the document's order. They stay in the session, for another device may have the channel; nothing of
/// them is heard on this one. Those that `known` has already are left out.
[[nodiscard]] std::vector<std::string> missing_channels(const session::Document& document,
                                                        const session::EngineShape& shape,
                                                        const session::Document* known = nullptr);

}  // namespace continuo::control
