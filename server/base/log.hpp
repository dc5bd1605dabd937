// THREAD: any but audio (it may lock and write) - one log: journald priorities on stderr, or a rotated file
#pragma once

#include <spdlog/fmt/fmt.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "server/base/result.hpp"

namespace continuo::log {

enum class Level { debug, info, warning, error };
[[nodiscard]] std::optional<Level> level_from(std::string_view name) noexcept;

struct Settings {
  Level level = Level::info;
  std::filesystem::path file;  // empty: stderr. A file is rotated at 10 MiB; five old ones are kept
};

/// Before it, the log goes to stderr at level info. Fails where the file cannot be opened: then nothing has changed.
Result<> start(const Settings& settings);

/// Hears every line that is written, on whatever thread writes it; it must not write to the log itself. Empty: nobody.
/// Once it returns no call of the one before runs.
void observe(std::function<void(Level, std::string_view)> call);

/// Opens the file anew, after somebody moved it away. Nothing to do for stderr.
void reopen() noexcept;
void flush() noexcept;

[[nodiscard]] bool enabled(Level level) noexcept;
/// One line; line breaks inside are written as spaces, for what a client sent may be part of it.
void write(Level level, std::string_view text) noexcept;

template <class... Args>
void at(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::warning, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  at(Level::error, format, std::forward<Args>(args)...);
}

}  // namespace continuo::log
