#include "server/control/param_stream.hpp"

#include <algorithm>
#include <cmath>

#include "server/base/check.hpp"

namespace continuo::control {
namespace {

constexpr int kAtOnce = 4096;  // values under one lock: control must not wait for a message of 8 MiB

Error bad(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

Result<> check_lengths(const v1::StreamParamsRequest::Changes& changes) {
  const int count = changes.handles_size();
  if (changes.values_size() != count)
    return bad("UNEQUAL_LENGTHS", "changes.values",
               std::to_string(changes.values_size()) + " values for " + std::to_string(count) + " handles");
  if (changes.engine_frames_size() != 0 && changes.engine_frames_size() != count)
    return bad("UNEQUAL_LENGTHS", "changes.engine_frames",
               std::to_string(changes.engine_frames_size()) + " frames for " + std::to_string(count) + " handles");
  // The comparison is false for what is not a number, too.
  if (changes.has_ramp_ms() && !(changes.ramp_ms() >= 0.0 && changes.ramp_ms() <= ParamStream::kMaxRampMs))
    return bad("OUT_OF_RANGE", "changes.ramp_ms", "ramp_ms must be 0 to 600000 ms");
  return {};
}

Error refusal_of_value(const session::ParamSpec& spec, double value) {
  using Kind = session::ParamKind;
  const std::string name(spec.name);
  if (!std::isfinite(value)) return bad("NOT_FINITE", name, name + " must be finite");
  if (spec.kind == Kind::boolean) return bad("WRONG_KIND", name, name + " must be 0 or 1");
  if (spec.kind == Kind::choice)
    return bad(
        "BAD_CHOICE", name,
        name + " must be the place of one of its " + std::to_string(spec.choices.size()) + " choices, from 0 on");
  const Result<session::Value> checked = session::check_value(spec, value, name);
  CONTINUO_CHECK(!checked, "only what is wrong is refused");
  return checked.error();
}

}  // namespace

session::Value document_value(const session::ParamSpec& spec, double value) {
  switch (spec.kind) {
    case session::ParamKind::boolean:
      return value != 0.0;
    case session::ParamKind::choice:
      return std::string(spec.choices.at(static_cast<std::size_t>(value)));
    default:
      return value;
  }
}

bool can_stream(const session::ParamSpec& spec) {
  if (spec.structural || spec.kind == session::ParamKind::text || spec.kind == session::ParamKind::file) return false;
  return spec.rt_index >= 0 || spec.name == "mute" || spec.name == "solo";  // these two decide who is heard
}

Result<> ParamStream::take(const v1::StreamParamsRequest::Changes& changes) {
  if (Result<> good = check_lengths(changes); !good) return good;
  const int count = changes.handles_size();
  const std::uint32_t* const handles = changes.handles().data();
  const bool framed = changes.engine_frames_size() > 0;
  const Now now = framed ? now_() : Now{};
  const double ramp_ms = changes.has_ramp_ms() ? changes.ramp_ms() : -1.0;
  bool wake = false;
  for (int begin = 0; begin < std::max(count, 1); begin += kAtOnce) {
    const std::lock_guard lock(mutex_);
    if (begin == 0) {
      const auto known = static_cast<std::uint32_t>(handles_.size());
      for (int i = 0; i < count; ++i) {
        if (handles[i] < known) continue;
        return bad("UNKNOWN_HANDLE", "changes.handles[" + std::to_string(i) + "]",
                   std::to_string(handles[i]) + " is no handle of this stream: it has " + std::to_string(known));
      }
    }
    const int end = std::min(begin + kAtOnce, count);
    for (int i = begin; i < end; ++i) {
      const std::uint32_t place = handles_[handles[i]];
      if (!framed || changes.engine_frames(i) <= now.frame)
        take_one(place, changes.values(i), ramp_ms);
      else
        take_later(place, changes.values(i), ramp_ms, changes.engine_frames(i), now);
    }
    received_ += static_cast<std::uint64_t>(end - begin);
    if (end == count && changes.sequence() != 0) sequence_ = changes.sequence();
    if (!awake_) wake = awake_ = true;
  }
  if (wake) wake_();
  return {};
}

void ParamStream::take_one(std::uint32_t at, double value, double ramp_ms) {
  Place& place = places_[at];
  // False for what is not a number, too.
  if (!(value >= place.min && value <= place.max) || (place.whole && value != std::floor(value)))
    return refuse_value(at, value);
  place.value = value + 0.0;  // -0 and 0 are one value
  place.ramp_ms = ramp_ms;
  if (place.dirty) {
    ++coalesced_;
    return;
  }
  place.dirty = true;
  dirty_.push_back(at);
}

void ParamStream::take_later(std::uint32_t at, double value, double ramp_ms, rt::FrameCount frame, const Now& now) {
  const Place& place = places_[at];
  if (!(value >= place.min && value <= place.max) || (place.whole && value != std::floor(value)))
    return refuse_value(at, value);
  if (frame - now.frame > static_cast<rt::FrameCount>(kMaxAheadSeconds * now.rate_hz)) {
    ++refused_;
    last_ = {bad("TOO_FAR_AHEAD", "changes.engine_frames",
                 "engine frame " + std::to_string(frame) + " is more than 2 s ahead of " + std::to_string(now.frame)),
             at, value};
    return;
  }
  const auto found = waiting_.find({frame, at});
  if (found != waiting_.end()) {
    found->second = {value + 0.0, ramp_ms, gesture_};
    ++coalesced_;
    return;
  }
  if (waiting_.size() >= kMaxWaiting) {
    ++refused_;
    last_ = {make_error(ErrorKind::resource_exhausted, "TOO_MANY_WAITING", "changes.engine_frames",
                        std::to_string(kMaxWaiting) + " values of this stream wait for their frames already"),
             at, value};
    return;
  }
  waiting_.emplace(std::pair(frame, at), Later{value + 0.0, ramp_ms, gesture_});
}

void ParamStream::refuse_value(std::uint32_t place, double value) {
  ++refused_;
  last_.error.reset();
  last_.place = place;
  last_.value = value;
}

bool ParamStream::full(std::size_t more) const {
  const std::lock_guard lock(mutex_);
  return more > kMaxHandles - handles_.size();
}

std::uint32_t ParamStream::bind(rt::Uid node, const session::ParamSpec& spec) {
  const std::lock_guard lock(mutex_);
  CONTINUO_CHECK(handles_.size() < kMaxHandles, "who binds asks first whether there is room");
  const auto [found, fresh] = place_of_.emplace(std::pair(node, &spec), static_cast<std::uint32_t>(places_.size()));
  if (fresh) {
    Place place;
    place.spec = &spec;
    place.uid = node;
    place.min = spec.min;
    place.max = spec.max;
    place.whole = spec.kind != session::ParamKind::number;
    if (spec.kind == session::ParamKind::boolean) place.min = 0.0, place.max = 1.0;
    if (spec.kind == session::ParamKind::choice)
      place.min = 0.0, place.max = static_cast<double>(spec.choices.size()) - 1.0;
    places_.push_back(place);
  }
  handles_.push_back(found->second);
  return static_cast<std::uint32_t>(handles_.size() - 1);
}

ParamStream::Dirty ParamStream::collect() {
  const std::lock_guard lock(mutex_);
  Dirty dirty;
  dirty.sequence = sequence_;
  dirty.values.reserve(dirty_.size());
  for (const std::uint32_t at : dirty_) {
    Place& place = places_[at];
    place.dirty = false;
    dirty.values.push_back({at, place.value, place.ramp_ms < 0.0 ? std::nullopt : std::optional(place.ramp_ms)});
  }
  dirty_.clear();
  return dirty;
}

std::vector<ParamStream::Step> ParamStream::collect_due(rt::FrameCount until, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<Step> steps;
  while (!waiting_.empty()) {
    const auto& [key, later] = *waiting_.begin();
    if (key.first > until) break;
    if (steps.empty() || steps.back().frame != key.first || steps.back().gesture != later.gesture) {
      if (steps.size() == most) break;
      steps.push_back({key.first, later.gesture, {}});
    }
    steps.back().values.push_back(
        {key.second, later.value, later.ramp_ms < 0.0 ? std::nullopt : std::optional(later.ramp_ms)});
    waiting_.erase(waiting_.begin());
  }
  return steps;
}

std::optional<rt::FrameCount> ParamStream::first_frame() const {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first.first;
}

bool ParamStream::dirty() const {
  const std::lock_guard lock(mutex_);
  return !dirty_.empty();
}

std::optional<std::uint64_t> ParamStream::settled_sequence() const {
  const std::lock_guard lock(mutex_);
  if (!dirty_.empty()) return std::nullopt;
  return sequence_;
}

bool ParamStream::rest() {
  const std::lock_guard lock(mutex_);
  if (!dirty_.empty() || refused_ != rested_refused_) {
    rested_refused_ = refused_;
    return false;
  }
  awake_ = false;
  return true;
}

void ParamStream::passed_over(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  coalesced_ += count;
}

void ParamStream::refuse(std::uint64_t count, const Error& why) {
  if (count == 0) return;
  const std::lock_guard lock(mutex_);
  refused_ += count;
  last_.error = why;
}

void ParamStream::drop_waiting(const Error& why) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return;
  refused_ += waiting_.size();
  waiting_.clear();
  last_.error = why;
}

void ParamStream::next_gesture() {
  const std::lock_guard lock(mutex_);
  ++gesture_;
}

std::uint64_t ParamStream::gesture() const {
  const std::lock_guard lock(mutex_);
  return gesture_;
}

ParamStream::Counts ParamStream::counts() const {
  Counts counts;
  Refusal last;
  const session::ParamSpec* spec = nullptr;
  {
    const std::lock_guard lock(mutex_);
    counts.received = received_;
    counts.coalesced = coalesced_;
    counts.refused = refused_;
    last = last_;
    if (refused_ > 0 && !last.error) spec = places_[last.place].spec;
  }
  if (spec != nullptr) last.error = refusal_of_value(*spec, last.value);
  if (counts.refused > 0 && last.error) {
    counts.reason = last.error->reason;
    counts.message = last.error->message;
  }
  return counts;
}

std::uint64_t ParamStream::refusals() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

std::size_t ParamStream::places() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

rt::Uid ParamStream::uid_of(std::uint32_t place) const {
  const std::lock_guard lock(mutex_);
  return places_[place].uid;
}

const session::ParamSpec& ParamStream::spec_of(std::uint32_t place) const {
  const std::lock_guard lock(mutex_);
  return *places_[place].spec;
}

}  // namespace continuo::control
