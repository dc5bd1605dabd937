// THREAD: any - the one table from a kind of error to the process's exit code
#pragma once

#include "server/base/result.hpp"

namespace continuo {

inline constexpr int kExitOk = 0;
inline constexpr int kExitUsage = 64;

/// As sysexits.h numbers them, so that scripts can tell "wrong request" from "try again" without reading text.
[[nodiscard]] constexpr int exit_code(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_argument:
    case ErrorKind::failed_precondition:
      return 65;
    case ErrorKind::not_found:
      return 66;
    case ErrorKind::unavailable:
    case ErrorKind::unimplemented:
      return 69;
    case ErrorKind::internal:
      return 70;
    case ErrorKind::already_exists:
      return 73;
    case ErrorKind::data_loss:
      return 74;
    case ErrorKind::aborted:
    case ErrorKind::resource_exhausted:
    case ErrorKind::deadline_exceeded:
      return 75;
    case ErrorKind::unauthenticated:
    case ErrorKind::permission_denied:
      return 77;
    case ErrorKind::configuration:
      return 78;
  }
  return 70;
}

}  // namespace continuo
