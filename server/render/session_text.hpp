// THREAD: any that may wait - a session file on this machine as a document
#pragma once

#include <filesystem>

#include "server/base/result.hpp"
#include "server/session/document.hpp"

namespace continuo::render {

/// NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT for what is no session (the field is then inside the file), for a
/// folder or a FIFO, and for more than 64 MiB.
[[nodiscard]] Result<session::Document> read_session(const std::filesystem::path& file);

}  // namespace continuo::render
