// THREAD: disk - a file that somebody else opened, and will give its name
#pragma once

#include <memory>

#include "server/media/take_file.hpp"

namespace continuo::media {

/// Over `fd`, which stays the caller's: publish() syncs and no more, discard() does nothing.
[[nodiscard]] std::unique_ptr<TakeFile> make_given_file(int fd);

}  // namespace continuo::media
