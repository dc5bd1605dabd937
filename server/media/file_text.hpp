// THREAD: any - text that comes out of files and folders, which may hold anything
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace continuo::media {

/// Well-formed: a message may carry it as text.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` up to its first NUL, with '?' for what is not UTF-8, for control characters, and for those that end a line or
/// turn the direction of what is written behind them.
[[nodiscard]] std::string readable(std::string_view text);

/// Both canonical: `path` is `root` or in it.
[[nodiscard]] bool is_below(const std::filesystem::path& path, const std::filesystem::path& root);

}  // namespace continuo::media
