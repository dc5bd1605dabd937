// THREAD: any - which texts may be ids, paths and labels
#pragma once

#include <string>
#include <string_view>

#include "server/base/result.hpp"

namespace continuo::session {

/// [a-z0-9_-]{1,63}
[[nodiscard]] bool is_id(std::string_view text);

/// Ids joined by "/", at most kMaxDepth of them.
[[nodiscard]] bool is_path(std::string_view text);

/// UTF-8 without overlong forms, surrogates or NUL.
[[nodiscard]] bool is_clean_utf8(std::string_view text);

/// Free text for people: clean UTF-8, at most `max_bytes` long.
[[nodiscard]] Result<> check_text(std::string_view text, std::size_t max_bytes, const std::string& field);

/// What somebody wrote, fit for an error message: short, printable, in quotes.
[[nodiscard]] std::string quoted(std::string_view text);

/// What somebody wrote, fit for an error's field: as it is where it could be a name, else short and printable.
[[nodiscard]] std::string field_name(std::string_view text);

/// INVALID_ARGUMENT.
[[nodiscard]] Error bad(std::string reason, std::string field, std::string message);

}  // namespace continuo::session
