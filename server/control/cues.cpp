#include "server/control/cues.hpp"

#include <algorithm>
#include <utility>

#include "server/session/names.hpp"

namespace continuo::control {
namespace {

constexpr std::chrono::milliseconds kSoon{5};     // several changes at once are looked at once
constexpr std::chrono::milliseconds kAgain{150};  // while players roll that the next cue depends on
constexpr std::size_t kMaxFired = 10'000;         // under a device that stands still; the oldest is not told

/// The cue behind this one; 0 where it is the last.
rt::Uid behind(const std::vector<session::DocCue>& cues, rt::Uid uid) {
  const auto index = session::find_cue(cues, uid);
  return index && *index + 1 < cues.size() ? cues[*index + 1].uid : 0;
}

v1::GetStatusResponse::Cues::Cue named(const std::vector<session::DocCue>& cues, std::size_t index) {
  v1::GetStatusResponse::Cues::Cue out;
  out.set_uid(cues[index].uid);
  out.set_name(cues[index].name);
  out.set_label(cues[index].label);
  out.set_number(static_cast<std::uint32_t>(index) + 1);
  return out;
}

}  // namespace

Result<session::Operations> Cues::resolve(const session::Operations& operations, bool later) const {
  const std::vector<session::DocCue>& cues = list();
  session::Operations result = operations;
  bool fired = false;
  for (int i = 0; i < result.size(); ++i) {
    if (!result[i].has_go()) continue;
    v1::Go& go = *result.Mutable(i)->mutable_go();
    const std::string field = "operations[" + std::to_string(i) + "].go";
    if (std::exchange(fired, true))
      return make_error(ErrorKind::invalid_argument, "WRONG_FIELD", field, "one transaction fires one cue");
    const auto next = session::find_cue(cues, next_);
    if (go.has_expected() && !later) {
      const Result<std::size_t> expected = session::index_of_cue(cues, go.expected(), field + ".expected");
      if (!expected) return expected.error();
      if (!next || *expected != *next)
        return make_error(
            ErrorKind::aborted, "NOT_NEXT", field + ".expected",
            "cue " + session::quoted(cues[*expected].name) + " is not the next one: " +
                (next ? "that is " + session::quoted(cues[*next].name) : "there is none behind the last"));
    }
    if (go.has_cue()) {
      const Result<std::size_t> index = session::index_of_cue(cues, go.cue(), field + ".cue");
      if (!index) return index.error();
      go.mutable_cue()->set_name(cues[*index].name);
    } else if (!later) {
      if (cues.empty()) return make_error(ErrorKind::failed_precondition, "NO_CUES", field, "the session has no cues");
      if (!next)
        return make_error(ErrorKind::failed_precondition, "NO_NEXT_CUE", field,
                          "the last cue was fired: make another one the next, or name one");
      go.mutable_cue()->set_name(cues[*next].name);
    }
  }
  return result;
}

const session::DocCue* Cues::cue_of(const v1::Go& go) const {
  const auto index = !go.has_cue()        ? session::find_cue(list(), next_)
                     : go.cue().has_uid() ? session::find_cue(list(), go.cue().uid())
                                          : session::find_cue(list(), go.cue().name());
  return index ? &list()[*index] : nullptr;
}

bool Cues::armed() const {
  return next_ != 0 && describe().next_state() == v1::GetStatusResponse::Cues::NEXT_STATE_ARMED;
}

bool Cues::armed(const v1::ApplyRequest& request) const {
  if (request.has_when() || request.dry_run() || request.operations_size() != 1 || !request.operations(0).has_go())
    return false;
  const session::DocCue* const cue = cue_of(request.operations(0).go());
  return cue != nullptr && cue->uid == next_ && armed();
}

void Cues::committed(std::uint64_t transaction_id, const session::Operations& operations) {
  follow();
  const rt::Uid before = next_;
  for (const v1::Operation& op : operations) {
    begun_ = begun_ || op.has_cue_next() || op.has_go();
    if (op.has_cue_next()) {
      const auto index = op.cue_next().has_cue() ? session::index_of_cue(list(), op.cue_next().cue(), "")
                                                 : Result<std::size_t>(std::size_t{0});
      if (index && *index < list().size()) next_ = list()[*index].uid;
    }
    if (!op.has_go()) continue;
    const session::DocCue* const cue = cue_of(op.go());
    if (cue == nullptr) continue;  // it was, when the Go was resolved, and nothing came between
    current_ = cue->uid;
    current_frame_.reset();
    if (!op.go().keep_next()) next_ = behind(list(), cue->uid);
    if (fired_.size() == kMaxFired) fired_.erase(fired_.begin());
    fired_.push_back({transaction_id, cue->uid, cue->name});
  }
  planned_ = planned_ && next_ == before;
}

void Cues::applied(std::uint64_t transaction_id, std::int64_t engine_frame) {
  const auto found = std::ranges::find(fired_, transaction_id, &Fired::transaction_id);
  if (found == fired_.end()) return;
  const Fired fired = *found;
  fired_.erase(fired_.begin(), found + 1);  // those before it never will be
  if (fired.uid == current_) current_frame_ = engine_frame;
  v1::WatchResponse::CueEvent event;
  event.set_kind(v1::WatchResponse::CueEvent::KIND_FIRED);
  *event.mutable_cues() = describe();
  told_ = event.cues().SerializeAsString();
  event.set_uid(fired.uid);
  event.set_name(fired.name);
  event.set_transaction_id(transaction_id);
  event.set_engine_frame(engine_frame);
  parts_.history.cue(std::move(event));
}

void Cues::reset() {
  order_.clear();
  current_ = next_ = 0;
  current_frame_.reset();
  fired_.clear();
  begun_ = planned_ = false;
  told_.clear();
  follow();
  touch();
}

void Cues::follow() {
  std::vector<rt::Uid> now;
  for (const session::DocCue& cue : list()) now.push_back(cue.uid);
  if (now == order_) return;
  const auto there = [&](rt::Uid uid) { return std::ranges::find(now, uid) != now.end(); };
  if (next_ != 0 && !there(next_)) {  // the next that stayed
    auto old = std::ranges::find(order_, next_);
    while (old != order_.end() && !there(*old)) ++old;
    next_ = old == order_.end() ? 0 : *old;
  }
  if (now.empty()) begun_ = false;
  if (!begun_)
    next_ = now.empty() ? 0 : now.front();
  else if (next_ == 0 && there(current_))  // behind the last there may be one again
    next_ = behind(list(), current_);
  order_ = std::move(now);
  planned_ = false;
}

void Cues::touch() {
  if (list().empty() && order_.empty()) return;
  planned_ = false;
  if (timer_.waiting() && timer_.when() <= Timer::Clock::now() + kSoon) return;
  timer_.after(kSoon, [this] { look(); });
}

void Cues::look() {
  follow();
  planned_ = true;
  plan_ = {};
  const auto next = session::find_cue(list(), next_);
  if (next) plan_ = plan_cue(list()[*next], parts_.graph, parts_.media, parts_.sources, parts_.transport);
  parts_.sources.stand_ins().keep(plan_.streams, [this] { tell_if_changed(); });
  tell_if_changed();
  if (plan_.moves) timer_.after(kAgain, [this] { look(); });
}

v1::GetStatusResponse::Cues Cues::describe() const {
  using Status = v1::GetStatusResponse::Cues;
  Status out;
  const std::vector<session::DocCue>& cues = list();
  out.set_count(static_cast<std::uint32_t>(cues.size()));
  if (const auto current = session::find_cue(cues, current_)) {
    *out.mutable_current() = named(cues, *current);
    if (current_frame_) out.set_current_engine_frame(*current_frame_);
  }
  const auto next = session::find_cue(cues, next_);
  if (!next) return out;
  *out.mutable_next() = named(cues, *next);
  if (!planned_) {
    out.set_next_state(Status::NEXT_STATE_PREPARING);
    return out;
  }
  const StandIns& streams = parts_.sources.stand_ins();
  const std::string error = streams.error();
  if (!plan_.broken.empty()) {
    out.set_next_state(Status::NEXT_STATE_BROKEN);
    out.set_next_reason(plan_.broken);
  } else if (error.empty() && !streams.ready()) {
    out.set_next_state(Status::NEXT_STATE_PREPARING);
  } else if (!error.empty() || !plan_.late.empty()) {
    out.set_next_state(Status::NEXT_STATE_NOT_ARMED);
    out.set_next_reason(error.empty() ? plan_.late : error);
  } else {
    out.set_next_state(Status::NEXT_STATE_ARMED);
  }
  return out;
}

void Cues::tell_if_changed() {
  v1::WatchResponse::CueEvent event;
  *event.mutable_cues() = describe();
  if (event.cues().count() == 0 && told_.empty()) return;
  if (std::string now = event.cues().SerializeAsString(); now != told_)
    told_ = std::move(now);
  else
    return;
  event.set_kind(v1::WatchResponse::CueEvent::KIND_NEXT);
  parts_.history.cue(std::move(event));
}

void Cues::report(v1::GetStatusResponse& out) const {
  if (!list().empty()) *out.mutable_cues() = describe();
}

}  // namespace continuo::control
