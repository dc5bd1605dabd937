// What a transaction waits for on the disk while it can still fail, and who may come before it meanwhile.
#include <algorithm>
#include <tuple>
#include <utility>

#include "server/control/ahead.hpp"
#include "server/control/timer.hpp"
#include "server/control/transaction.hpp"

namespace continuo::control {
namespace {

/// They lead to the same files.
bool same(const Takes::Order& a, const Takes::Order& b) {
  const auto all = [](const Takes::Order& o) {
    return std::tie(o.node, o.file, o.channels, o.format, o.limit, o.split, o.container, o.split_seconds, o.split_bytes,
                    o.file_template, o.session, o.stop_timeline_frame, o.second_root, o.next_free_name, o.second_must);
  };
  return all(a) == all(b);
}

}  // namespace

void Transactions::begin_again(const Ptr& tx) {
  tx->expanded = {};
  tx->due.reset();
  tx->edit = {};
  tx->delta = {};
  tx->files.clear();
  tx->orders.clear();
  tx->files_checked = tx->stops_takes = tx->touches_cues = false;
  begin(tx);
}

void Transactions::open_streams(const Ptr& tx, std::function<void()> then) {
  // Else nobody would pass.
  if (tx->urgent || (!parts_.cues.armed() && parts_.scheduled.held() == 0)) return then();
  session::MediaTable media = parts_.media.table();
  for (const auto& one : tx->found.facts) media.insert_or_assign(one.first, one.second);
  auto keys = streams_ahead(*tx->document, tx->delta, media, parts_.media.base(), parts_.graph, parts_.sources,
                            parts_.transport);
  if (keys.empty()) return then();
  StandIns& ahead = parts_.sources.ahead();
  wait_aside<bool>(
      tx,
      [this, &ahead, &keys](const std::function<void(bool)>& done) {
        struct Waiting {
          explicit Waiting(Strand& strand) : patience(strand) {}
          std::function<void(bool)> done;
          Timer patience;
        };
        const auto waiting = std::make_shared<Waiting>(parts_.strand);
        waiting->done = done;
        const auto end = [waiting](bool in_time) {
          waiting->patience.cancel();
          if (const auto call = std::exchange(waiting->done, nullptr)) call(in_time);
        };
        waiting->patience.after(Sources::kPatience, [end] { end(false); });
        const auto look = [&ahead, end] {
          if (ahead.landed()) end(true);
        };
        ahead.keep(std::move(keys), look);
        look();
      },
      [tx, then = std::move(then)](bool in_time) {
        if (!in_time) tx->delta.patience = {};
        then();
      });
}

void Transactions::open_takes(const Ptr& tx) {
  using Opened = Result<std::vector<Takes::Opened>>;
  if (tx->orders.empty()) return opened(tx, std::vector<Takes::Opened>{});
  const double rate_hz = parts_.graph.shape().sample_rate_hz;
  if (!tx->taken.empty()) {
    if (tx->taken.front().rate_hz == rate_hz && std::ranges::equal(tx->orders, tx->taken_orders, same))
      return opened(tx, std::exchange(tx->taken, {}));
    parts_.takes.discard(std::exchange(tx->taken, {}));
  }
  wait_aside<Opened>(
      tx,
      [this, tx, rate_hz](std::function<void(Opened)> done) {
        parts_.takes.open(tx->orders, rate_hz, std::move(done));
      },
      [this, tx](Opened takes) { opened(tx, std::move(takes)); },
      [tx](Opened takes) {
        if (!takes) return;  // it is tried again
        tx->taken_orders = tx->orders;
        tx->taken = std::move(*takes);
      });
}

}  // namespace continuo::control
