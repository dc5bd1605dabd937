#include "server/control/why_desk.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "rt/meter_channels.hpp"
#include "server/control/meter_fold.hpp"
#include "server/control/metered.hpp"
#include "server/control/timer.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

/// The nodes of the chain that `path` has, or is in; else itself; none where it is a channel of the device.
std::vector<std::string> chain_at(const session::Document& document, const std::string& path) {
  const auto chain_of = [&](const std::string& strip) {
    std::vector<std::string> paths;
    const session::DocNode* const node = session::find_node(document, strip);
    if (node == nullptr || session::find_type(node->type)->role == session::TypeRole::container) return paths;
    for (std::size_t i = 0; i < node->children.size(); ++i) paths.push_back(strip + "/" + node->children[i].id);
    return paths;
  };
  std::vector<std::string> paths = chain_of(path);
  if (paths.empty() && path.find('/') != std::string::npos) paths = chain_of(path.substr(0, path.rfind('/')));
  if (paths.empty()) paths.push_back(path);
  return paths;
}

/// What was heard while somebody listened, dBFS, by path and channel; empty: not measured.
struct Heard {
  std::map<std::string, std::vector<std::optional<double>>> levels;

  /// Channel from 1; 0: the loudest.
  [[nodiscard]] std::optional<double> level_db(const std::string& path, std::uint32_t channel) const {
    const auto found = levels.find(path);
    if (found == levels.end()) return std::nullopt;
    if (channel > 0) return channel <= found->second.size() ? found->second[channel - 1] : std::nullopt;
    std::optional<double> most;
    for (const auto& level : found->second) most = level && (!most || *level > *most) ? level : most;
    return most;
  }
  [[nodiscard]] std::uint32_t channels(const std::string& path) const {
    const auto found = levels.find(path);
    return found == levels.end() ? 0u : static_cast<std::uint32_t>(found->second.size());
  }
};

v1::WhyResponse to_response(const WhyAnswer& answer) {
  v1::WhyResponse response;
  response.set_reason(to_text(answer.reason));
  response.set_node(answer.path);
  response.set_message(answer.message);
  for (const WhyStep& step : answer.steps) {
    auto& out = *response.add_steps();
    out.set_node(step.path);
    out.set_type(step.type);
    if (step.level_db) out.set_level_db(*step.level_db);
  }
  return response;
}

}  // namespace

struct WhyDesk::Asking {
  explicit Asking(Strand& strand) : timer(strand) {}
  struct Meter {
    session::CompiledMeter meter;
    rt::MeterLook look;
    rt::MeterChannelsReader reader;
  };
  [[nodiscard]] Heard heard() {
    Heard all;
    for (Meter& one : meters) {
      std::vector<rt::MeterWindow> windows(one.meter.slots->size());
      std::uint64_t missed = 0;
      const bool measured = one.reader.fold(*one.meter.slots, windows, missed);
      std::vector<std::optional<double>>& channels = all.levels[one.meter.path];
      for (const rt::MeterWindow& window : windows) {
        const double db = static_cast<double>(meter_db(static_cast<double>(window.peak), 20.0));
        channels.push_back(measured ? std::optional(db) : std::nullopt);
      }
    }
    return all;
  }
  v1::WhyRequest request;
  Done done;
  std::vector<Meter> meters;
  MeterTaps::Hold own;                  // at what was asked for
  std::vector<MeterTaps::Hold> closer;  // at the nodes of a chain that loses the sound
  Timer timer;
};

WhyDesk::WhyDesk(Parts parts) : parts_(parts) {}

WhyDesk::~WhyDesk() = default;

void WhyDesk::ask(const v1::WhyRequest& request, Done done) {
  const std::string path = request.node().empty() ? "out" : request.node();
  const session::DocNode* const node = session::find_node(*parts_.graph.document(), path);
  if (node == nullptr || session::find_type(node->type)->role == session::TypeRole::container)
    return done(find_meter(parts_.graph, path, "node").error());
  if (request.channel() > 0 && path != "out") {
    return done(make_error(ErrorKind::invalid_argument, "WRONG_FIELD", "channel",
                           "a channel is asked for of \"out\" alone, not of \"" + path + "\""));
  }
  if (asking_.size() >= kMostAtOnce) {
    return done(make_error(ErrorKind::resource_exhausted, "TOO_MANY_QUESTIONS", "",
                           "at most " + std::to_string(kMostAtOnce) + " ask why at once: try again"));
  }
  auto asking = std::make_shared<Asking>(parts_.strand);
  asking->request = request;
  asking->request.set_node(path);
  asking->done = std::move(done);
  asking->own = parts_.taps.hold(path);
  parts_.taps.ready({path}, [this, asking](const Result<>& there) {
    if (!there) return asking->done(there.error());
    listen(asking);
  });
}

void WhyDesk::listen(const std::shared_ptr<Asking>& asking) {
  asking->meters.clear();
  for (const session::CompiledMeter& meter : parts_.graph.meters()) {
    asking->meters.push_back({meter, rt::MeterLook(meter.slots), rt::MeterChannelsReader::from_now(*meter.slots)});
  }
  asking_.push_back(asking);
  if (!parts_.devices.audio_alive()) return answer(asking);
  asking->timer.after(kListen, [this, asking] { answer(asking); });
}

bool WhyDesk::look_closer(const std::shared_ptr<Asking>& asking, const WhyAnswer& found) {
  const bool is_guess = found.reason == WhyReason::gate || found.reason == WhyReason::lost_within ||
                        found.reason == WhyReason::silent_source;
  if (!is_guess || !asking->closer.empty()) return false;
  const std::vector<std::string> paths = chain_at(*parts_.graph.document(), found.path);
  for (const std::string& path : paths) {
    if (MeterTaps::Hold hold = parts_.taps.hold(path)) asking->closer.push_back(std::move(hold));
  }
  if (asking->closer.empty()) return false;
  parts_.taps.ready(paths, [this, asking](const Result<>& there) {
    if (!there) return asking->done(there.error());
    listen(asking);
  });
  return true;
}

void WhyDesk::close() {
  for (const auto& asking : std::exchange(asking_, {})) {
    asking->timer.cancel();
    asking->done(make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"));
  }
}

void WhyDesk::answer(const std::shared_ptr<Asking>& asking) {
  std::erase(asking_, asking);
  const DocumentPtr document = parts_.graph.document();
  const std::string& path = asking->request.node();
  if (session::find_node(*document, path) == nullptr) {
    return asking->done(
        make_error(ErrorKind::not_found, "UNKNOWN_NODE", "node", "there is no node \"" + path + "\" any more"));
  }
  const Heard heard = asking->heard();
  WhyFacts facts = facts_now(document);
  facts.level_db = [&](const std::string& of, std::uint32_t channel) { return heard.level_db(of, channel); };
  facts.channels = [&](const std::string& of) { return heard.channels(of); };
  const WhyAnswer found = why_silent(facts, path, asking->request.channel());
  if (!look_closer(asking, found)) asking->done(to_response(found));
}

std::string WhyDesk::player_error(const session::Document& document, const std::string& path) const {
  if (const auto found = parts_.sources.errors().find(path); found != parts_.sources.errors().end())
    return found->second;
  const session::DocNode* node = session::find_node(document, path);
  std::vector<std::string> files;
  for (const session::QueueItem& item : node->queue) files.push_back(item.file);
  if (files.empty()) files.push_back(session::text_of(*node, "file"));
  std::string first;
  for (const std::string& file : files) {
    const auto found = parts_.media.errors().find(file);
    if (found == parts_.media.errors().end()) return {};  // one of them can be played
    if (first.empty()) first = found->second.message;
  }
  return first;
}

WhyFacts WhyDesk::facts_now(const DocumentPtr& document) {
  WhyFacts facts{.document = *document};
  facts.player = [this](const std::string& of) -> std::optional<rt::PlayReading> {
    const session::CompiledPlayer* player = parts_.graph.player(of);
    rt::PlayReading reading;
    if (player == nullptr || !player->slot->try_read(reading)) return std::nullopt;
    return reading;
  };
  facts.player_error = [this, document](const std::string& of) { return player_error(*document, of); };
  parts_.faults.look();
  v1::GetStatusResponse status;
  parts_.faults.report(status);
  for (const auto& fault : status.node_faults())
    if (fault.muted()) facts.faulty.push_back(fault.path());
  facts.rolling = parts_.transport.rolling();
  facts.stalled = !parts_.devices.audio_alive();
  const device::Device* device = parts_.devices.current();
  facts.clock_device = device != nullptr && device->info().host_api == "clock";
  facts.inputs = parts_.graph.shape().in_channels;
  facts.outputs = parts_.graph.shape().out_channels;
  return facts;
}

}  // namespace continuo::control
