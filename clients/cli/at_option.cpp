#include "clients/cli/at_option.hpp"

#include <CLI/CLI.hpp>

#include "clients/cli/when_text.hpp"

namespace continuo::cli {

AtOption AtOption::of(CLI::App* command) {
  AtOption option;
  command->add_option(
      "--at", *option.text_,
      "When: +3s, the timeline's 1:02.5 or 48000f, @2026-11-20T12:00:00Z; 'scheduled' lists what waits");
  return option;
}

void AtOption::put_into(Context& context, v1::ApplyRequest& request) const {
  if (!given()) return;
  *request.mutable_when() =
      parse_when(*text_, when_needs_rate(*text_) ? context.connection().clock().timeline_rate_hz() : 0.0);
}

}  // namespace continuo::cli
