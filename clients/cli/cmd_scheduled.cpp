// THREAD: any - scheduled, cancel
#include <CLI/CLI.hpp>
#include <algorithm>
#include <tuple>

#include "clients/cli/failure.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

std::string what_text(const v1::ScheduledTransaction& transaction) {
  const std::uint32_t count = transaction.operation_count();
  if (transaction.operations().empty()) return format("%u operations", count);
  return operation_text(transaction.operations(0)) + (count > 1 ? format(" and %u more", count - 1) : "");
}

std::string when_text(const v1::When& when, const v1::Clock& clock) {
  switch (when.kind_case()) {
    case v1::When::kTimelineFrame:
      return time_text(when.timeline_frame(), clock.timeline_rate_hz());
    case v1::When::kUtc:
      return "@" + when.utc();
    case v1::When::kEngineFrame:
      return "engine frame " + std::to_string(when.engine_frame().frame());
    default:
      return "?";
  }
}

int list(Context& context) {
  std::vector<v1::ScheduledTransaction> all = context.connection().scheduled();
  if (context.json) {
    for (const v1::ScheduledTransaction& transaction : all) print_line(to_json_line(transaction));
    return kOk;
  }
  const v1::Clock clock = context.connection().clock();
  // What waits for the timeline comes last; of the same frame, the one that was sent first.
  std::ranges::sort(
      all, {}, [](const auto& a) { return std::tuple(!a.has_engine_frame(), a.engine_frame(), a.transaction_id()); });
  Table table({">ID", "IN", "AT", "WHAT", "BY"});
  for (const v1::ScheduledTransaction& transaction : all) {
    table.add({std::to_string(transaction.transaction_id()),
               transaction.has_engine_frame()
                   ? time_text(std::max<std::int64_t>(0, transaction.engine_frame() - clock.engine_frame()),
                               clock.engine_rate_hz())
                   : "waits for the timeline",
               when_text(transaction.when(), clock), what_text(transaction), transaction.origin().client()});
  }
  table.print();
  return kOk;
}

}  // namespace

void add_scheduled_commands(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("scheduled", "What was given an --at and has not come yet");
  command->callback([&context] { context.run = [&context] { return list(context); }; });

  auto id = std::make_shared<std::uint64_t>(0);
  command = app.add_subcommand("cancel", "Take a scheduled transaction back");
  command->add_option("ID", *id, "Its number, as 'scheduled' lists it")->required()->check(whole_number());
  command->callback([&context, id] {
    context.run = [&context, id] {
      context.connection().cancel_scheduled(*id);
      if (on_terminal() && !context.json) print_line("cancelled");
      if (context.json) print_line("{}");
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace continuo::cli
