#include "server/control/meter_poller.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "server/control/metered.hpp"

namespace continuo::control {
namespace {

constexpr std::array<std::uint32_t, 9> kRates = {1, 2, 5, 10, 20, 30, 50, 60, 100};

/// A meter remembers 0.68 s at 48 kHz and less at higher rates: who is told seldom is looked for more often than that.
constexpr std::uint32_t kLooksPerSecond = 20;
constexpr std::uint32_t looks_a_tick(std::uint32_t rate_hz) { return std::max(1u, kLooksPerSecond / rate_hz); }

}  // namespace

struct MeterPoller::Watcher {
  std::weak_ptr<MeterFeed> feed;
  std::uint64_t layout_sent = 0;
  std::unique_ptr<v1::MeterFrame> missed;  // what it did not read, of the layout that was sent last
};

struct MeterPoller::Group {
  MeterGroup meters;
  std::vector<Watcher> watchers;
};

MeterPoller::MeterPoller(Strand& strand, const Graph& graph, MeterTaps& taps, Analysis& analysis, Hooks hooks)
    : strand_(strand),
      kinds_(analysis),
      parts_{graph, taps, kinds_, std::move(hooks.clock), std::move(hooks.engine_frame)} {}

MeterPoller::~MeterPoller() = default;

Result<> MeterPoller::check(const v1::WatchMetersRequest& request) {
  if (static_cast<std::size_t>(request.nodes_size()) > kMaxNamed) {
    return make_error(ErrorKind::invalid_argument, "TOO_MANY", "nodes",
                      "at most " + std::to_string(kMaxNamed) + " nodes are named, as many as a session has");
  }
  std::unordered_set<std::string_view> named;
  for (int i = 0; i < request.nodes_size(); ++i) {
    if (named.insert(request.nodes(i)).second) continue;
    return make_error(ErrorKind::invalid_argument, "DUPLICATE_NODE", "nodes[" + std::to_string(i) + "]",
                      session::quoted(request.nodes(i)) + " is there twice");
  }
  return {};
}

Result<std::shared_ptr<MeterPoller::MeterFeed>> MeterPoller::watch(const v1::WatchMetersRequest& request) {
  const std::uint32_t rate = request.has_rate_hz() ? request.rate_hz() : 10;
  if (std::ranges::find(kRates, rate) == kRates.end()) {
    return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "rate_hz",
                      "the rate is 1, 2, 5, 10, 20, 30, 50, 60 or 100, not " + std::to_string(rate));
  }
  for (int i = 0; i < request.nodes_size(); ++i) {
    const auto meter = find_meter(parts_.graph, request.nodes(i), "nodes[" + std::to_string(i) + "]");
    if (!meter) return meter.error();
  }
  Result<KindSettings> kinds = kinds_of(request);
  if (!kinds) return kinds.error();
  std::size_t watchers = 0;
  for (const auto& [key, group] : groups_) watchers += group->watchers.size();
  if (watchers >= kMaxWatchers) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_WATCHERS", "",
                      "at most " + std::to_string(kMaxWatchers) + " clients look at meters at once");
  }
  std::string key = std::to_string(rate) + (request.inputs() ? "+in" : "") + to_key(*kinds);
  for (const std::string& node : request.nodes()) key += "\n" + node;
  std::unique_ptr<Group>& group = groups_[key];
  if (!group) group.reset(new Group{{parts_, request, *std::move(kinds), rate}, {}});
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
  const auto period = std::chrono::nanoseconds(1'000'000'000 / rate_hz / looks_a_tick(rate_hz));
  const auto now = Timer::Clock::now();
  auto when = now + period;
  // From the tick before, not from now: the rate is kept. After a long sleep it begins anew.
  if (timer && timer->when() + period > now) when = timer->when() + period;
  if (!timer) timer = std::make_unique<Timer>(strand_);
  timer->at(when, [this, rate_hz] {
    if (++looks_[rate_hz] % looks_a_tick(rate_hz) == 0)
      tick(rate_hz);
    else
      look(rate_hz);
    const bool wanted =
        std::ranges::any_of(groups_, [&](const auto& entry) { return entry.second->meters.rate_hz() == rate_hz; });
    if (wanted)
      arm(rate_hz);
    else
      strand_.post([this, rate_hz] {  // not from within its own call
        const bool still_none =
            std::ranges::none_of(groups_, [&](const auto& entry) { return entry.second->meters.rate_hz() == rate_hz; });
        const auto found = timers_.find(rate_hz);
        if (found == timers_.end() || found->second->waiting()) return;
        if (still_none)
          timers_.erase(found), looks_.erase(rate_hz);
        else
          arm(rate_hz);
      });
  });
}

void MeterPoller::look(std::uint32_t rate_hz) {
  for (auto& [key, group] : groups_) {
    if (group->meters.rate_hz() == rate_hz) group->meters.gather();
  }
}

void MeterPoller::tick(std::uint32_t rate_hz) {
  std::erase_if(groups_, [&](const auto& entry) {
    std::erase_if(entry.second->watchers, [](const Watcher& watcher) { return watcher.feed.expired(); });
    return entry.second->watchers.empty();
  });
  for (auto& [key, group] : groups_) {
    MeterGroup& meters = group->meters;
    if (meters.rate_hz() != rate_hz) continue;
    const std::shared_ptr<const v1::MeterFrame> frame = meters.next();
    if (!frame) continue;
    std::shared_ptr<const v1::MeterFrame> with_layout;  // made once, for those who need it
    for (Watcher& watcher : group->watchers) {
      const auto feed = watcher.feed.lock();
      if (!feed) continue;
      std::shared_ptr<const v1::MeterFrame> message = frame;
      if (std::exchange(watcher.layout_sent, meters.layout_version()) != meters.layout_version()) {
        if (watcher.missed)  // it speaks of the layout before
          *watcher.missed = laid_out_anew(*watcher.missed, meters.change());
        if (!with_layout) with_layout = meters.with_layout(*frame);
        message = with_layout;
      }
      if (watcher.missed) {
        auto folded = std::make_shared<v1::MeterFrame>(*message);
        fold_into(*folded, *watcher.missed);
        message = std::move(folded);
      }
      if (feed->push(message))
        watcher.missed.reset();
      else
        watcher.missed = std::make_unique<v1::MeterFrame>(*message);
    }
  }
}

}  // namespace continuo::control
