// THREAD: any - what the texts of the configuration may be
#pragma once

#include <string>
#include <string_view>

#include "server/base/result.hpp"

namespace continuo {

Result<> check_label(std::string_view text);      // up to 100 bytes, printable
Result<> check_address(std::string_view text);    // as parse_address() reads it
Result<> check_template(std::string_view text);   // known places only; stays in its folder
Result<> check_root_name(std::string_view text);  // [a-z0-9_-]{1,63}; "takes" is taken

/// A TOML basic string, in quotes.
[[nodiscard]] std::string quote_toml(std::string_view text);

}  // namespace continuo
