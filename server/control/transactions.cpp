#include "server/control/transactions.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/timer.hpp"
#include "server/control/transaction.hpp"

namespace continuo::control {
namespace {

Error bad(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

}  // namespace

Result<> check_request(const v1::ApplyRequest& request) {
  if (request.operations_size() < 1)
    return bad("MISSING_FIELD", "operations", "a transaction has at least one operation");
  if (request.operations_size() > Transactions::kMaxOperations) {
    return bad("TOO_MANY", "operations",
               "a transaction has at most " + std::to_string(Transactions::kMaxOperations) + " operations, not " +
                   std::to_string(request.operations_size()));
  }
  if (request.request_id().size() > 64) return bad("TOO_LONG", "request_id", "request_id has at most 64 characters");
  if (request.client().size() > 800) return bad("TOO_LONG", "client", "client has at most 200 characters");
  if (request.has_wait() && request.wait() != v1::WAIT_COMMITTED && request.wait() != v1::WAIT_APPLIED) {
    return bad("UNKNOWN_ENUM", "wait", "wait is WAIT_COMMITTED or WAIT_APPLIED");
  }
  if (!request.has_when()) return {};
  switch (request.when().kind_case()) {
    case v1::When::kNow:
      return {};
    case v1::When::KIND_NOT_SET:
      return bad("MISSING_FIELD", "when", "the time is empty, or from a newer version");
    case v1::When::kAfterSeconds:
      if (std::isfinite(request.when().after_seconds()) && request.when().after_seconds() >= 0.0) return {};
      return bad("OUT_OF_RANGE", "when.after_seconds", "after_seconds must be 0 or more");
    case v1::When::kEngineFrame:
      if (request.when().engine_frame().frame() >= 0) return {};
      return bad("OUT_OF_RANGE", "when.engine_frame.frame", "frame must be 0 or more");
    default:
      break;
  }
  return make_error(ErrorKind::unimplemented, "WHEN_NOT_SUPPORTED", "when",
                    "this version applies transactions now, after some seconds, or at an engine frame");
}

void Transactions::apply(v1::ApplyRequest request, Done done) {
  if (const Result<> checked = check_request(request); !checked) return done(checked.error());
  if (!request.request_id().empty()) {
    const auto known = log_.find(request);
    if (!known) return done(known.error());
    if (*known) return wait_for(*known, request, std::move(done));
  }
  auto tx = std::make_shared<Transaction>();
  tx->outcome = std::make_shared<Outcome>();
  tx->request = std::move(request);
  if (!tx->request.request_id().empty()) log_.add(tx->request, tx->outcome);
  open_.insert(tx);
  const bool taken = parts_.jobs.try_add([this, tx](JobQueue::Finish finish) {
    tx->finish = std::move(finish);
    begin(tx);
  });
  if (!taken) {
    open_.erase(tx);
    if (!tx->request.request_id().empty()) log_.forget(tx->request.request_id());
    return done(make_error(ErrorKind::resource_exhausted, "TOO_MANY_TRANSACTIONS", "operations",
                           std::to_string(JobQueue::kMaxWaiting) + " transactions wait in line already: try again"));
  }
  wait_for(tx->outcome, tx->request, std::move(done));
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
  const v1::Revision& now = parts_.history.revision();
  if (request.has_expected_revision() &&
      (request.expected_revision().epoch() != now.epoch() || request.expected_revision().number() != now.number())) {
    return refuse(tx, make_error(ErrorKind::aborted, "REVISION_CHANGED", "expected_revision",
                                 "the session is at revision " + std::to_string(now.number()) +
                                     (request.expected_revision().epoch() == now.epoch() ? "" : " of another epoch") +
                                     ": read it again"));
  }
  auto document = std::make_shared<session::Document>(*parts_.graph.document());
  auto edited = session::apply_operations(*document, request.operations(), [this] { return parts_.uids.next(); });
  if (!edited) return refuse(tx, edited.error());
  tx->edit = std::move(*edited);
  tx->document = document;
  if (const Result<> read = read_transport(*tx); !read) return refuse(tx, read.error());
  if (request.has_when() && !request.when().has_now()) {
    const auto frame = parts_.scheduled.frame_of(request.when(), parts_.generation());
    if (!frame) return refuse(tx, frame.error());
    if (*frame) return hold(tx, **frame);
  }
  if (tx->edit.structural) {
    if (const Result<> whole = parts_.scheduled.check(*document); !whole) return refuse(tx, whole.error());
  }
  std::set<std::string> named;
  if (tx->edit.structural) {
    tx->files = files_of(*document);
    const std::set<std::string> before = files_of(*parts_.graph.document());
    std::ranges::set_difference(tx->files, before, std::inserter(named, named.end()));
  }
  parts_.media.probe(named, parts_.media.base(), [this, tx](MediaCache::Found found) { probed(tx, std::move(found)); });
}

void Transactions::hold(const Ptr& tx, rt::FrameCount frame) {
  const Delta& delta = tx->delta;
  const bool plain = !tx->edit.structural && tx->orders.empty() && delta.stop_takes.empty() && !delta.locate &&
                     delta.play.empty() && delta.stop.empty();
  if (!plain) {
    return refuse(
        tx, make_error(ErrorKind::unimplemented, "WHEN_NOT_SUPPORTED", "when",
                       "this version schedules parameter values, labels, and the timeline's start and stop alone"));
  }
  if (!parts_.scheduled.room()) {
    return refuse(tx,
                  make_error(ErrorKind::resource_exhausted, "TOO_MANY_SCHEDULED", "when",
                             "at most " + std::to_string(Scheduled::kMaxHeld) + " transactions are scheduled at once"));
  }
  if (tx->request.dry_run()) return probed(tx, {});
  open_.erase(tx);
  tx->id = next_id_++;
  tx->finish();
  parts_.scheduled.add(tx->id, frame, tx->request, tx->outcome);
}

void Transactions::probed(const Ptr& tx, MediaCache::Found found) {
  if (!found.errors.empty()) {
    const auto& [file, why] = *found.errors.begin();
    Error error = why;
    error.field = field_of_file(tx->request, file);
    return refuse(tx, std::move(error));
  }
  tx->found = std::move(found);
  if (tx->edit.structural) {
    session::MediaTable media = parts_.media.table();
    media.insert(tx->found.facts.begin(), tx->found.facts.end());
    // A loaded session may have some already: then they are known, and refuse nothing.
    std::set<std::string> before;
    for (const auto& bad : session::check_impulses(*parts_.graph.document(), media)) before.insert(bad.file);
    for (session::BadImpulse& bad : session::check_impulses(*tx->document, media)) {
      if (before.contains(bad.file)) continue;
      bad.error.field = field_of_file(tx->request, bad.file);
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
  }
  if (tx->request.dry_run()) {
    tx->outcome->response.set_outcome(v1::ApplyResponse::OUTCOME_VALID);
    *tx->outcome->response.mutable_revision() = parts_.history.revision();
    tx->outcome->known = tx->outcome->final = true;
    open_.erase(tx);
    tx->finish();
    return tx->outcome->changed();
  }
  if (!parts_.link.room()) {
    return refuse(tx, make_error(ErrorKind::resource_exhausted, "SOUND_STANDS_STILL", "",
                                 "the sound device has not taken the last " + std::to_string(AudioLink::kMaxBatches) +
                                     " transactions: try again when it runs"));
  }
  if (tx->orders.empty()) return opened(tx, std::vector<Takes::Opened>{});
  parts_.takes.open(tx->orders, parts_.graph.shape().sample_rate_hz,
                    [this, tx](Result<std::vector<Takes::Opened>> takes) { opened(tx, std::move(takes)); });
}

void Transactions::opened(const Ptr& tx, Result<std::vector<Takes::Opened>> takes) {
  if (!takes) {
    Error error = takes.error();
    error.field = tx->order_field;
    return refuse(tx, std::move(error));
  }
  // Nothing can fail from here on.
  Delta& delta = tx->delta;
  delta.document = tx->document;
  delta.params = std::move(tx->edit.params);
  delta.compile = tx->edit.structural;
  delta.takes = std::move(*takes);
  for (const Takes::Opened& take : delta.takes) {
    tx->names.push_back(take.name);
    const session::DocNode* node = session::find_node(*tx->document, take.order.node);
    if (node == nullptr || node->type == "recorder") continue;
    delta.compile |= parts_.graph.taps.insert(take.order.node).second;
  }
  name_files(tx->edit.accepted, delta.takes);
  if (tx->edit.structural) parts_.media.keep(tx->files, tx->found);
  tx->id = next_id_++;
  parts_.delivery.deliver(
      std::move(delta), [this, tx](std::vector<std::string> stopped) { commit(tx, stopped); },
      [this, tx](AudioLink::Fate fate, rt::FrameCount frame) { applied(tx, fate, frame); });
}

void Transactions::commit(const Ptr& tx, const std::vector<std::string>& stopped) {
  if (tx->edit.changed) parts_.graph.set_document(tx->document);
  v1::Change change;
  change.set_transaction_id(tx->id);
  for (v1::Operation& operation : tx->edit.accepted) *change.add_operations() = std::move(operation);
  tx->edit.accepted.clear();
  change.mutable_origin()->set_client(tx->request.client());
  change.mutable_origin()->set_utc(utc_now());
  v1::ApplyResponse& response = tx->outcome->response;
  *response.mutable_revision() = parts_.history.commit(tx->edit.changed, std::move(change));
  response.set_outcome(v1::ApplyResponse::OUTCOME_COMMITTED);
  response.set_transaction_id(tx->id);
  for (const std::string& name : tx->names) response.add_takes(name);
  for (const std::string& name : stopped) response.add_takes(name);
  tx->outcome->known = true;
  if (tx->edit.changed) parts_.changed();
  tx->finish();
  tx->request.clear_operations();
  tx->outcome->changed();
}

void Transactions::applied(const Ptr& tx, AudioLink::Fate fate, rt::FrameCount frame) {
  Outcome& outcome = *tx->outcome;
  outcome.final = true;
  open_.erase(tx);
  if (fate == AudioLink::Fate::applied) {
    outcome.response.set_outcome(v1::ApplyResponse::OUTCOME_APPLIED);
    outcome.response.set_engine_frame(frame);
    parts_.history.applied(tx->id, frame);
  } else if (fate == AudioLink::Fate::refused) {
    log::error("transaction {}: the audio thread's schedule was full", tx->id);
  }
  outcome.changed();
}

void Transactions::refuse(const Ptr& tx, Error error) {
  Outcome& outcome = *tx->outcome;
  outcome.known = outcome.final = true;
  open_.erase(tx);
  if (tx->request.dry_run()) {
    outcome.response.set_outcome(v1::ApplyResponse::OUTCOME_INVALID);
    *outcome.response.mutable_revision() = parts_.history.revision();
    auto* problem = outcome.response.add_problems();
    problem->set_field(error.field);
    problem->set_reason(error.reason);
    problem->set_message(error.message);
  } else {
    const bool passes = error.kind == ErrorKind::resource_exhausted || error.kind == ErrorKind::unavailable ||
                        error.kind == ErrorKind::internal;
    if (passes && !tx->request.request_id().empty()) log_.forget(tx->request.request_id());
    outcome.error = std::move(error);
  }
  tx->finish();
  outcome.changed();
}

}  // namespace continuo::control
