// THREAD: any - jobs: list, show, watch, cancel; and a render in the daemon
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <tuple>

#include "clients/cli/failure.hpp"
#include "clients/cli/job_text.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

std::string who_text(const v1::Origin& origin) {
  return origin.identity().empty() ? origin.client() : origin.identity();
}

std::string line_text(const v1::Job& job) {
  return format("%llu  %s  %s  %s  %s%s", static_cast<unsigned long long>(job.job_id()), kind_text(job.kind()).c_str(),
                state_text(job.state()).c_str(), job.subject().c_str(), progress_text(job).c_str(),
                has_ended(job) ? ("  " + outcome_text(job)).c_str() : "");
}

int list(Context& context) {
  Table table({">ID", "KIND", "STATE", ">DONE", "BEGAN", "WHAT", "BY", ""});
  job_client(context).list([&](const v1::Job& job) {
    if (context.json) return print_line(to_json_line(job));
    table.add({std::to_string(job.job_id()), kind_text(job.kind()), state_text(job.state()),
               job.state() == v1::Job::STATE_RUNNING ? progress_text(job) : "", job.origin().utc().substr(0, 19) + "Z",
               job.subject(), who_text(job.origin()), has_ended(job) ? outcome_text(job) : ""});
  });
  if (!table.empty()) table.print();
  return kOk;
}

void print_details(const v1::Job& job) {
  print_line(printable(line_text(job)));
  print_line(printable("began " + job.origin().utc() + " by " + who_text(job.origin()) +
                       (job.ended_utc().empty() ? "" : ", ended " + job.ended_utc())));
  for (const std::string& line : loudness_lines(job)) print_line(printable(line));
  for (const std::string& warning : job.render().warnings()) print_line(printable("  " + warning));
  for (const auto& broken : job.scan().broken())
    print_line(printable("  " + broken.file() + ": " + broken.message() + " (" + broken.reason() + ")"));
}

int show(Context& context, std::uint64_t id) {
  const v1::Job job = job_client(context).get(id);
  if (context.json)
    print_line(to_json_line(job));
  else
    print_details(job);
  return kOk;
}

int watch(Context& context, std::optional<std::uint64_t> id) {
  job_client(context).watch(id, [&](const v1::Job& job) {
    print_line(context.json ? to_json_line(job) : printable(line_text(job)));
    flush_output();
  });
  return kOk;
}

int cancel(Context& context, std::uint64_t id) {
  const v1::Job job = job_client(context).cancel(id);
  if (context.json)
    print_line(to_json_line(job));
  else if (on_terminal())
    print_line("asked to end");
  return kOk;
}

struct RenderWords {
  std::string file;
  std::string from;
  std::string to;
  std::string sample_format = "pcm24";
  bool force = false;
  bool loudness = false;
  bool loudness_stems = false;
  std::vector<std::string> loudness_of;
  bool no_wait = false;
  std::string token_file;
  std::string tls;
};

/// The frame that `text` means, or a failure that names what was typed.
std::int64_t frame_of(const std::string& text, const char* option, double rate_hz) {
  const TimeText time = parse_time(text, option);
  try {
    return time.to_frames(rate_hz);
  } catch (const Failure& failure) {
    throw Failure(failure.exit_code, failure.reason, option, "'" + text + "': " + failure.message);
  }
}

/// The daemon speaks of frames: where it refuses one, the words that it came from go before.
Failure in_words(const Failure& failure, const RenderWords& words) {
  for (const auto& [field, option, text] :
       {std::tuple("start_frame", "--from", &words.from), std::tuple("end_frame", "--to", &words.to)}) {
    if (failure.field == field && !text->empty())
      return {failure.exit_code, failure.reason, option, "'" + *text + "': " + failure.message};
  }
  return failure;
}

v1::Job start(JobClient& client, const v1::StartRenderRequest& request, const RenderWords& words) {
  try {
    return client.start_render(request);
  } catch (const Failure& failure) {
    throw in_words(failure, words);
  }
}

int render(Context& context, const RenderWords& words) {
  v1::StartRenderRequest request;
  request.set_file(words.file);
  request.set_sample_format(words.sample_format);
  request.set_overwrite(words.force);
  request.set_loudness(words.loudness);
  request.set_loudness_stems(words.loudness_stems);
  for (const std::string& node : words.loudness_of) request.add_loudness_of(node);
  if (!words.from.empty() || !words.to.empty()) {
    const double rate = context.connection().clock().timeline_rate_hz();
    if (!words.from.empty()) request.set_start_frame(frame_of(words.from, "--from", rate));
    if (!words.to.empty()) request.set_end_frame(frame_of(words.to, "--to", rate));
  }
  JobClient client = job_client(context);
  v1::Job job = start(client, request, words);
  if (words.no_wait) {
    print_line(context.json ? to_json_line(job) : std::to_string(job.job_id()));
    return kOk;
  }
  job = wait_for(context, client, job);
  if (context.json) return kOk;  // its last line said it
  for (const std::string& warning : job.render().warnings()) note(printable(warning));
  print_line(printable(job.render().file() + ": " + outcome_text(job)));
  for (const std::string& line : loudness_lines(job)) print_line(printable(line));
  return kOk;
}

}  // namespace

void add_jobs_commands(CLI::App& app, Context& context) {
  CLI::App* jobs = app.add_subcommand("jobs", "What takes long: renders, scans, loads, calibrations, uploads");
  jobs->require_subcommand(0, 1);
  jobs->callback([&context, jobs] {
    if (jobs->get_subcommands().empty()) context.run = [&context] { return list(context); };
  });
  jobs->add_subcommand("list", "Those that run, and what became of the others within a day")->callback([&context] {
    context.run = [&context] { return list(context); };
  });
  const auto add = [&](const char* name, const char* help, bool required,
                       std::function<int(std::optional<std::uint64_t>)> action) {
    auto id = std::make_shared<std::uint64_t>(0);
    CLI::App* command = jobs->add_subcommand(name, help);
    CLI::Option* option =
        command->add_option("ID", *id, "Its number, as 'jobs' lists it")->required(required)->check(whole_number());
    command->callback([&context, option, id, action = std::move(action)] {
      const auto chosen = option->count() > 0 ? std::optional(*id) : std::nullopt;
      context.run = [action, chosen] { return action(chosen); };
    });
  };
  add("show", "One job, with its warnings or broken files", true,
      [&context](std::optional<std::uint64_t> id) { return show(context, *id); });
  add("watch", "One job until its end, or all of them as they change; Ctrl-C ends", false,
      [&context](std::optional<std::uint64_t> id) { return watch(context, id); });
  add("cancel", "Ask one to end", true, [&context](std::optional<std::uint64_t> id) { return cancel(context, *id); });
}

int render_on_server(Context& context, std::vector<std::string> arguments) {
  RenderWords words;
  CLI::App app("Renders the session that the daemon has, there, into a file of a media root",
               "continuo render --on-server");
  bool on_server = false;
  app.add_flag("--on-server", on_server, "In the daemon, in place of a session file here");
  app.add_option("FILE", words.file, "ROOT:PATH, ending in .wav or .flac; its folder must be there")->required();
  app.add_option("--from", words.from, "Where on the timeline to begin; else 0");
  app.add_option("--to", words.to, "Where to end; else with the last player, and its tail");
  app.add_option("--format", words.sample_format, "pcm16, pcm24 (the default) or float32")
      ->check(CLI::IsMember({"pcm16", "pcm24", "float32"}));
  app.add_flag("--force", words.force, "Replace an existing file, once the new one is whole");
  app.add_flag("--loudness", words.loudness, "Measure the output: loudness, its range, true peak (EBU R 128)");
  app.add_option("--loudness-of", words.loudness_of, "Also of this node; may be repeated")->expected(1)->take_all();
  app.add_flag("--loudness-stems", words.loudness_stems, "Also of every track and every bus");
  app.add_flag("--no-wait", words.no_wait, "Only begin, and print the job's number");
  app.add_flag("--json", context.json, "The job as a line of JSON, each time that it changes");
  app.add_option("--server", context.server, "unix:/path/to/socket or host:port");
  app.add_option("--timeout", context.timeout_seconds, "Seconds that an answer may take; else 10")
      ->check(number_from(0.1, 3600.0));
  app.add_option("--token-file", words.token_file, "File with the token to show");
  app.add_option("--tls", words.tls, "Folder of ca.crt, client.crt and client.key");
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app.parse(arguments);
  } catch (const CLI::Success& success) {
    app.exit(success);
    return kOk;
  } catch (const CLI::ParseError& error) {
    throw Failure(kUsage, "USAGE", "", std::string(error.what()) + "; see 'continuo render --on-server --help'");
  }
  if (!is_utf8(words.file)) throw Failure(kUsage, "NOT_UTF8", "", "the file's name is not UTF-8");
  if (!words.token_file.empty()) ::setenv("CONTINUO_TOKEN_FILE", words.token_file.c_str(), 1);
  if (!words.tls.empty()) ::setenv("CONTINUO_TLS", words.tls.c_str(), 1);
  return render(context, words);
}

}  // namespace continuo::cli
