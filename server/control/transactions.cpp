#include "server/control/transactions.hpp"

#include <algorithm>
#include <utility>

#include "server/control/missing_channels.hpp"
#include "server/control/take_order.hpp"
#include "server/control/text_check.hpp"
#include "server/control/transaction.hpp"
#include "server/session/warnings.hpp"

namespace continuo::control {
namespace {

Error too_long_a_line() {
  return make_error(ErrorKind::resource_exhausted, "TOO_MANY_TRANSACTIONS", "operations",
                    std::to_string(JobQueue::kMaxWaiting) + " transactions wait in line already: try again");
}

/// An edit that could take away what a scheduled one rests on. Values, labels and the transport cannot.
bool may_break(const v1::ApplyRequest& request, const session::EditResult& edit) {
  if (edit.structural) return true;
  return std::ranges::any_of(request.operations(), [](const v1::Operation& operation) {
    switch (operation.kind_case()) {
      case v1::Operation::kSetParams:
      case v1::Operation::kSetLabel:
      case v1::Operation::kPlay:
      case v1::Operation::kStop:
      case v1::Operation::kLocate:
      case v1::Operation::kRecordStart:
      case v1::Operation::kRecordStop:
      case v1::Operation::kSkip:
      case v1::Operation::kCueNext:
        return false;
      default:
        return true;
    }
  });
}

/// Of nodes, and nothing else.
bool only_values(const session::Operations& operations) {
  return std::ranges::all_of(operations, [](const v1::Operation& operation) {
    return operation.has_set_params() || operation.has_set_label();
  });
}

}  // namespace

Transactions::Transactions(Parts parts) : parts_(std::move(parts)), log_(parts_.utc_ns) {
  parts_.scheduled.on_due([this](const Scheduled::Ptr& entry, rt::FrameCount frame, JobQueue::Finish finish) {
    fall_due(entry, frame, std::move(finish));
  });
}

void Transactions::apply(v1::ApplyRequest request, Done done, std::string identity, bool own) {
  if (const Result<> checked = check_request(request); !checked) return done(checked.error());
  enter(std::move(request), std::move(done), std::move(identity), own, nullptr);
}

void Transactions::enter(v1::ApplyRequest request, Done done, std::string identity, bool own,
                         std::shared_ptr<TakeBack> back) {
  if (!request.request_id().empty()) {
    const auto known = log_.find(identity, request);
    if (!known) return done(known.error());
    if (*known) return wait_for(*known, request, std::move(done));
  }
  auto tx = std::make_shared<Transaction>();
  tx->back = std::move(back);
  tx->outcome = std::make_shared<Outcome>();
  tx->outcome->identity = std::move(identity);
  tx->request = std::move(request);
  tx->own = own;
  tx->in_time = parts_.scheduled.check_not_past(tx->request.when());
  if (!tx->request.request_id().empty()) log_.add(tx->request, tx->outcome);
  open_.insert(tx);
  tx->urgent = parts_.cues.armed(tx->request);
  const JobQueue::Job job = [this, tx](JobQueue::Finish finish) {
    tx->finish = std::move(finish);
    begin(tx);
  };
  const bool taken = tx->urgent ? parts_.jobs.try_add_urgent(job) : parts_.jobs.try_add(job);
  if (!taken) {
    open_.erase(tx);
    if (!tx->request.request_id().empty()) log_.forget(tx->outcome->identity, tx->request.request_id());
    return done(too_long_a_line());
  }
  wait_for(tx->outcome, tx->request, std::move(done));
}

void Transactions::cancel(const v1::CancelScheduledRequest& request, const Scheduled::Allowed& allowed,
                          std::function<void(Result<v1::CancelScheduledResponse>)> done, const std::string& identity) {
  if (const Result<> client = check_text(request.client(), "client"); !client) return done(client.error());
  if (const Result<> tokens = check_tokens(request.leases()); !tokens) return done(tokens.error());
  const bool taken = parts_.jobs.try_add([this, request, allowed, done, identity](const JobQueue::Finish& finish) {
    const auto may = [&](const v1::ApplyRequest& scheduled) {
      const Result<> role = allowed(scheduled);
      return role ? check_leases(scheduled, request.leases()) : role;
    };
    const Result<> cancelled = parts_.scheduled.cancel(request, may, identity);
    finish();
    if (!cancelled) return done(cancelled.error());
    done(v1::CancelScheduledResponse{});
  });
  if (!taken) done(too_long_a_line());
}

void Transactions::close() {
  for (const Ptr& tx : std::exchange(open_, {})) {
    if (!tx->outcome->known)
      tx->outcome->error = make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending");
    tx->outcome->known = tx->outcome->final = true;  // committed: that stays true
    tx->outcome->changed();
  }
}

void Transactions::begin(const Ptr& tx) {
  const v1::ApplyRequest& request = tx->request;
  if (!tx->in_time) return refuse(tx, tx->in_time.error());
  const v1::Revision& now = parts_.history.revision();
  if (request.has_expected_revision()) {
    if (const Result<> same = node_revisions_.check(request.expected_revision(), now); !same)
      return refuse(tx, same.error());
  }
  if (const Result<> same = node_revisions_.check_nodes(request, *parts_.graph.document(), now); !same)
    return refuse(tx, same.error());
  if (request.has_when() && tx->entry == nullptr) {
    auto due = parts_.scheduled.due_of(request.when());
    if (!due) return refuse(tx, due.error());
    tx->due = *due;
  }
  if (tx->due) {
    if (const Result<> room = parts_.scheduled.room_for(request); !room) return refuse(tx, room.error());
  }
  tx->before = tx->due ? parts_.scheduled.document_before(*tx->due) : parts_.graph.document();
  if (tx->back) {
    if (const Result<> found = find_inverse(*tx); !found) return refuse(tx, found.error());
  }
  const auto resolved = parts_.cues.resolve(request.operations(), tx->due.has_value());
  if (!resolved) return refuse(tx, resolved.error());
  tx->expanded = session::expand_cues(*tx->before, *resolved);
  auto document = std::make_shared<session::Document>(*tx->before);
  // One that is held gets its uids when it falls due.
  const session::UidSource scratch = [next = rt::Uid{1} << 52]() mutable { return --next; };
  const session::UidSource given = [this] { return parts_.uids.next(); };
  auto edited = tx->due ? session::apply_operations(*document, tx->expanded.operations, scratch)
                        : session::apply_operations(*document, with_current(*tx), given,
                                                    tx->back ? session::EditMode::restore : session::EditMode::client);
  if (!edited) return refuse(tx, tx->back ? not_any_more(edited.error()) : edited.error());
  tx->edit = std::move(*edited);
  tx->document = document;
  if (const Result<> free = check_leases(*tx); !free) return refuse(tx, free.error());
  if (const Result<> read = read_transport(*tx); !read) return refuse(tx, read.error());
  if (!tx->entry && may_break(request, tx->edit)) {
    const Result<> whole = parts_.scheduled.check(*document, tx->due ? &*tx->due : nullptr);
    if (!whole) return refuse(tx, whole.error());
  }
  tx->touches_cues = tx->edit.structural || tx->edit.cues || !only_values(tx->expanded.operations);
  std::set<std::string> named;
  if (tx->edit.structural || tx->edit.cues) {
    tx->files = files_of(*document);
    const std::set<std::string> before = files_of(*tx->before);
    std::ranges::set_difference(tx->files, before, std::inserter(named, named.end()));
    std::erase_if(named, [&](const std::string& file) { return tx->looked_at.facts.contains(file); });
  }
  if (named.empty()) return probed(tx, tx->looked_at);
  const auto keep = [tx](MediaCache::Found found) {
    tx->looked_at.facts.merge(found.facts);
    tx->looked_at.cut_off.merge(found.cut_off);
    found.facts = tx->looked_at.facts;
    found.cut_off = tx->looked_at.cut_off;
    return found;
  };
  wait_aside<MediaCache::Found>(
      tx,
      [this, named, base = parts_.media.base()](std::function<void(MediaCache::Found)> done) {
        parts_.media.probe(named, base, std::move(done));
      },
      [this, tx, keep](MediaCache::Found found) { probed(tx, keep(std::move(found))); }, keep);
}

void Transactions::hold(const Ptr& tx) {
  open_.erase(tx);
  tx->id = parts_.ids.next();
  tx->finish();
  parts_.scheduled.add(tx->id, *tx->due, tx->request, tx->outcome);
}

void Transactions::fall_due(const Scheduled::Ptr& entry, rt::FrameCount frame, JobQueue::Finish finish) {
  if (!parts_.link.room()) {  // the device stands still
    parts_.scheduled.put_back(entry);
    return finish();
  }
  auto tx = std::make_shared<Transaction>();
  tx->request = entry->request;
  tx->request.clear_expected_revision();  // it was, when it was accepted
  tx->request.clear_expected_nodes();
  tx->outcome = entry->outcome;
  tx->finish = std::move(finish);
  tx->id = entry->id;
  tx->entry = entry;
  tx->urgent = true;
  tx->frame = frame;
  open_.insert(tx);
  begin(tx);
}

void Transactions::warn(const Ptr& tx) {
  auto& warnings = *tx->outcome->response.mutable_warnings();
  warnings.Clear();  // one that falls due is judged by the device of then
  std::vector<std::string> lines;
  if (tx->edit.structural) {
    lines = missing_channels(*tx->document, parts_.graph.shape(), tx->before.get());
    for (std::string& line : session::broken_cues(*tx->before, *tx->document, kMaxWarnings))
      lines.push_back(std::move(line));
  }
  if (tx->edit.structural || tx->edit.cues) {
    session::MediaTable media = parts_.media.table();
    for (const auto& one : tx->found.facts) media.insert_or_assign(one.first, one.second);
    for (std::string& line : session::items_beyond_file(*tx->before, *tx->document, media, kMaxWarnings))
      lines.push_back(std::move(line));
  }
  for (const auto& [file, line] : tx->found.cut_off) lines.push_back(line);
  if (lines.size() > kMaxWarnings) lines.resize(kMaxWarnings);
  for (std::string& line : lines) *warnings.Add() = std::move(line);
}

void Transactions::probed(const Ptr& tx, MediaCache::Found found) {
  if (!found.errors.empty()) {
    const auto& [file, why] = *found.errors.begin();
    Error error = why;
    error.field = field_of_file(tx->expanded.operations, file);
    return refuse(tx, std::move(error));
  }
  tx->found = std::move(found);
  if (tx->edit.structural) {
    session::MediaTable media = parts_.media.table();
    media.insert(tx->found.facts.begin(), tx->found.facts.end());
    // A loaded session may have some already: then they are known, and refuse nothing.
    std::set<std::string> before;
    for (const auto& bad : session::check_impulses(*tx->before, media)) before.insert(bad.file);
    for (session::BadImpulse& bad : session::check_impulses(*tx->document, media)) {
      if (before.contains(bad.file)) continue;
      bad.error.field = field_of_file(tx->expanded.operations, bad.file);
      return refuse(tx, std::move(bad.error));
    }
  }
  if (!tx->orders.empty()) {
    // What will be recorded must be known before anything is changed: a file that cannot be made refuses the whole.
    std::set<std::string> taps = parts_.graph.taps;
    for (const Takes::Order& order : tx->orders) taps.insert(order.node);
    session::MediaTable media = parts_.media.table();
    media.insert(tx->found.facts.begin(), tx->found.facts.end());
    for (const auto& recorder : parts_.graph.recorders_of(*tx->document, media, taps)) {
      for (Takes::Order& order : tx->orders) {
        if (order.node == recorder.path) order.channels = recorder.channels;
      }
    }
    for (const Takes::Order& order : tx->orders) {
      if (order.channels != 0) continue;
      return refuse(tx, make_error(ErrorKind::failed_precondition, "NO_CHANNELS", tx->order_field,
                                   "\"" + order.node + "\" has no channels: nothing to record"));
    }
    for (const Takes::Order& order : tx->orders) {
      if (const Result<> possible = check_take_files(order, parts_.graph.shape().sample_rate_hz); !possible)
        return refuse(tx, possible.error());
    }
  }
  if ((tx->due || tx->request.dry_run()) && !std::exchange(tx->files_checked, true)) {
    return parts_.takes.check(tx->orders, [this, tx, found = tx->found](const Result<>& free) {
      if (free) return probed(tx, found);
      Error error = free.error();
      error.field = tx->order_field;
      refuse(tx, std::move(error));
    });
  }
  warn(tx);
  if (tx->request.dry_run()) {
    tx->outcome->response.set_outcome(v1::ApplyResponse::OUTCOME_VALID);
    *tx->outcome->response.mutable_revision() = parts_.history.revision();
    tx->outcome->known = tx->outcome->final = true;
    open_.erase(tx);
    tx->finish();
    return tx->outcome->changed();
  }
  if (tx->due) return hold(tx);
  if (!parts_.link.room() && !tx->entry) {
    return refuse(tx, make_error(ErrorKind::resource_exhausted, "SOUND_STANDS_STILL", "",
                                 "the sound device has not taken the last " + std::to_string(AudioLink::kMaxBatches) +
                                     " transactions: try again when it runs"));
  }
  open_streams(tx, [this, tx] { open_takes(tx); });
}

}  // namespace continuo::control
