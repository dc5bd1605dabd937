// THREAD: any - undo, redo
#include <CLI/CLI.hpp>

#include "clients/cli/failure.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace {

struct UndoOptions {
  std::uint64_t id = 0;  // 0: the last one
  bool dry_run = false;
};

template <class Request>
Request request_of(const UndoOptions& options) {
  Request request;
  if (options.id != 0) request.set_transaction_id(options.id);
  request.set_dry_run(options.dry_run);
  return request;
}

std::string said(const char* what, const v1::ApplyResponse& response, bool dry_run) {
  if (dry_run) return std::string("could be ") + what;
  return std::string(what) + " by transaction " + std::to_string(response.transaction_id());
}

int undo(Context& context, const UndoOptions& options) {
  const v1::ApplyResponse response = context.connection().undo(request_of<v1::UndoRequest>(options));
  tell_outcome(context, response, !options.dry_run, said("undone", response, options.dry_run));
  return kOk;
}

int redo(Context& context, const UndoOptions& options) {
  const v1::ApplyResponse response = context.connection().redo(request_of<v1::RedoRequest>(options));
  tell_outcome(context, response, !options.dry_run, said("redone", response, options.dry_run));
  return kOk;
}

using Run = int (*)(Context&, const UndoOptions&);

void add(CLI::App& app, Context& context, const char* name, const char* description, const char* which, Run run) {
  auto options = std::make_shared<UndoOptions>();
  CLI::App* command = app.add_subcommand(name, description);
  command->add_option("ID", options->id, which)->check(whole_number(1));
  command->add_flag("--dry-run", options->dry_run, "Only say whether it could be done");
  command->callback(
      [&context, options, run] { context.run = [&context, options, run] { return run(context, *options); }; });
}

}  // namespace

void add_undo_commands(CLI::App& app, Context& context) {
  add(app, context, "undo", "Take a transaction back: what it changed is as it was, everything else stays",
      "Its number, as 'watch' and 'events' have it; else your last one", undo);
  add(app, context, "redo", "Take an undo back", "The transaction that the undo made; else your last undo", redo);
}

}  // namespace continuo::cli
