// THREAD: any that may wait - a file of the state folder, which somebody may have put anything in the place of
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "server/base/result.hpp"

namespace continuo::control {

/// Its content; none where there is no such file. DATA_LOSS for what is no plain file (a FIFO would be waited for), is
/// longer than `most`, or cannot be read.
[[nodiscard]] Result<std::optional<std::string>> read_state(const std::filesystem::path& file, std::size_t most);

/// Out of the way of who writes there: "last-session.bad-1.json". Returns its name from then on.
[[nodiscard]] std::string set_aside(const std::filesystem::path& folder, const std::string& stem,
                                    const std::string& ending);

}  // namespace continuo::control
