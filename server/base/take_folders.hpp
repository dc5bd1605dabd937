// THREAD: any, at the start - the folders that takes go to: made, and found fit for it
#pragma once

#include <string>

#include "server/base/config.hpp"
#include "server/base/result.hpp"

namespace continuo {

/// Makes the take folder and the second one. An error, which names the setting: the take folder cannot be made or
/// written to, or the second is the same folder, lies in it, or has it within (links are followed), for then one disk
/// would keep both. The text: why there is no second folder for now; empty: all is well. Its disk may come later, so
/// that keeps nobody from starting.
[[nodiscard]] Result<std::string> make_take_folders(const Config& config);

}  // namespace continuo
