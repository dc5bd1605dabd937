// THREAD: any - the pieces of JSON text that the session file is made of
#pragma once

#include <string>
#include <string_view>

#include "server/session/document.hpp"

namespace continuo::session {

/// The shortest text that reads back as the same double.
[[nodiscard]] std::string json_number(double value);

/// In quotes, escaped.
[[nodiscard]] std::string json_string(std::string_view text);

[[nodiscard]] std::string json_value(const Value& value);

}  // namespace continuo::session
