#include "server/control/spectra.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

#include "server/control/meter_fold.hpp"
#include "server/control/metered.hpp"
#include "server/control/spectrum_meter.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {
namespace {

constexpr std::array<std::uint32_t, 8> kRates = {1, 2, 5, 10, 20, 30, 50, 60};

Error bad(const char* reason, const char* field, std::string message) {
  return make_error(ErrorKind::invalid_argument, reason, field, std::move(message));
}

Result<analysis::SpectrumSettings> settings_of(const v1::WatchSpectrumRequest& request, std::uint32_t rate) {
  analysis::SpectrumSettings settings;
  settings.size = request.has_fft_size() ? request.fft_size() : 4096;
  if (settings.size < 256 || settings.size > 65536 || !std::has_single_bit(settings.size))
    return bad("OUT_OF_RANGE", "fft_size", "fft_size is a power of two from 256 to 65536");
  const std::string& window = request.window();
  if (window.empty() || window == "hann") {
    settings.window = analysis::Window::hann;
  } else if (window == "blackman-harris") {
    settings.window = analysis::Window::blackman_harris;
  } else if (window == "flat-top") {
    settings.window = analysis::Window::flat_top;
  } else if (window == "rectangular") {
    settings.window = analysis::Window::rectangular;
  } else {
    return bad("UNKNOWN_WINDOW", "window", "the window is hann, blackman-harris, flat-top or rectangular");
  }
  if (!(request.average_s() >= 0.0 && request.average_s() <= 60.0))
    return bad("OUT_OF_RANGE", "average_s", "average_s must be 0 to 60 seconds");
  if (request.average_s() > 0.0) {
    settings.averaging = analysis::Averaging::exponential;  // of all of the sound
    settings.time_constant_s = request.average_s();
  } else {
    settings.averaging = analysis::Averaging::none;
    settings.rate_hz = rate;
  }
  return settings;
}

}  // namespace

struct Spectra::Group {
  Group(Strand& strand, std::uint32_t rate) : rate_hz(rate), timer(strand) {}
  std::string node;
  std::uint32_t channel = SpectrumMeter::kAll;
  std::uint32_t rate_hz;
  analysis::SpectrumSettings settings;
  std::vector<std::weak_ptr<SpectrumFeed>> watchers;

  std::uint64_t changes = ~std::uint64_t{0};  // of the graph that the meter was taken from
  MeterTaps::Hold tap;                        // where the node has no meter of its own
  double sample_rate_hz = 0.0;
  std::shared_ptr<rt::MeterSlots> slots;
  std::shared_ptr<SpectrumMeter> measures;
  Analysis::Hearing hearing;
  std::uint64_t seen = 0;         // transforms
  std::uint64_t lost_before = 0;  // of meters that it had before
  std::uint32_t empty_ticks = 0;
  std::shared_ptr<const v1::SpectrumFrame> last;
  Timer timer;
};

Spectra::Spectra(Strand& strand, const Graph& graph, MeterTaps& taps, Analysis& analysis,
                 std::function<rt::FrameCount()> engine_frame)
    : strand_(strand), graph_(graph), taps_(taps), analysis_(analysis), engine_frame_(std::move(engine_frame)) {}

Spectra::~Spectra() = default;

void Spectra::clear_unwatched() {
  std::erase_if(groups_, [](const auto& entry) {
    return std::ranges::all_of(entry.second->watchers, [](const auto& watcher) { return watcher.expired(); });
  });
}

Result<std::shared_ptr<Spectra::SpectrumFeed>> Spectra::watch(const v1::WatchSpectrumRequest& request) {
  const std::uint32_t rate = request.has_rate_hz() ? request.rate_hz() : 10;
  if (std::ranges::find(kRates, rate) == kRates.end())
    return bad("OUT_OF_RANGE", "rate_hz", "the rate is 1, 2, 5, 10, 20, 30, 50 or 60, not " + std::to_string(rate));
  const Result<analysis::SpectrumSettings> settings = settings_of(request, rate);
  if (!settings) return settings.error();
  const std::string node = request.node().empty() ? "out" : request.node();
  const auto meter = find_meter(graph_, node, "node");
  if (!meter) return meter.error();
  if (request.has_channel() && (request.channel() == 0 || request.channel() > (*meter)->channels)) {
    return bad("OUT_OF_RANGE", "channel",
               session::quoted(node) + " has channels 1 to " + std::to_string((*meter)->channels));
  }
  clear_unwatched();
  std::size_t watchers = 0;
  for (const auto& [key, group] : groups_) watchers += group->watchers.size();
  if (watchers >= kMaxWatchers) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_WATCHERS", "",
                      "at most " + std::to_string(kMaxWatchers) + " clients look at spectra at once");
  }
  std::string key = node;
  for (const std::string& part :
       {std::to_string(request.channel()), std::to_string(rate), std::to_string(settings->size),
        std::to_string(static_cast<int>(settings->window)), std::to_string(request.average_s())})
    key += " " + part;
  auto found = groups_.find(key);
  if (found == groups_.end()) {
    if (groups_.size() >= kMaxSpectra) {
      return make_error(ErrorKind::resource_exhausted, "TOO_MANY_SPECTRA", "",
                        "at most " + std::to_string(kMaxSpectra) + " different spectra are worked out at once");
    }
    auto group = std::make_unique<Group>(strand_, rate);
    group->node = node;
    if (request.has_channel()) group->channel = request.channel() - 1;
    group->settings = *settings;
    follow(*group);
    if (!group->hearing) {
      return make_error(ErrorKind::resource_exhausted, "TOO_MANY_ANALYSES", "",
                        "the analysis of meters has no room: try again when others have gone");
    }
    found = groups_.emplace(std::move(key), std::move(group)).first;
    arm(*found->second);
  }
  auto feed = std::make_shared<SpectrumFeed>(1);
  if (found->second->last) static_cast<void>(feed->push(found->second->last));
  found->second->watchers.push_back(feed);
  return feed;
}

void Spectra::close() {
  for (const auto& [key, group] : groups_) {
    for (const auto& watcher : group->watchers) {
      if (const auto feed = watcher.lock()) feed->close();
    }
  }
  groups_.clear();
}

void Spectra::follow(Group& group) {
  if (std::exchange(group.changes, graph_.changes()) == graph_.changes()) return;
  group.tap = taps_.hold(group.node);
  const session::CompiledMeter* const found = graph_.meter(group.node);
  const bool there = found != nullptr && (group.channel == SpectrumMeter::kAll || group.channel < found->slots->size());
  const std::shared_ptr<rt::MeterSlots> slots = there ? found->slots : nullptr;
  const double rate = graph_.shape().sample_rate_hz;
  if (slots == group.slots && rate == group.sample_rate_hz) return;
  group.slots = slots;
  group.sample_rate_hz = rate;
  group.hearing = {};
  if (group.measures) group.lost_before += group.measures->read(group.seen).lost;
  group.measures.reset();
  group.seen = 0;
  group.last.reset();
  if (slots == nullptr) return;
  group.measures = std::make_shared<SpectrumMeter>(rate, group.channel, group.settings);
  group.hearing = analysis_.hear(slots, group.measures, engine_frame_(), rate);
}

void Spectra::arm(Group& group) {
  const auto period = std::chrono::nanoseconds(1'000'000'000 / group.rate_hz);
  const auto now = Timer::Clock::now();
  auto when = now + period;
  if (group.timer.when() < now && group.timer.when() + period > now) when = group.timer.when() + period;
  group.timer.at(when, [this, &group] { tick(group); });
}

void Spectra::tick(Group& group) {
  std::erase_if(group.watchers, [](const auto& watcher) { return watcher.expired(); });
  if (group.watchers.empty()) return strand_.post([this] { clear_unwatched(); });  // not from within its own call
  arm(group);
  follow(group);
  if (!group.measures) return;
  const SpectrumMeter::Reading reading = group.measures->read(group.seen);
  if (reading.transforms != group.seen) {
    group.seen = reading.transforms;
    auto frame = std::make_shared<v1::SpectrumFrame>();
    for (const double db : reading.db) frame->add_level_db(static_cast<float>(std::min(db, double{kLoudestDb})));
    frame->set_bin_hz(reading.bin_hz);
    frame->set_engine_frame(reading.end_frame);
    frame->set_lost_frames(group.lost_before + reading.lost);
    group.last = std::move(frame);
    group.empty_ticks = 0;
  } else if (!group.last || ++group.empty_ticks < group.rate_hz) {
    return;
  } else {
    group.empty_ticks = 0;
  }
  for (const auto& watcher : group.watchers) {
    const auto feed = watcher.lock();
    if (!feed || feed->push(group.last)) continue;
    feed->clear();  // the newest replaces what was not read
    static_cast<void>(feed->push(group.last));
  }
}

}  // namespace continuo::control
