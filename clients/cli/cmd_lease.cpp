// THREAD: any - lease: the show lock
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "clients/cli/failure.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

struct TakeOptions {
  std::string path;
  std::string length;
  std::string note;
};

struct TokenOptions {
  std::string token;
  std::string length;
};

double seconds_of(const std::string& length) { return parse_time(length, "--for").to_seconds(0); }

int take(Context& context, const TakeOptions& options) {
  v1::AcquireLeaseRequest request;
  request.set_path(options.path);
  if (!options.length.empty()) request.set_seconds(seconds_of(options.length));
  request.set_note(options.note);
  const v1::Lease lease = context.connection().acquire_lease(request);
  if (context.json) {
    tell_json(context, lease);
    return kOk;
  }
  print_line(lease.token());
  if (on_terminal()) {
    note((lease.path().empty() ? "the whole session is" : "'" + lease.path() + "' is") + " yours until " +
         lease.ends_utc() + "; export CONTINUO_LEASE=" + lease.token());
  }
  return kOk;
}

int list(Context& context) {
  const v1::ListLeasesResponse all = context.connection().list_leases();
  if (context.json) {
    for (const v1::Lease& lease : all.leases()) print_line(to_json_line(lease));
    return kOk;
  }
  Table table({">ID", "WHAT", "HOLDER", "UNTIL", "NOTE"});
  for (const v1::Lease& lease : all.leases()) {
    const v1::Origin& holder = lease.holder();
    const std::string who = holder.identity().empty() ? holder.client()
                            : holder.client().empty() ? holder.identity()
                                                      : holder.client() + " (" + holder.identity() + ")";
    table.add({std::to_string(lease.lease_id()), lease.path().empty() ? "(the whole)" : lease.path(), who,
               lease.ends_utc(), lease.note()});
  }
  table.print();
  return kOk;
}

/// The one that is named, else those of --lease and $CONTINUO_LEASE.
std::vector<std::string> tokens_of(Context& context, const std::string& token) {
  std::vector<std::string> tokens = token.empty() ? context.connection().leases() : std::vector{token};
  if (tokens.empty()) {
    throw Failure(kUsage, "NO_TOKEN", "TOKEN", "which lease? Name its token, here, with --lease or in $CONTINUO_LEASE");
  }
  return tokens;
}

int renew(Context& context, const TokenOptions& options) {
  for (const std::string& token : tokens_of(context, options.token)) {
    v1::RenewLeaseRequest request;
    request.set_token(token);
    if (!options.length.empty()) request.set_seconds(seconds_of(options.length));
    const v1::Lease lease = context.connection().renew_lease(request);
    tell_json(context, lease);
    if (!context.json && on_terminal()) print_line("until " + lease.ends_utc());
  }
  return kOk;
}

int release(Context& context, const TokenOptions& options) {
  for (const std::string& token : tokens_of(context, options.token)) context.connection().release_lease(token);
  if (context.json) print_line("{}");
  return kOk;
}

}  // namespace

void add_lease_commands(CLI::App& app, Context& context) {
  CLI::App* lease =
      app.add_subcommand("lease", "Have the session, or a part of it, to yourself for a while")->require_subcommand(1);

  auto take_options = std::make_shared<TakeOptions>();
  CLI::App* command = lease->add_subcommand("take", "Take it, and print the token that every write then needs");
  command->add_option("PATH", take_options->path, "A node, with all below it; else the whole session");
  command->add_option("--for", take_options->length, "How long, unless it is renewed: 30s to 24:00:00; else 30s");
  command->add_option("--note", take_options->note, "Why, for the others");
  command->callback(
      [&context, take_options] { context.run = [&context, take_options] { return take(context, *take_options); }; });

  command = lease->add_subcommand("list", "Who has what, and until when");
  command->callback([&context] { context.run = [&context] { return list(context); }; });

  auto renew_options = std::make_shared<TokenOptions>();
  command = lease->add_subcommand("renew", "It lasts its time from now on");
  command->add_option("TOKEN", renew_options->token, "Else those of --lease or $CONTINUO_LEASE");
  command->add_option("--for", renew_options->length, "From now on so long; else as it had");
  command->callback([&context, renew_options] {
    context.run = [&context, renew_options] { return renew(context, *renew_options); };
  });

  auto release_options = std::make_shared<TokenOptions>();
  command = lease->add_subcommand("release", "Give it back");
  command->add_option("TOKEN", release_options->token, "Else those of --lease or $CONTINUO_LEASE");
  command->callback([&context, release_options] {
    context.run = [&context, release_options] { return release(context, *release_options); };
  });

  auto id = std::make_shared<std::uint64_t>(0);
  command = lease->add_subcommand("break", "End somebody else's (for admins)");
  command->add_option("ID", *id, "Its number, as 'lease list' has it")->required()->check(whole_number());
  command->callback([&context, id] {
    context.run = [&context, id] {
      context.connection().break_lease(*id);
      if (context.json) print_line("{}");
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace continuo::cli
