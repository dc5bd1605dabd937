#include "server/control/meter_poller.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

namespace continuo::control {
namespace {

constexpr std::array<std::uint32_t, 9> kRates = {1, 2, 5, 10, 20, 30, 50, 60, 100};
constexpr float kSilence = -150.0f;
constexpr float kLoudest = 150.0f;  // what left all bounds (an Inf in the graph) reads so

float to_db(double value, double per_decade) {
  if (std::isnan(value)) return kLoudest;
  if (value <= 0.0) return kSilence;
  return static_cast<float>(std::clamp(per_decade * std::log10(value), double{kSilence}, double{kLoudest}));
}

double power_of(float db) { return db <= kSilence ? 0.0 : std::pow(10.0, static_cast<double>(db) / 10.0); }

}  // namespace

void fold_into(v1::MeterFrame& later, const v1::MeterFrame& earlier) {
  const double a = earlier.covers_frames();
  const double b = later.covers_frames();
  std::set<std::uint32_t> missing(later.not_measured().begin(), later.not_measured().end());
  const std::set<std::uint32_t> before(earlier.not_measured().begin(), earlier.not_measured().end());
  for (int i = 0; i < later.peak_db_size() && i < earlier.peak_db_size(); ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    if (before.contains(index)) continue;
    if (missing.erase(index) != 0) {  // measured then, not now
      later.set_peak_db(i, earlier.peak_db(i));
      later.set_rms_db(i, earlier.rms_db(i));
      continue;
    }
    later.set_peak_db(i, std::max(later.peak_db(i), earlier.peak_db(i)));
    const double all = a + b;
    if (all > 0.0)
      later.set_rms_db(i, to_db((power_of(earlier.rms_db(i)) * a + power_of(later.rms_db(i)) * b) / all, 10.0));
  }
  later.clear_not_measured();
  for (const std::uint32_t index : missing) later.add_not_measured(index);
  later.set_covers_frames(earlier.covers_frames() + later.covers_frames());
  if (later.layout_size() == 0) *later.mutable_layout() = earlier.layout();
}

struct MeterPoller::Watcher {
  std::weak_ptr<MeterFeed> feed;
  std::uint64_t layout_sent = 0;
  std::unique_ptr<v1::MeterFrame> missed;  // what it did not read
};

struct MeterPoller::Group {
  std::vector<std::string> nodes;
  bool inputs = false;
  std::uint32_t rate_hz = 10;
  std::vector<Watcher> watchers;

  std::uint64_t compiles = ~std::uint64_t{0};  // graph that `meters` was taken from
  std::uint64_t layout_version = 0;
  std::vector<session::CompiledMeter> meters;
  std::vector<rt::MeterLook> looks;      // at each of them: what nobody looks at is not measured
  std::vector<rt::MeterReader> readers;  // by meter and channel, flat
  rt::FrameCount last_frame = 0;
  std::uint32_t empty_ticks = 0;
};

MeterPoller::MeterPoller(Strand& strand, const Graph& graph, Hooks hooks)
    : strand_(strand), graph_(graph), hooks_(std::move(hooks)) {}

MeterPoller::~MeterPoller() = default;

Result<std::shared_ptr<MeterPoller::MeterFeed>> MeterPoller::watch(const v1::WatchMetersRequest& request) {
  const std::uint32_t rate = request.has_rate_hz() ? request.rate_hz() : 10;
  if (std::ranges::find(kRates, rate) == kRates.end()) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "rate_hz",
                      "the rate is 1, 2, 5, 10, 20, 30, 50, 60 or 100, not " + std::to_string(rate));
  }
  for (int i = 0; i < request.nodes_size(); ++i) {
    const auto& meters = graph_.meters();
    if (std::ranges::find(meters, request.nodes(i), &session::CompiledMeter::path) != meters.end()) continue;
    const std::string field = "nodes[" + std::to_string(i) + "]";
    if (session::find_node(*graph_.document(), request.nodes(i)) != nullptr) {
      return make_error(
          ErrorKind::failed_precondition, "NO_METER", field,
          "\"" + request.nodes(i) + "\" has no meter: tracks, buses, meter nodes, \"in\" and \"out\" have");
    }
    return make_error(ErrorKind::not_found, "UNKNOWN_NODE", field, "there is no node \"" + request.nodes(i) + "\"");
  }
  std::size_t watchers = 0;
  for (const auto& [key, group] : groups_) watchers += group->watchers.size();
  if (watchers >= kMaxWatchers) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_WATCHERS", "",
                      "at most " + std::to_string(kMaxWatchers) + " clients look at meters at once");
  }
  std::string key = std::to_string(rate) + (request.inputs() ? "+in" : "");
  for (const std::string& node : request.nodes()) key += "\n" + node;
  std::unique_ptr<Group>& group = groups_[key];
  if (!group) {
    group = std::make_unique<Group>();
    group->nodes.assign(request.nodes().begin(), request.nodes().end());
    group->inputs = request.inputs();
    group->rate_hz = rate;
    layout(*group);
    // What was measured before somebody looked is nobody's.
    group->last_frame = hooks_.engine_frame();
  }
  auto feed = std::make_shared<MeterFeed>(kFeedBound);
  group->watchers.push_back({feed, 0, nullptr});
  if (!timers_[rate]) arm(rate);
  return feed;
}

void MeterPoller::close() {
  for (const auto& [key, group] : groups_) {
    for (const Watcher& watcher : group->watchers) {
      if (const auto feed = watcher.feed.lock()) feed->close();
    }
  }
  groups_.clear();
  timers_.clear();
}

void MeterPoller::arm(std::uint32_t rate_hz) {
  auto& timer = timers_[rate_hz];
  const auto period = std::chrono::nanoseconds(1'000'000'000 / rate_hz);
  const auto now = Timer::Clock::now();
  auto when = now + period;
  // From the tick before, not from now: the rate is kept. After a long sleep it begins anew.
  if (timer && timer->when() + period > now) when = timer->when() + period;
  if (!timer) timer = std::make_unique<Timer>(strand_);
  timer->at(when, [this, rate_hz] {
    tick(rate_hz);
    const bool wanted =
        std::ranges::any_of(groups_, [&](const auto& entry) { return entry.second->rate_hz == rate_hz; });
    if (wanted)
      arm(rate_hz);
    else
      strand_.post([this, rate_hz] {  // not from within its own call
        const bool still_none =
            std::ranges::none_of(groups_, [&](const auto& entry) { return entry.second->rate_hz == rate_hz; });
        const auto found = timers_.find(rate_hz);
        if (found == timers_.end() || found->second->waiting()) return;
        if (still_none)
          timers_.erase(found);
        else
          arm(rate_hz);
      });
  });
}

void MeterPoller::layout(Group& group) {
  if (group.compiles == graph_.compiles()) return;
  group.compiles = graph_.compiles();
  std::vector<session::CompiledMeter> wanted;
  const auto add = [&](const std::string& path) {
    const auto found = std::ranges::find(graph_.meters(), path, &session::CompiledMeter::path);
    if (found != graph_.meters().end()) wanted.push_back(*found);
  };
  const bool names_in = std::ranges::find(group.nodes, "in") != group.nodes.end();
  if (group.inputs && !names_in) add("in");
  if (group.nodes.empty()) {
    for (const session::CompiledMeter& meter : graph_.meters()) {
      const session::DocNode* node = session::find_node(*graph_.document(), meter.path);
      const bool strip = node != nullptr && (node->type == "track" || node->type == "bus");
      if (strip) wanted.push_back(meter);
    }
    add("out");
  }
  for (const std::string& path : group.nodes) add(path);
  const auto same = [](const session::CompiledMeter& a, const session::CompiledMeter& b) {
    return a.path == b.path && a.label == b.label && a.channels == b.channels && a.slots == b.slots;
  };
  if (group.layout_version != 0 && std::ranges::equal(wanted, group.meters, same)) return;

  std::vector<rt::MeterReader> readers;
  for (const session::CompiledMeter& meter : wanted) {
    // Where the slots go on, so does their reader: an edit elsewhere loses no peak.
    std::size_t at = 0;
    const session::CompiledMeter* before = nullptr;
    for (const session::CompiledMeter& old : group.meters) {
      if (old.slots == meter.slots) before = &old;
      if (before != nullptr) break;
      at += old.channels;
    }
    for (std::uint32_t c = 0; c < meter.channels; ++c) {
      if (before != nullptr && c < before->channels)
        readers.push_back(group.readers[at + c]);
      else
        readers.push_back({c < meter.slots->size() ? (*meter.slots)[c].published() : 0});
    }
  }
  std::vector<rt::MeterLook> looks;
  for (const session::CompiledMeter& meter : wanted) looks.emplace_back(meter.slots);
  group.looks.swap(looks);  // the new before the old ones go: who stays is looked at throughout
  group.meters = std::move(wanted);
  group.readers = std::move(readers);
  ++group.layout_version;
}

bool MeterPoller::measure(Group& group, v1::MeterFrame& frame) {
  rt::FrameCount newest = group.last_frame;
  std::uint32_t flat = 0;
  bool any = false;
  std::uint64_t missed = 0;
  for (const session::CompiledMeter& meter : group.meters) {
    for (std::uint32_t c = 0; c < meter.channels; ++c, ++flat) {
      rt::MeterWindow window;
      const bool measured = c < meter.slots->size() && group.readers[flat].fold((*meter.slots)[c], window, missed);
      frame.add_peak_db(measured ? to_db(static_cast<double>(window.peak), 20.0) : kSilence);
      frame.add_rms_db(measured ? to_db(static_cast<double>(window.mean_square), 10.0) : kSilence);
      if (!measured) frame.add_not_measured(flat);
      if (measured) newest = std::max(newest, window.end_frame);
      any |= measured;
    }
  }
  // At a high rate a tick may find no new window: the next one does. Where the sound stands still, that is told once a
  // second.
  if (!any && !group.meters.empty() && ++group.empty_ticks < group.rate_hz) return false;
  group.empty_ticks = 0;
  frame.set_engine_frame(newest);
  frame.set_covers_frames(
      static_cast<std::uint32_t>(std::clamp<rt::FrameCount>(newest - group.last_frame, 0, UINT32_MAX)));
  group.last_frame = newest;
  *frame.mutable_clock() = hooks_.clock();
  return true;
}

void MeterPoller::tick(std::uint32_t rate_hz) {
  std::erase_if(groups_, [&](const auto& entry) {
    std::erase_if(entry.second->watchers, [](const Watcher& watcher) { return watcher.feed.expired(); });
    return entry.second->watchers.empty();
  });
  for (auto& [key, group] : groups_) {
    if (group->rate_hz != rate_hz) continue;
    const std::uint64_t version_before = group->layout_version;
    layout(*group);
    auto frame = std::make_shared<v1::MeterFrame>();
    if (!measure(*group, *frame) && version_before == group->layout_version) continue;
    std::shared_ptr<const v1::MeterFrame> with_layout;  // made once, for those who need it
    for (Watcher& watcher : group->watchers) {
      const auto feed = watcher.feed.lock();
      if (!feed) continue;
      const bool needs_layout = watcher.layout_sent != group->layout_version;
      if (needs_layout) watcher.missed.reset();  // it speaks of another layout
      std::shared_ptr<const v1::MeterFrame> message = frame;
      if (needs_layout && !with_layout) {
        auto copy = std::make_shared<v1::MeterFrame>(*frame);
        for (const session::CompiledMeter& meter : group->meters) {
          auto* info = copy->add_layout();
          info->set_node(meter.path);
          info->set_label(meter.label);
          info->set_channels(meter.channels);
        }
        with_layout = std::move(copy);
      }
      if (needs_layout) message = with_layout;
      if (watcher.missed) {
        auto folded = std::make_shared<v1::MeterFrame>(*message);
        fold_into(*folded, *watcher.missed);
        message = std::move(folded);
      }
      watcher.layout_sent = group->layout_version;
      if (feed->push(message))
        watcher.missed.reset();
      else
        watcher.missed = std::make_unique<v1::MeterFrame>(*message);
    }
  }
}

}  // namespace continuo::control
