// The turns of the streams: when one comes, and what becomes of its values.
#include <algorithm>
#include <map>
#include <utility>

#include "server/control/param_streams.hpp"
#include "server/control/param_streams_one.hpp"
#include "server/session/names.hpp"
#include "server/session/session_file.hpp"

namespace continuo::control {

void ParamStreams::look_soon() {
  if (std::exchange(look_posted_, true)) return;
  parts_.strand.post([this] {
    look_posted_ = false;
    look();
  });
}

void ParamStreams::look() {
  if (closed_) return;
  const auto now = Clock::now();
  if (!turn_waits_ && now >= next_turn_ && std::ranges::any_of(streams_, [&](const Ptr& one) {
        return one->awake && (has_values(*one, now) || has_steps(*one));
      })) {
    turn_waits_ = true;
    // Past those that wait for the disk: faders do not stand still because somebody opens a file.
    parts_.jobs.add_urgent([this](const JobQueue::Finish& finish) {
      turn();
      finish();
    });
  }
  for (const Ptr& one : streams_) {
    if (!one->awake) continue;
    settle(one);
    if (one->flights > 0 || one->settled < one->collected) continue;
    const auto sequence = one->stream->settled_sequence();
    if (!sequence || *sequence == one->applied_sequence) continue;
    one->applied_sequence = *sequence;
    one->news = true;
  }
  auto next = Clock::time_point::max();
  for (std::size_t i = 0; i < streams_.size();) {
    One& one = *streams_[i];
    if (!one.awake) {
      ++i;
      continue;
    }
    one.news = one.news || one.stream->refusals() != one.told_refusals;
    if (finished(one, now)) {
      const Ptr keep = streams_[i];
      streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(i));
      if (keep->news) report(*keep, now);
      keep->client.end(std::nullopt);
      continue;
    }
    if (one.news && now >= one.told + kReportEvery) report(one, now);
    next = std::min(next, next_look(one, now));
    ++i;
  }
  if (next != Clock::time_point::max()) timer_.at(next, [this] { look(); });
}

bool ParamStreams::has_values(One& one, Clock::time_point now) const {
  return (one.flights == 0 || now >= one.sent + kStandstill) && one.stream->dirty();
}

bool ParamStreams::has_steps(One& one) const {
  const auto first = one.stream->first_frame();
  return first && steps_ < kMaxSteps && *first <= parts_.transport.reading().engine_frame + lead();
}

rt::FrameCount ParamStreams::lead() const {
  return 2 * static_cast<rt::FrameCount>(parts_.buffer_frames()) +
         static_cast<rt::FrameCount>(kLeadSeconds * parts_.graph.shape().sample_rate_hz);
}

/// It comes to rest where there is nothing that another look would find without being woken.
ParamStreams::Clock::time_point ParamStreams::next_look(One& one, Clock::time_point now) const {
  auto next = Clock::time_point::max();
  const auto first = one.stream->first_frame();
  if (one.flights > 0)
    next = std::max(next_turn_, std::max(one.sent + kStandstill, now + kInterval));
  else if (!one.stream->rest())
    next = std::max(next_turn_, now + std::chrono::milliseconds(1));
  else if (one.settled < one.collected)
    next = now + kStandstill;
  if (first) {
    const double frames = static_cast<double>(*first - lead() - parts_.transport.reading().engine_frame);
    const double ms = std::clamp(1000.0 * frames / parts_.graph.shape().sample_rate_hz, 1.0, 20.0);
    next =
        std::min(next, std::max(next_turn_, now + std::chrono::microseconds(static_cast<std::int64_t>(1000.0 * ms))));
  }
  if (one.news) next = std::min(next, one.told + kReportEvery);
  if (one.closed_at) next = std::min(next, std::max(*one.closed_at + kLinger, now + kInterval));
  if (next == Clock::time_point::max()) one.awake = false;
  return next;
}

void ParamStreams::turn() {
  turn_waits_ = false;
  if (closed_) return;
  const auto begin = Clock::now();
  const std::vector<Ptr> all = streams_;
  first_ = all.empty() ? 0 : (first_ + 1) % all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Ptr& one = all[(first_ + i) % all.size()];
    if (!one->awake) continue;
    if (has_steps(*one)) drain_steps(one);
    if (has_values(*one, begin)) drain_values(one);
  }
  const auto end = Clock::now();
  next_turn_ = std::max(begin + kInterval, end + (end - begin));
  look_soon();
}

const session::DocNode* ParamStreams::find_target(One& one, std::uint32_t at) {
  const session::Document& document = *parts_.graph.document();
  const rt::Uid uid = one.stream->uid_of(at);
  Place& place = one.places[at];
  if (!place.gone) {
    const session::DocNode* const node = session::find_node(document, place.path);
    if (node != nullptr && node->uid == uid) return node;
  } else if (place.compiles == parts_.graph.compiles()) {
    return nullptr;
  }
  // It moved, or is gone; undone, it is there again.
  const session::DocNode* found = nullptr;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const session::DocNode& node) {
    if (node.uid != uid) return;
    found = &node;
    place.path = path;
  });
  place.gone = found == nullptr;
  place.compiles = parts_.graph.compiles();
  place.leases = 0;
  return found;
}

std::optional<Error> ParamStreams::judge(One& one, std::uint32_t at) {
  const session::DocNode* const node = find_target(one, at);
  const std::string name(one.stream->spec_of(at).name);
  Place& place = one.places[at];
  if (node == nullptr) {
    return make_error(ErrorKind::not_found, "UNKNOWN_NODE", name,
                      session::quoted(place.path) + " is gone: its handles lead nowhere");
  }
  if (const Result<> free = session::check_not_automated(*node, name, place.path + "." + name); !free)
    return free.error();
  if (parts_.leases.none()) return std::nullopt;
  if (const std::uint64_t version = parts_.leases.version(); place.leases != version) {
    const Result<> free = parts_.leases.check_at(place.path, one.leases);
    place.leases = version;
    place.leased = free ? std::nullopt : std::optional(free.error());
  }
  return place.leased;
}

session::Operations ParamStreams::operations_of(One& one, const std::vector<ParamStream::Value>& values,
                                                rt::FrameCount frame) {
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  std::map<std::pair<std::string_view, std::optional<double>>, v1::SetParams*> by_node;
  session::Operations operations;
  for (const ParamStream::Value& value : values) {
    if (const auto why = judge(one, value.place)) {
      one.stream->refuse(1, *why);
      continue;
    }
    Place& place = one.places[value.place];
    if (place.until > now && std::max(frame, now) < place.until) {
      one.stream->passed_over(1);
      continue;
    }
    if (frame > now) place.until = frame;
    v1::SetParams*& set = by_node[{place.path, value.ramp_ms}];
    if (set == nullptr) {
      set = operations.Add()->mutable_set_params();
      set->set_path(place.path);
      if (value.ramp_ms) set->set_ramp_ms(*value.ramp_ms);
    }
    const session::ParamSpec& spec = one.stream->spec_of(value.place);
    (*set->mutable_values())[std::string(spec.name)] = session::to_proto(document_value(spec, value.value));
  }
  return operations;
}

void ParamStreams::drain_values(const Ptr& one) {
  const ParamStream::Dirty dirty = one->stream->collect();
  const std::uint64_t collected = ++one->collected;
  one->collected_sequence = dirty.sequence;
  const std::uint64_t gesture = one->stream->gesture();
  if (one->gesture_done) gesture_begins(*one);
  Transactions::Streamed streamed;
  streamed.steps.push_back({rt::kNow, operations_of(*one, dirty.values, rt::kNow)});
  if (streamed.steps[0].operations.empty()) return settle(one);
  streamed.apart = one->flights > 0 || !parts_.link.room();
  streamed.client = one->client_name;
  streamed.identity = one->identity;
  streamed.gesture = (one->id << 32) + gesture;
  auto revision = std::make_shared<v1::Revision>();
  streamed.applied = [this, weak = std::weak_ptr(one), collected, sequence = dirty.sequence, revision](
                         AudioLink::Fate fate, rt::FrameCount frame) {
    if (const Ptr still = weak.lock()) home(still, collected, sequence, *revision, fate, frame);
  };
  ++one->flights;
  one->sent = Clock::now();
  *revision = parts_.transactions.stream(std::move(streamed));
}

void ParamStreams::drain_steps(const Ptr& one) {
  const auto until = parts_.transport.reading().engine_frame + lead();
  const std::vector<ParamStream::Step> due = one->stream->collect_due(until, kMaxSteps - steps_);
  for (std::size_t i = 0; i < due.size();) {
    // A transaction belongs to one gesture.
    Transactions::Streamed streamed;
    streamed.gesture = (one->id << 32) + due[i].gesture;
    const std::size_t first = i;
    for (; i < due.size() && due[i].gesture == due[first].gesture; ++i) {
      session::Operations operations = operations_of(*one, due[i].values, due[i].frame);
      if (!operations.empty()) streamed.steps.push_back({due[i].frame, std::move(operations)});
    }
    if (streamed.steps.empty()) continue;
    streamed.apart = !parts_.link.room();
    streamed.client = one->client_name;
    streamed.identity = one->identity;
    steps_ += streamed.steps.size();
    auto revision = std::make_shared<v1::Revision>();
    streamed.applied = [this, count = streamed.steps.size(), weak = std::weak_ptr(one), revision](AudioLink::Fate,
                                                                                                  rt::FrameCount) {
      steps_ -= count;
      look_soon();
      const Ptr still = weak.lock();
      if (!still) return;
      --still->step_flights;
      if (revision->number() > still->revision.number()) still->revision = *revision;
      still->news = still->awake = true;
    };
    ++one->step_flights;
    *revision = parts_.transactions.stream(std::move(streamed));
  }
}

}  // namespace continuo::control
