// THREAD: any - events: the daemon's journal
#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "clients/cli/ago_text.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace {

constexpr std::chrono::milliseconds kLookEvery{500};
constexpr std::uint32_t kPage = 1000;

const std::map<std::string, v1::Event::Kind> kKinds = {
    {"log", v1::Event::KIND_LOG},           {"loss", v1::Event::KIND_LOSS},       {"edit", v1::Event::KIND_EDIT},
    {"load", v1::Event::KIND_LOAD},         {"take", v1::Event::KIND_TAKE},       {"cue", v1::Event::KIND_CUE},
    {"schedule", v1::Event::KIND_SCHEDULE}, {"refusal", v1::Event::KIND_REFUSAL}, {"job", v1::Event::KIND_JOB},
    {"lease", v1::Event::KIND_LEASE}};

struct Options {
  std::string since;
  std::string until;
  std::vector<std::string> kinds;
  std::uint32_t last = 40;
  bool follow = false;
};

std::string kind_name(v1::Event::Kind kind) {
  for (const auto& [name, one] : kKinds) {
    if (one == kind) return name;
  }
  return "?";
}

void print(const v1::Event& event, bool json) {
  if (json) return print_line(to_json_line(event));
  const char* const mark = event.severity() == v1::Event::SEVERITY_ERROR     ? "!!"
                           : event.severity() == v1::Event::SEVERITY_WARNING ? "! "
                                                                             : "  ";
  std::string line = event.utc().substr(0, 23) + "Z  " + mark + " " + kind_name(event.kind());
  line.resize(std::max<std::size_t>(line.size(), 38), ' ');
  if (event.transaction_id() != 0) line += format(" #%llu", static_cast<unsigned long long>(event.transaction_id()));
  line += " " + event.message();
  if (event.count() > 1 && event.kind() != v1::Event::KIND_LOSS)
    line += format(" (%llu times)", static_cast<unsigned long long>(event.count()));
  if (event.has_origin() && !(event.origin().client().empty() && event.origin().identity().empty())) {
    // What is proved first: the client may call itself anything.
    line += "  [" + event.origin().identity();
    if (!event.origin().client().empty() && !event.origin().identity().empty()) line += ", ";
    line += event.origin().client() + "]";
  }
  print_line(printable(line));
}

std::string utc_of(std::int64_t seconds) {
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

int events(Context& context, const Options& options) {
  const std::int64_t now = std::time(nullptr);
  v1::ListEventsRequest request;
  for (const std::string& kind : options.kinds) request.add_kinds(kKinds.at(kind));
  if (!options.since.empty()) request.set_since_utc(utc_of(parse_ago(options.since, now, "--since")));
  if (!options.until.empty()) request.set_until_utc(utc_of(parse_ago(options.until, now, "--until")));
  const bool all = !options.since.empty();
  request.set_page_size(all ? kPage : options.last);
  request.set_last(!all);
  for (;;) {
    const v1::ListEventsResponse page = context.connection().list_events(request);
    for (const v1::Event& event : page.events()) print(event, context.json);
    if (page.events_size() > 0) request.set_after_id(page.events(page.events_size() - 1).id());
    if (request.last() || !page.more()) {
      if (page.lost() > 0)
        note(format("%llu events could not be written since the daemon's start",
                    static_cast<unsigned long long>(page.lost())));
      break;
    }
  }
  if (!options.follow) return kOk;
  const Interrupt::Scope interrupt([] {});
  request.set_last(false);
  request.set_page_size(kPage);
  while (!interrupt.wait_for(kLookEvery)) {
    flush_output();
    const v1::ListEventsResponse page = context.connection().list_events(request);
    for (const v1::Event& event : page.events()) print(event, context.json);
    if (page.events_size() > 0) request.set_after_id(page.events(page.events_size() - 1).id());
  }
  return kOk;
}

}  // namespace

void add_events_command(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("events", "What happened: the daemon's journal, the last lines of it");
  command->add_option("--since", options->since, "All since 15m, 3h, 2d ago, 03:12, or @UTC");
  command->add_option("--until", options->until, "Not what came after");
  std::vector<std::string> names;
  for (const auto& [name, kind] : kKinds) names.push_back(name);
  command
      ->add_option("--kind", options->kinds,
                   "Only these: log, loss, edit, load, take, cue, schedule, refusal, job, lease")
      ->check(CLI::IsMember(names))
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command->add_option("-n,--last", options->last, "So many; else 40")->check(CLI::Range(1u, kPage));
  command->add_flag("-f,--follow", options->follow, "Go on with what comes; Ctrl-C ends");
  command->callback([&context, options] { context.run = [&context, options] { return events(context, *options); }; });
}

}  // namespace continuo::cli
