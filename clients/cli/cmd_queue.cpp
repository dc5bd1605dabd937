// THREAD: any - queue, next, previous: what a player plays, one after the other
#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <optional>

#include "clients/cli/at_option.hpp"
#include "clients/cli/failure.hpp"
#include "clients/cli/media_path.hpp"
#include "clients/cli/number_option.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/table.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {
namespace {

struct QueueOptions {
  std::string node;
  std::vector<std::string> files;
  std::vector<std::string> items;
  std::string before;
  std::string after;
  bool all = false;
  std::optional<std::int64_t> in_frame;
  std::optional<std::int64_t> out_frame;
  std::optional<std::uint32_t> loops;
  std::optional<double> gain_db;
  std::optional<double> fade_in_ms;
  std::optional<double> fade_out_ms;
  std::string curve;
  std::optional<double> crossfade_ms;
  std::string crossfade_curve;
  int count = 1;
};
using Options = std::shared_ptr<QueueOptions>;

/// Numbers as `queue list` shows them become uids: once, for all of a command.
class Items {
 public:
  Items(Context& context, std::string node) : context_(context), node_(std::move(node)) {}

  void put(const std::string& text, v1::QueueRef& ref) {
    if (text == "current") return ref.set_current(true);
    std::size_t number = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (status != std::errc{} || end != text.data() + text.size() || number == 0)
      throw Failure(kUsage, "USAGE", "ITEM", "'" + text + "' is no item: give its number in the queue, or 'current'");
    if (!known_) queue_ = context_.connection().list_params(node_), known_ = true;
    if (number > static_cast<std::size_t>(queue_.queue_size()))
      throw Failure(kNoInput, "UNKNOWN_ITEM", node_, format("the queue has %d items", queue_.queue_size()));
    ref.set_uid(queue_.queue(static_cast<int>(number) - 1).uid());
  }
  template <class Operation>
  void put_place(const QueueOptions& options, Operation& operation) {
    if (!options.before.empty()) put(options.before, *operation.mutable_before());
    if (!options.after.empty()) put(options.after, *operation.mutable_after());
  }

 private:
  Context& context_;
  std::string node_;
  v1::ListParamsResponse queue_;
  bool known_ = false;
};

void put_values(const QueueOptions& options, v1::QueueItem& item) {
  if (options.in_frame) item.set_in_frame(*options.in_frame);
  if (options.out_frame) item.set_out_frame(*options.out_frame);
  if (options.loops) item.set_loops(*options.loops);
  if (options.gain_db) item.set_gain_db(*options.gain_db);
  if (options.fade_in_ms) item.set_fade_in_ms(*options.fade_in_ms);
  if (options.fade_out_ms) item.set_fade_out_ms(*options.fade_out_ms);
  item.set_fade_in_curve(options.curve);
  item.set_fade_out_curve(options.curve);
  if (options.crossfade_ms) item.set_crossfade_ms(*options.crossfade_ms);
  item.set_crossfade_curve(options.crossfade_curve);
}

int list(Context& context, const QueueOptions& options) {
  const v1::ListParamsResponse params = context.connection().list_params(options.node);
  const v1::GetStatusResponse status = context.connection().status();
  if (context.json) {
    for (const v1::QueueItem& item : params.queue()) tell_json(context, item);
    return kOk;
  }
  const double rate = status.clock().engine_rate_hz();
  std::uint64_t current = 0;
  std::string place;
  for (const auto& player : status.players()) {
    if (player.path() != options.node) continue;
    current = player.item_uid();
    place = time_text(player.item_position_frame(), rate);
    if (player.has_item_frames()) place += " / " + time_text(player.item_frames(), rate);
    if (!player.rolling()) place += " (stopped)";
  }
  Table table({">#", "FILE", ">IN", ">OUT", ">LOOPS", ">GAIN", ">CROSSFADE", "NOW"});
  int number = 0;
  for (const v1::QueueItem& item : params.queue()) {
    table.add({format("%d", ++number), printable(item.file()), format("%lld", static_cast<long long>(item.in_frame())),
               item.has_out_frame() ? format("%lld", static_cast<long long>(item.out_frame())) : "",
               !item.has_loops()   ? "1"
               : item.loops() == 0 ? "for ever"
                                   : format("%u", item.loops()),
               format("%.1f", item.gain_db()), item.crossfade_ms() == 0.0 ? "" : format("%.1f ms", item.crossfade_ms()),
               item.uid() == current ? place : ""});
  }
  table.print();
  return kOk;
}

v1::ApplyRequest add_request(Context& context, const QueueOptions& options) {
  v1::ApplyRequest request;
  v1::QueueInsert& insert = *request.add_operations()->mutable_queue_insert();
  insert.set_path(options.node);
  for (const std::string& file : options.files) {
    v1::QueueItem& item = *insert.add_items();
    item.set_file(local_value(context, "file", file).string_value());
    put_values(options, item);
  }
  Items(context, options.node).put_place(options, insert);
  return request;
}

v1::ApplyRequest remove_request(Context& context, const QueueOptions& options) {
  v1::ApplyRequest request;
  v1::QueueRemove& remove = *request.add_operations()->mutable_queue_remove();
  remove.set_path(options.node);
  remove.set_all(options.all);
  Items items(context, options.node);
  for (const std::string& item : options.items) items.put(item, *remove.add_items());
  return request;
}

v1::ApplyRequest move_request(Context& context, const QueueOptions& options) {
  v1::ApplyRequest request;
  v1::QueueMove& move = *request.add_operations()->mutable_queue_move();
  move.set_path(options.node);
  Items items(context, options.node);
  items.put(options.items.at(0), *move.mutable_item());
  items.put_place(options, move);
  return request;
}

v1::ApplyRequest set_request(Context& context, const QueueOptions& options) {
  v1::ApplyRequest request;
  v1::QueueSet& set = *request.add_operations()->mutable_queue_set();
  set.set_path(options.node);
  Items(context, options.node).put(options.items.at(0), *set.mutable_item());
  put_values(options, *set.mutable_values());
  if (!options.files.empty())
    set.mutable_values()->set_file(local_value(context, "file", options.files.at(0)).string_value());
  return request;
}

v1::ApplyRequest skip_request(const QueueOptions& options, int direction) {
  v1::ApplyRequest request;
  v1::Skip& skip = *request.add_operations()->mutable_skip();
  skip.set_path(options.node);
  skip.set_by(direction * options.count);
  return request;
}

void add_value_options(CLI::App* command, const Options& options) {
  constexpr auto kMostFrame = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  command->add_option("--in", options->in_frame, "First frame that is heard, at the file's own rate")
      ->check(whole_number(0, kMostFrame));
  command->add_option("--out", options->out_frame, "Behind the last frame that is heard; else the file's end")
      ->check(whole_number(0, kMostFrame));
  command->add_option("--loops", options->loops, "How often; 0: for ever");
  command->add_option("--gain", options->gain_db, "dB")->check(finite_number());
  command->add_option("--fade-in", options->fade_in_ms, "Milliseconds")->check(finite_number());
  command->add_option("--fade-out", options->fade_out_ms, "Milliseconds")->check(finite_number());
  command->add_option("--curve", options->curve, "Of the fades: linear or equal_power");
  command->add_option("--crossfade", options->crossfade_ms, "Milliseconds, with the item before it")
      ->check(finite_number());
  command->add_option("--crossfade-curve", options->crossfade_curve, "linear or equal_power");
}

void add_place_options(CLI::App* command, const Options& options) {
  auto* before = command->add_option("--before", options->before, "Before this item: its number, or 'current'");
  command->add_option("--after", options->after, "After this item; neither: at the end")->excludes(before);
}

/// `make` gives the transaction.
template <class Make>
void run_transaction(CLI::App* command, Context& context, const Options& options, const char* said, Make make) {
  command->add_option("NODE", options->node, "The player, as in vox/player")->required();
  const AtOption at = AtOption::of(command);
  command->callback([&context, options, at, said, make] {
    context.run = [&context, options, at, said, make] {
      v1::ApplyRequest request = make(context, *options);
      at.put_into(context, request);
      apply_and_tell(context, request, said);
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace

void add_queue_commands(CLI::App& app, Context& context) {
  CLI::App* queue = app.add_subcommand("queue", "What a player plays, one after the other without a gap");
  queue->require_subcommand(1);

  auto options = std::make_shared<QueueOptions>();
  CLI::App* command = queue->add_subcommand("list", "The items, and which one is heard");
  command->add_option("NODE", options->node, "The player, as in vox/player")->required();
  command->callback([&context, options] { context.run = [&context, options] { return list(context, *options); }; });

  options = std::make_shared<QueueOptions>();
  command = queue->add_subcommand("add", "Files into the queue");
  run_transaction(command, context, options, "queued", add_request);
  command->add_option("FILES", options->files, "Audio files")->required();
  add_value_options(command, options);
  add_place_options(command, options);

  options = std::make_shared<QueueOptions>();
  command = queue->add_subcommand("remove", "Items out of the queue; the one that plays gives way to the next");
  run_transaction(command, context, options, "removed", remove_request);
  command->add_option("ITEMS", options->items, "Their numbers, or 'current'");
  command->add_flag("--all", options->all, "All of them");

  options = std::make_shared<QueueOptions>();
  command = queue->add_subcommand("move", "An item to another place in the queue");
  run_transaction(command, context, options, "moved", move_request);
  command->add_option("ITEM", options->items, "Its number, or 'current'")->required()->expected(1);
  add_place_options(command, options);

  options = std::make_shared<QueueOptions>();
  command = queue->add_subcommand("set", "Change an item");
  run_transaction(command, context, options, "set", set_request);
  command->add_option("ITEM", options->items, "Its number, or 'current'")->required()->expected(1);
  command->add_option("--file", options->files, "Another file")->expected(1);
  add_value_options(command, options);

  options = std::make_shared<QueueOptions>();
  command = app.add_subcommand("next", "Go to the next item of a free player's queue");
  run_transaction(command, context, options, "next",
                  [](Context&, const QueueOptions& given) { return skip_request(given, 1); });
  command->add_option("COUNT", options->count, "So many items on; else 1")->check(CLI::Range(0, 1000));

  options = std::make_shared<QueueOptions>();
  command = app.add_subcommand("previous", "Go back to the item before; 0: to this one's beginning");
  run_transaction(command, context, options, "previous",
                  [](Context&, const QueueOptions& given) { return skip_request(given, -1); });
  command->add_option("COUNT", options->count, "So many items back; else 1")->check(CLI::Range(0, 1000));
}

}  // namespace continuo::cli
