#include "clients/cli/failure.hpp"

#include "clients/cli/output.hpp"

namespace continuo::cli {

std::string one_line(const Failure& failure) {
  std::string text = failure.message.empty() ? "failed" : failure.message;
  std::string tail = failure.reason;
  if (!failure.field.empty()) tail += (tail.empty() ? "field " : ", field ") + failure.field;
  if (!tail.empty()) text += " (" + tail + ")";
  return printable(text);
}

}  // namespace continuo::cli
