#include "server/base/exit_code.hpp"

#include <doctest/doctest.h>

#include <utility>

namespace continuo {
namespace {

TEST_CASE("each kind of error has the exit code that is promised") {
  const std::pair<ErrorKind, int> table[] = {
      {ErrorKind::invalid_argument, 65},  {ErrorKind::failed_precondition, 65}, {ErrorKind::not_found, 66},
      {ErrorKind::unavailable, 69},       {ErrorKind::unimplemented, 69},       {ErrorKind::internal, 70},
      {ErrorKind::already_exists, 73},    {ErrorKind::data_loss, 74},           {ErrorKind::aborted, 75},
      {ErrorKind::deadline_exceeded, 75}, {ErrorKind::resource_exhausted, 75},  {ErrorKind::permission_denied, 77},
      {ErrorKind::configuration, 78}};
  for (const auto& [kind, code] : table) CHECK(exit_code(kind) == code);
}

}  // namespace
}  // namespace continuo
