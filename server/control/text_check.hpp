// THREAD: any - how long what a client calls something may be
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "server/base/result.hpp"

namespace continuo::control {

inline constexpr std::size_t kMaxCharacters = 200;  // characters of UTF-8

/// INVALID_ARGUMENT "OUT_OF_RANGE", with `field`.
[[nodiscard]] inline Result<> check_text(const std::string& text, const char* field) {
  const auto begins_one = [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; };
  if (static_cast<std::size_t>(std::ranges::count_if(text, begins_one)) <= kMaxCharacters) return {};
  return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", field,
                    std::string(field) + " has at most " + std::to_string(kMaxCharacters) + " characters");
}

}  // namespace continuo::control
