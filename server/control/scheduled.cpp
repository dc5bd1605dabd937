#include "server/control/scheduled.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "server/base/log.hpp"
#include "server/session/cue.hpp"

namespace continuo::control {
namespace {

constexpr double kLatestSeconds = 1e9;
constexpr double kUtcLookSeconds = 0.1;  // how old the engine's idea of the time may be

}  // namespace

bool needs_disk(const v1::ApplyRequest& request) {
  return std::ranges::any_of(request.operations(), [](const v1::Operation& operation) {
    switch (operation.kind_case()) {
      case v1::Operation::kSetParams:
        return std::ranges::any_of(operation.set_params().values(),
                                   [](const auto& value) { return value.second.has_string_value(); });
      case v1::Operation::kPlay:
        return !operation.play().players().empty();
      case v1::Operation::kAddNode:
      case v1::Operation::kLocate:
      case v1::Operation::kRecordStart:
      case v1::Operation::kQueueInsert:
      case v1::Operation::kQueueRemove:
      case v1::Operation::kQueueMove:
      case v1::Operation::kQueueSet:
      case v1::Operation::kSkip:
      case v1::Operation::kGo:
        return true;
      default:
        return false;
    }
  });
}

Scheduled::Scheduled(Parts parts) : parts_(std::move(parts)), rate_hz_(parts_.graph.shape().sample_rate_hz) {}

Moment Scheduled::moment() const {
  const rt::ClockReading reading = parts_.transport.reading();
  return {reading.engine_frame, reading.timeline_frame, reading.rolling != 0, parts_.utc_ns(),
          parts_.graph.shape().sample_rate_hz};
}

bool Scheduled::settled() const {
  return std::ranges::none_of(parts_.transport.changes(), [](const Transport::Change& change) {
    return !change.applied && change.frame == rt::kNow;
  });
}

rt::FrameCount Scheduled::lead(const Entry& entry) const {
  return static_cast<rt::FrameCount>(entry.lead_seconds * parts_.graph.shape().sample_rate_hz) +
         2 * static_cast<rt::FrameCount>(parts_.buffer_frames());
}

Result<> Scheduled::check_not_past(const v1::When& when) const {
  const Moment now = moment();
  const auto check = [](double seconds, const char* field) -> Result<> {
    if (seconds <= kMissedSeconds) return {};
    return make_error(ErrorKind::invalid_argument, "IN_THE_PAST", field,
                      "this time is " + std::to_string(std::llround(seconds)) + " s past; ask for now");
  };
  if (when.has_engine_frame()) {
    const v1::When::EngineFrame& engine = when.engine_frame();
    if (engine.has_generation() && engine.generation() != parts_.generation()) return {};  // due_of() refuses it
    return check(static_cast<double>(now.engine_frame - engine.frame()) / now.engine_hz, "when.engine_frame.frame");
  }
  const std::optional<std::int64_t> utc = when.has_utc() ? parse_utc(when.utc()) : std::nullopt;
  return utc ? check(static_cast<double>(now.utc_ns - *utc) * 1e-9, "when.utc") : Result<>();
}

Result<std::optional<Due>> Scheduled::due_of(const v1::When& when) const {
  const Moment now = moment();
  const auto unless_past = [&](const Due& due, bool past) { return past ? std::nullopt : std::optional(due); };
  switch (when.kind_case()) {
    case v1::When::kEngineFrame: {
      const v1::When::EngineFrame& engine = when.engine_frame();
      Due due{Due::Kind::engine, engine.frame(), std::nullopt};
      if (engine.has_generation()) {
        due.generation = engine.generation();
        if (engine.generation() != parts_.generation()) {
          return make_error(
              ErrorKind::aborted, "CLOCK_CHANGED", "when.engine_frame.generation",
              "the engine's clock is of generation " + std::to_string(parts_.generation()) + ": read it again");
        }
      }
      return unless_past(due, due.value <= now.engine_frame);
    }
    case v1::When::kAfterSeconds: {
      const double seconds = std::min(when.after_seconds(), kLatestSeconds);
      const Due due{Due::Kind::after, now.engine_frame + std::llround(seconds * now.engine_hz), std::nullopt};
      return unless_past(due, due.value <= now.engine_frame);
    }
    case v1::When::kTimelineFrame:
      return std::optional(Due{Due::Kind::timeline, when.timeline_frame(), std::nullopt});
    case v1::When::kUtc: {
      const std::optional<std::int64_t> utc = parse_utc(when.utc());
      return unless_past({Due::Kind::utc, utc.value_or(0), std::nullopt}, !utc || *utc <= now.utc_ns);
    }
    default:
      return std::optional<Due>();
  }
}

DueItem Scheduled::item_of(const Due& due, std::uint64_t id, const v1::ApplyRequest& request, const Moment& now) const {
  DueItem item;
  item.id = id;
  item.on_timeline = due.kind == Due::Kind::timeline;
  if (item.on_timeline) {
    item.frame = parts_.graph.to_engine(due.value);
  } else if (due.kind == Due::Kind::utc) {
    const double seconds = std::clamp(static_cast<double>(due.value - now.utc_ns) * 1e-9, -1.0, kLatestSeconds);
    item.frame = now.engine_frame + std::llround(seconds * now.engine_hz);
  } else {
    item.frame = due.value;
  }
  const auto read = [&](const v1::Operation& operation) {
    if (operation.has_play() && operation.play().players().empty()) item.roll = true;
    if (operation.has_stop() && operation.stop().players().empty()) item.roll = false;
    if (operation.has_locate()) item.locate = parts_.graph.to_engine(operation.locate().timeline_frame());
  };
  for (const v1::Operation& operation : request.operations()) {
    read(operation);
    if (const session::DocCue* const cue = operation.has_go() ? parts_.cue(operation.go()) : nullptr)
      std::ranges::for_each(cue->operations->list, read);
  }
  return item;
}

Scheduled::Order Scheduled::order(const Due* newcomer) const {
  const Moment now = moment();
  std::vector<DueItem> items;
  items.reserve(held_.size() + parts_.transport.changes().size() + 1);
  for (const Ptr& entry : held_) items.push_back(item_of(entry->due, entry->id, entry->request, now));
  if (newcomer != nullptr) items.push_back(item_of(*newcomer, UINT64_MAX, {}, now));
  for (const Transport::Change& change : parts_.transport.changes()) {
    // One whose frame is not known yet comes with the next buffer.
    const rt::FrameCount frame = change.frame == rt::kNow ? now.engine_frame : change.frame;
    items.push_back({0, false, frame, change.roll, change.locate, true});
  }
  Order result;
  for (const DueAt& at : due_order(from_, items)) {
    if (at.item == held_.size()) {
      result.place = result.entries.size();
      continue;
    }
    result.entries.push_back(held_[at.item]);
    result.frames.push_back(at.engine);
  }
  return result;
}

void Scheduled::add(std::uint64_t id, const Due& due, const v1::ApplyRequest& request,
                    std::shared_ptr<Outcome> outcome) {
  if (held_.empty()) look();  // from here on the timeline is followed
  auto entry = std::make_shared<Entry>();
  entry->id = id;
  entry->due = due;
  entry->request = request;
  entry->outcome = std::move(outcome);
  entry->utc = utc_now();
  entry->bytes = request.ByteSizeLong();
  entry->lead_seconds = needs_disk(request) ? kDiskLeadSeconds : kLeadSeconds;
  operations_ += static_cast<std::size_t>(request.operations_size());
  bytes_ += entry->bytes;
  held_.push_back(entry);
  v1::ApplyResponse& response = entry->outcome->response;
  response.set_outcome(v1::ApplyResponse::OUTCOME_SCHEDULED);
  response.set_transaction_id(id);
  *response.mutable_revision() = parts_.history.revision();
  entry->outcome->known = true;
  const Order all = order();
  const auto place = std::ranges::find(all.entries, entry) - all.entries.begin();
  parts_.history.scheduled(describe(*entry, all.frames[static_cast<std::size_t>(place)]));
  entry->outcome->changed();
  changed_ = true;
  look();
}

void Scheduled::watch_clock() {
  const double rate_hz = parts_.graph.shape().sample_rate_hz;
  const std::uint64_t generation = parts_.generation();
  if (generation == std::exchange(generation_, generation)) {
    rate_hz_ = rate_hz;
    return;
  }
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  for (const Ptr& entry : std::vector(held_)) {
    if (entry->due.kind == Due::Kind::after)  // the seconds stay
      entry->due.value = now + convert_frames(std::max<rt::FrameCount>(0, entry->due.value - now), rate_hz_, rate_hz);
    if (entry->due.kind == Due::Kind::timeline && parts_.graph.document()->sample_rate_hz == 0)
      entry->due.value = convert_frames(entry->due.value, rate_hz_, rate_hz);  // the session's rate is the device's
    if (!entry->due.generation || *entry->due.generation == generation) continue;
    remove(entry);
    end(entry,
        make_error(ErrorKind::aborted, "CLOCK_CHANGED", "when.engine_frame.generation",
                   "the engine's clock is of another generation now: its frame never comes"),
        origin_of("", ""), true);
  }
  rate_hz_ = rate_hz;
  changed_ = true;
}

void Scheduled::look() {
  watch_clock();
  if (held_.empty()) {
    next_.reset();
    changed_ = false;
    if (settled()) {
      from_ = moment();
      parts_.transport.settle(from_.engine_frame);
    }
    return parts_.pump.alarm(std::nullopt);
  }
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  if (!changed_ && parts_.transport.changes().empty() && (!next_ || now < *next_)) return;
  changed_ = false;

  const bool steady = settled();
  const auto soon = static_cast<rt::FrameCount>(kUtcLookSeconds * parts_.graph.shape().sample_rate_hz);
  const Order all = order();
  next_.reset();
  std::size_t last = 0;  // of those that are due, and one: what is before it in the order goes before it
  for (std::size_t i = 0; i < all.entries.size() && all.frames[i]; ++i) {
    Entry& entry = *all.entries[i];
    const rt::FrameCount frame = *all.frames[i];
    rt::FrameCount at = frame - lead(entry);
    if (at <= now && (steady || entry.due.kind != Due::Kind::timeline)) last = i + 1;
    // What was passed stays so, wherever the timeline goes before its turn comes.
    if (frame <= now && steady) entry.due = {Due::Kind::engine, frame, entry.due.generation};
    if (entry.due.kind == Due::Kind::utc) at = std::min(at, now + soon);
    if (!entry.fired) next_ = std::min(next_.value_or(at), at);
  }
  if (steady) {
    from_ = moment();
    parts_.transport.settle(from_.engine_frame);
  }
  std::vector<Ptr> due;
  if (parts_.room()) {
    for (std::size_t i = 0; i < last; ++i) {
      const Ptr& entry = all.entries[i];
      if (entry->fired || (!steady && entry->due.kind == Due::Kind::timeline)) continue;
      entry->fired = true;
      due.push_back(entry);
    }
  }
  if (next_) next_ = std::max(*next_, now + (due.empty() && last > 0 ? soon : 1));
  parts_.pump.alarm(next_);
  for (const Ptr& entry : due)
    parts_.jobs.add_urgent([this, entry](const JobQueue::Finish& finish) { begin(entry, finish); });
}

/// The line may have moved while it waited: what was before it in line may have stopped or located the timeline.
void Scheduled::begin(const Ptr& entry, const JobQueue::Finish& finish) {
  const Order all = order();
  const auto found = std::ranges::find(all.entries, entry);
  if (found == all.entries.end()) return finish();  // cancelled, or of the session before
  const std::optional<rt::FrameCount> frame = all.frames[static_cast<std::size_t>(found - all.entries.begin())];
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  const bool on_timeline = entry->due.kind == Due::Kind::timeline;
  if (!frame || (on_timeline && (!settled() || *frame - 2 * lead(*entry) > now))) {
    put_back(entry);
    return finish();
  }
  fall_(entry, *frame, finish);
}

void Scheduled::remove(const Ptr& entry) {
  if (std::erase(held_, entry) == 0) return;
  operations_ -= static_cast<std::size_t>(entry->request.operations_size());
  bytes_ -= entry->bytes;
  changed_ = true;
}

void Scheduled::committed(const Ptr& entry, rt::FrameCount frame) {
  last_sent_ = std::max(last_sent_, frame);
  remove(entry);
}

void Scheduled::put_back(const Ptr& entry) {
  entry->fired = false;
  changed_ = true;
  parts_.pump.wake();
}

void Scheduled::failed(const Ptr& entry, const Error& error) {
  log::warning("transaction {} could not be applied when it fell due: {}", entry->id, error.message);
  remove(entry);
  end(entry, error, origin_of("", ""), true);
}

}  // namespace continuo::control
