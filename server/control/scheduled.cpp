#include "server/control/scheduled.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/base/check.hpp"
#include "server/base/log.hpp"
#include "server/session/edit.hpp"

namespace continuo::control {
namespace {

constexpr auto kForEver = std::chrono::hours(24 * 365);
constexpr std::chrono::milliseconds kDropPatience{600};
constexpr double kLatestSeconds = 1e9;

/// Neither adds nodes nor connections, so it needs no uids.
Result<session::EditResult> edit(session::Document& document, const v1::ApplyRequest& request) {
  return session::apply_operations(document, request.operations(), []() -> rt::Uid {
    CONTINUO_CHECK(false, "a scheduled transaction makes no nodes");
    return 0;
  });
}

}  // namespace

Result<std::optional<rt::FrameCount>> Scheduled::frame_of(const v1::When& when, std::uint64_t generation) const {
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  std::optional<rt::FrameCount> frame;
  if (when.has_engine_frame()) {
    if (when.engine_frame().has_generation() && when.engine_frame().generation() != generation) {
      return make_error(ErrorKind::aborted, "CLOCK_CHANGED", "when.engine_frame.generation",
                        "the engine's clock is of generation " + std::to_string(generation) + ": read it again");
    }
    frame = when.engine_frame().frame();
  } else if (when.kind_case() == v1::When::kAfterSeconds) {
    const double seconds = std::min(when.after_seconds(), kLatestSeconds);
    frame = now + std::llround(seconds * parts_.graph.shape().sample_rate_hz);
  }
  if (frame && *frame <= now) frame.reset();
  return frame;
}

void Scheduled::add(std::uint64_t id, rt::FrameCount frame, const v1::ApplyRequest& request,
                    std::shared_ptr<Outcome> outcome) {
  auto entry = std::make_shared<Entry>(Entry{id, frame, request, std::move(outcome)});
  held_.push_back(entry);
  v1::ApplyResponse& response = entry->outcome->response;
  response.set_outcome(v1::ApplyResponse::OUTCOME_SCHEDULED);
  response.set_transaction_id(id);
  *response.mutable_revision() = parts_.history.revision();
  entry->outcome->known = true;
  const auto lead = static_cast<rt::FrameCount>(kLeadSeconds * parts_.graph.shape().sample_rate_hz);
  parts_.pump.at_frame(frame - lead, kForEver, [this, entry](bool) { send(entry); });
  entry->outcome->changed();
}

void Scheduled::send(const Ptr& entry) {
  if (std::ranges::find(held_, entry) == held_.end()) return;  // dropped
  session::Document scratch = *parts_.graph.document();
  const auto edited = edit(scratch, entry->request);
  if (!edited) {
    log::error("transaction {} cannot be applied any more: {}", entry->id, edited.error().message);
    return forget(entry);
  }
  AudioLink::Shipment shipment;
  shipment.frame = entry->frame;
  shipment.actions = parts_.graph.actions(edited->params);
  for (const v1::Operation& operation : entry->request.operations()) {
    rt::Action action;
    if (operation.has_play())
      action.kind = rt::Action::Kind::transport_start;
    else if (operation.has_stop())
      action.kind = rt::Action::Kind::transport_stop;
    else
      continue;
    shipment.actions.push_back(action);
  }
  entry->sent = true;
  parts_.link.send(std::move(shipment), [this, entry](AudioLink::Fate fate, rt::FrameCount frame) {
    if (fate == AudioLink::Fate::applied) return applied(entry, frame);
    if (fate == AudioLink::Fate::refused) log::error("transaction {}: the audio thread's schedule was full", entry->id);
    forget(entry);
  });
  parts_.pump.wake();
}

void Scheduled::applied(const Ptr& entry, rt::FrameCount frame) {
  for (const v1::Operation& operation : entry->request.operations()) {
    if (operation.has_play()) parts_.transport.set_rolling(true);
    if (operation.has_stop()) parts_.transport.set_rolling(false);
  }
  // In line with the others: one that is being prepared works on a copy of the document that must not be overtaken.
  parts_.jobs.add([this, entry, frame](JobQueue::Finish finish) {
    auto document = std::make_shared<session::Document>(*parts_.graph.document());
    const auto edited = edit(*document, entry->request);
    if (edited) {
      if (edited->changed) parts_.graph.set_document(document);
      v1::Change change;
      change.set_transaction_id(entry->id);
      for (const v1::Operation& operation : edited->accepted) *change.add_operations() = operation;
      change.mutable_origin()->set_client(entry->request.client());
      change.mutable_origin()->set_utc(utc_now());
      v1::ApplyResponse& response = entry->outcome->response;
      *response.mutable_revision() = parts_.history.commit(edited->changed, std::move(change));
      parts_.history.applied(entry->id, frame);
      response.set_outcome(v1::ApplyResponse::OUTCOME_APPLIED);
      response.set_engine_frame(frame);
      if (edited->changed) parts_.changed();
    } else {
      log::error("transaction {} sounded but is not in the session: {}", entry->id, edited.error().message);
    }
    forget(entry);
    finish();
  });
}

void Scheduled::forget(const Ptr& entry) {
  std::erase(held_, entry);
  entry->outcome->final = true;
  entry->outcome->changed();
}

Result<> Scheduled::check(const session::Document& document) const {
  if (held_.empty()) return {};
  session::Document scratch = document;
  for (const Ptr& entry : held_) {
    if (const auto edited = edit(scratch, entry->request); !edited) {
      return make_error(ErrorKind::failed_precondition, "BREAKS_SCHEDULED", "operations",
                        "transaction " + std::to_string(entry->id) +
                            " is scheduled and could not be applied any more: " + edited.error().message);
    }
  }
  return {};
}

void Scheduled::drop(std::function<void()> then) {
  rt::FrameCount last = rt::kNow;
  for (const Ptr& entry : std::vector(held_)) {
    if (entry->sent) {
      last = std::max(last, entry->frame);
      continue;
    }
    log::warning("transaction {} was scheduled for the session before: dropped", entry->id);
    forget(entry);
  }
  if (last == rt::kNow) return then();
  parts_.pump.at_frame(last + 1, kDropPatience, [then = std::move(then)](bool) { then(); });
}

}  // namespace continuo::control
