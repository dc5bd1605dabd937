// Any node has a meter while somebody looks at it; nobody hears that, and no document knows of it.
#include "server/control/meter_taps.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "server/control/measurements.hpp"
#include "server/control/strand.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

/// A tone of -20 dB, made 6 dB quieter in the chain; in a container, a bus that a feedback and a recorder hear.
const std::string kSession = R"({"format": 1, "sample_rate_hz": 48000, "nodes": [
  {"id": "t", "type": "track", "params": {"channels": 1, "gain_db": -10}, "children": [
    {"id": "s", "type": "oscillator", "params": {"gain_db": -20}},
    {"id": "g", "type": "gain", "params": {"gain_db": -6}}, {"id": "r", "type": "recorder"}]},
  {"id": "all", "type": "container", "children": [{"id": "b", "type": "bus"}]},
  {"id": "alone", "type": "gain", "params": {"gain_db": -3}},
  {"id": "f", "type": "feedback", "params": {"time_ms": 5, "channels": 1}}],
  "connections": [{"from": "t:pre", "to": "alone"}, {"from": "t:pre", "to": "f"}, {"from": "t", "to": "all/b"},
                  {"from": "all/b", "to": "out"}]})";

v1::WatchMetersRequest of(std::initializer_list<const char*> nodes, std::initializer_list<v1::MeterKind> kinds = {}) {
  v1::WatchMetersRequest request;
  for (const char* node : nodes) request.add_nodes(node);
  for (const v1::MeterKind kind : kinds) request.add_kinds(kind);
  request.set_rate_hz(100);
  return request;
}

struct Loaded : Rig {
  explicit Loaded(RigOptions options = {}) : Rig(std::move(options)) { REQUIRE(load(kSession)); }

  Result<std::shared_ptr<Feed<v1::MeterFrame>>> watch_meters(const v1::WatchMetersRequest& request) {
    return answer<std::shared_ptr<Feed<v1::MeterFrame>>>(
        [&](auto done) { engine->watch_meters(request, std::move(done)); });
  }
  /// The first frame with that many values, all of them measured; and the layout that it has.
  std::shared_ptr<const v1::MeterFrame> measured(Feed<v1::MeterFrame>& feed, int values) {
    std::shared_ptr<const v1::MeterFrame> frame;
    REQUIRE(until([&] {
      frame = feed.next({});
      if (frame && frame->layout_size() > 0) layout.assign(frame->layout().begin(), frame->layout().end());
      return frame && frame->peak_db_size() == values && frame->not_measured_size() == 0;
    }));
    return frame;
  }
  std::vector<v1::MeterFrame::MeterInfo> layout;
};

/// A graph with the session above, that a test compiles by hand.
struct ByHand {
  ByHand() {
    auto document = std::make_shared<session::Document>();
    session::DocNode track;
    track.id = "t";
    track.type = "track";
    track.uid = 10;
    session::DocNode gain;
    gain.id = "g";
    gain.type = "gain";
    gain.uid = 11;
    track.children.push_back(std::move(gain));
    document->nodes.push_back(std::move(track));
    session::ensure_device_nodes(*document);
    graph.set_document(std::move(document));
    compile();
  }
  void compile() { compiled.push_back(graph.compile(*graph.document(), {}, {})); }
  [[nodiscard]] bool has_meter(const std::string& path) const {
    return std::ranges::find(graph.meters(), path, &session::CompiledMeter::path) != graph.meters().end();
  }
  /// What was asked for happens in its turn.
  void turn() {
    io.restart();
    io.run();
  }

  boost::asio::io_context io;
  Strand strand{io};
  JobQueue jobs{strand};
  Graph graph;
  int asked = 0;
  std::vector<session::Compiled> compiled;
  std::optional<MeterTaps> taps{std::in_place, graph, jobs,
                                MeterTaps::Compile{[this] { ask(); }, [this] { strand.post([this] { ask(); }); }}};

 private:
  void ask() {
    ++asked;
    jobs.add([this](const JobQueue::Finish& finish) {
      compile();
      finish();
    });
  }
};

}  // namespace

TEST_CASE("meter taps: a source, a processor, a feedback and a recorder show their own level, in the order asked") {
  Loaded rig;
  const std::string before = rig.session();
  const auto feed = rig.watch_meters(of({"alone", "t/g", "t/s", "t/r", "t", "f"}));
  REQUIRE(feed);
  const auto frame = rig.measured(**feed, 7);  // a mono track's fader gives two
  REQUIRE(rig.layout.size() == 6);
  CHECK(rig.layout[0].node() == "alone");
  CHECK(rig.layout[3].node() == "t/r");
  CHECK(rig.layout[4].channels() == 2);
  rig.hardware->run(48'000);
  const auto later = rig.measured(**feed, 7);
  CHECK(later->peak_db(0) == doctest::Approx(-29.0).epsilon(0.002));
  CHECK(later->peak_db(1) == doctest::Approx(-26.0).epsilon(0.002));
  CHECK(later->peak_db(2) == doctest::Approx(-20.0).epsilon(0.002));
  CHECK(later->peak_db(3) == doctest::Approx(-26.0).epsilon(0.002));
  CHECK(later->peak_db(4) == doctest::Approx(-36.0 - 3.01).epsilon(0.002));
  CHECK(later->peak_db(6) == doctest::Approx(-26.0).epsilon(0.002));
  CHECK(rig.session() == before);  // it was no edit
}

TEST_CASE("meter taps: what holds nodes has no sound, and what is not there no meter") {
  Loaded rig;
  auto refused = rig.watch_meters(of({"t", "all"}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "NO_METER");
  CHECK(refused.error().field == "nodes[1]");
  refused = rig.watch_meters(of({"t/nobody"}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "UNKNOWN_NODE");
}

TEST_CASE("meter taps: spectra and measurements of a processor; both follow it where they say so") {
  RigOptions options;
  options.adjust = [](EngineConfig& config) { config.analysis_by_hand = true; };
  Loaded rig(options);
  rig.stepping = false;
  v1::WatchSpectrumRequest of_gain;
  of_gain.set_node("t/g");
  of_gain.set_channel(2);
  auto refused = rig.answer<std::shared_ptr<Feed<v1::SpectrumFrame>>>(
      [&](auto done) { rig.engine->watch_spectrum(of_gain, std::move(done)); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().field == "channel");
  of_gain.set_channel(1);
  of_gain.set_window("flat-top");
  const auto spectrum = rig.answer<std::shared_ptr<Feed<v1::SpectrumFrame>>>(
      [&](auto done) { rig.engine->watch_spectrum(of_gain, std::move(done)); });
  REQUIRE(spectrum);
  v1::StartMeasurementRequest start;
  start.set_name("chain");
  start.set_node("t/g");
  REQUIRE(rig.answer<v1::Measurement>([&](auto done) { rig.engine->start_measurement(start, std::move(done), "me"); }));
  const auto run = [&] {
    for (int i = 0; i < 20; ++i) {
      rig.hardware->run(4800);
      rig.engine->analyse();
    }
  };
  run();
  std::shared_ptr<const v1::SpectrumFrame> frame;
  REQUIRE(rig.until([&] { return (frame = (*spectrum)->next({})) != nullptr; }));
  const auto loudest = std::ranges::max_element(frame->level_db());
  CHECK(std::abs(*loudest - -26.0f) < 0.1f);
  rig.stepping = true;
  rig.applied("{'operations':[{'setLabel':{'path':'t','label':'x'}}]}");
  const auto list = [&] {
    return rig.answer<v1::ListMeasurementsResponse>([&](auto done) { rig.engine->list_measurements(std::move(done)); });
  };
  auto all = list();
  REQUIRE(all->measurements_size() == 1);
  CHECK(std::abs(all->measurements(0).max_sample_peak_db() - -26.0) < 0.05);
  CHECK(all->measurements(0).seconds() > 1.5);
  rig.applied("{'operations':[{'moveNode':{'path':'t/g','parent':'','id':'free'}}]}");
  all = list();
  REQUIRE(all->measurements_size() == 1);
  CHECK(all->measurements(0).node() == "free");
  CHECK(all->measurements(0).seconds() > 1.5);
}

TEST_CASE("meter taps: under a load, and where a node goes and comes back, the path that was asked for is shown") {
  Loaded rig;
  const auto feed = rig.watch_meters(of({"t/g", "out"}, {v1::METER_KIND_CLIPS}));
  REQUIRE(feed);
  CHECK(rig.measured(**feed, 3)->values(0).values_size() == 3);
  rig.applied("{'operations':[{'removeNode':{'path':'t/g'}}]}");
  rig.measured(**feed, 2);
  rig.applied("{'operations':[{'addNode':{'parent':'t','node':{'id':'g','type':'gain','params':{'gain_db':-1}}}}]}");
  rig.measured(**feed, 3);
  REQUIRE(rig.load(kSession));
  rig.measured(**feed, 3);
  REQUIRE(rig.layout.size() == 2);
  CHECK(rig.layout[0].node() == "t/g");
}

TEST_CASE("meter taps: the first hold asks for a plan, the last one that ends for another") {
  ByHand by;
  CHECK_FALSE(by.has_meter("t/g"));
  CHECK_FALSE(by.taps->hold("t"));
  CHECK_FALSE(by.taps->hold("out"));
  CHECK_FALSE(by.taps->hold("nobody"));
  CHECK(by.asked == 0);
  {
    MeterTaps::Hold one = by.taps->hold("t/g");
    MeterTaps::Hold two = by.taps->hold("t/g");
    CHECK(by.asked == 1);
    by.turn();
    CHECK(by.has_meter("t/g"));
    one = std::move(two);  // the first ends
    by.turn();
    CHECK(by.asked == 1);
    CHECK_FALSE(static_cast<bool>(two));
  }
  CHECK(by.asked == 1);  // not from within the call that let go
  by.turn();
  CHECK(by.asked == 2);
  CHECK_FALSE(by.has_meter("t/g"));
  CHECK(by.graph.meter_taps.empty());
}

TEST_CASE("meter taps: ready when they are in a plan, at once where they were, never for those who end first") {
  ByHand by;
  int came = 0;
  JobQueue::Finish go_on;  // something is under way, and the plan has to wait
  by.jobs.add([&](JobQueue::Finish finish) { go_on = std::move(finish); });
  by.taps->ready({"t/g", "t"}, [&](const Result<>& there) {
    CHECK(there);
    CHECK(by.has_meter("t/g"));
    ++came;
    const MeterTaps::Hold mine = by.taps->hold("t/g");
    by.taps->ready({"t/g"}, [&](const Result<>&) { ++came; });  // at once
    CHECK(came == 2);
  });
  CHECK(came == 0);
  go_on();
  by.turn();
  CHECK(came == 2);
  CHECK_FALSE(by.has_meter("t/g"));  // nobody held it
  CHECK(by.graph.meter_taps.empty());
  by.jobs.add([&](JobQueue::Finish finish) { go_on = std::move(finish); });
  by.taps->ready({"t/g"}, [&](const Result<>& there) {
    REQUIRE_FALSE(there);
    CHECK(there.error().reason == "SHUTTING_DOWN");
    ++came;
  });
  by.jobs.close();
  by.turn();
  CHECK(came == 3);
  // Who holds on longer than the engine lives holds nothing.
  MeterTaps::Hold late = by.taps->hold("t/g");
  by.taps.reset();
  late = {};
}
