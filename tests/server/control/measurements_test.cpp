// Named measurements of loudness over the engine.
#include "server/control/measurements.hpp"

#include <cmath>
#include <string>

#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("measurements: a tone at -23 dBFS is -23 LUFS; begun anew it forgets what was") {
  Listening rig(std::pow(10.0, -23.0 / 20.0));
  rig.run(4800);
  const auto begun = rig.start("show");
  REQUIRE(begun);
  CHECK(begun->node() == "in");
  CHECK(begun->origin().client() == "test");
  CHECK(begun->origin().identity() == "me");
  CHECK(begun->seconds() == 0.0);
  CHECK_FALSE(begun->has_integrated_lufs());
  rig.run(48'000 * 5);
  auto all = rig.list();
  REQUIRE(all.size() == 1);
  CHECK(std::abs(all[0].integrated_lufs() - -23.0) < 0.1);
  CHECK(std::abs(all[0].max_momentary_lufs() - -23.0) < 0.1);
  CHECK(std::abs(all[0].max_short_term_lufs() - -23.0) < 0.1);
  CHECK(std::abs(all[0].max_true_peak_db() - -23.0) < 0.2);
  CHECK(std::abs(all[0].max_sample_peak_db() - -23.0) < 0.01);
  CHECK(all[0].range_lu() < 0.1);
  CHECK(std::abs(all[0].seconds() - 5.0) < 0.011);  // it begins with a window of the meter
  CHECK(all[0].clipped_samples() == 0);
  CHECK(all[0].lost_frames() == 0);

  rig.sound(std::pow(10.0, -33.0 / 20.0));
  const auto was = rig.reset("show");
  REQUIRE(was);
  CHECK(std::abs(was->integrated_lufs() - -23.0) < 0.1);
  rig.run(48'000 * 4);
  const auto end = rig.stop("show");
  REQUIRE(end);
  CHECK(end->seconds() == 4.0);  // somebody listened: to the frame
  CHECK(std::abs(end->integrated_lufs() - -33.0) < 0.1);
  CHECK(std::abs(end->max_true_peak_db() - -33.0) < 0.2);
  CHECK(rig.list().empty());
}

TEST_CASE("measurements: names, bounds, and how they end") {
  Listening rig;
  CHECK(rig.start("").error().field == "name");
  CHECK(rig.start("a b").error().field == "name");
  CHECK(rig.start(std::string(64, 'a')).error().field == "name");
  CHECK(rig.start("x", "nobody").error().kind == ErrorKind::not_found);
  CHECK(rig.reset("x").error().reason == "UNKNOWN_MEASUREMENT");
  CHECK(rig.stop("x").error().reason == "UNKNOWN_MEASUREMENT");
  for (std::size_t i = 0; i < Measurements::kMax; ++i) REQUIRE(rig.start("m" + std::to_string(i)));
  CHECK(rig.start("m0").error().reason == "DUPLICATE_MEASUREMENT");
  CHECK(rig.start("one-more").error().reason == "TOO_MANY_MEASUREMENTS");
  CHECK(rig.list().size() == Measurements::kMax);
  for (std::size_t i = 0; i < Measurements::kMax; ++i) REQUIRE(rig.stop("m" + std::to_string(i)));

  rig.stepping = true;
  rig.applied("{'operations':[{'addNode':{'node':{'id':'t','type':'track'}}}]}");
  REQUIRE(rig.start("gone", "t"));
  REQUIRE(rig.start("stays"));
  rig.applied("{'operations':[{'removeNode':{'path':'t'}}]}");
  auto all = rig.list();
  REQUIRE(all.size() == 1);
  CHECK(all[0].name() == "stays");
  REQUIRE(rig.load("{'format':1,'nodes':[]}"));
  CHECK(rig.list().empty());
}

TEST_CASE("measurements: frames that the analysis came too late for are counted, and keep the time right") {
  Listening rig(0.5);
  REQUIRE(rig.start("late"));
  rig.run(4800);
  const double before = rig.list()[0].seconds();
  rig.hardware->run(48'000);  // nobody drains
  rig.engine->analyse();
  rig.run(4800);
  const v1::Measurement late = rig.list()[0];
  CHECK(late.lost_frames() > 0);
  CHECK(late.lost_frames() <= 48'000 - Analysis::kRingFrames / 2);
  CHECK(late.seconds() - before == doctest::Approx(1.1));
}

TEST_CASE("measurements: the journal tells of each beginning and each end, with what it was") {
  Listening rig(std::pow(10.0, -23.0 / 20.0));
  REQUIRE(rig.start("show"));
  REQUIRE_FALSE(rig.start("show"));
  rig.run(48'000 * 2);
  REQUIRE(rig.reset("show"));
  REQUIRE(rig.stop("show"));
  rig.stepping = true;
  rig.applied("{'operations':[{'addNode':{'node':{'id':'t','type':'track'}}}]}");
  rig.stepping = false;
  REQUIRE(rig.start("gone", "t"));
  REQUIRE(rig.start("stays"));
  rig.run(48'000);
  rig.stepping = true;
  rig.applied("{'operations':[{'removeNode':{'path':'t'}}]}");
  rig.stepping = false;
  REQUIRE(rig.until([&] { return rig.told().size() == 6; }));  // nobody has to ask
  REQUIRE(rig.list().size() == 1);
  rig.stepping = true;
  REQUIRE(rig.load("{'format':1,'nodes':[]}"));
  rig.stepping = false;
  REQUIRE(rig.start("until-the-end"));
  rig.shutdown();
  const auto told = rig.told();
  REQUIRE(told.size() == 9);
  const auto begins = [&](std::size_t i, const char* with) { CHECK_MESSAGE(told[i].starts_with(with), told[i]); };
  begins(0, "MEASUREMENT_STARTED: measurement \"show\" of \"in\" began");
  begins(1, "MEASUREMENT_RESET: measurement \"show\" of \"in\" began anew; it was -23.0 LUFS, 2.0 s");
  begins(2, "MEASUREMENT_STOPPED: measurement \"show\" of \"in\" was stopped: nothing above the gate, 0.0 s");
  begins(3, "MEASUREMENT_STARTED: measurement \"gone\" of \"t\" began");
  begins(4, "MEASUREMENT_STARTED: measurement \"stays\" of \"in\" began");
  begins(5, "MEASUREMENT_ENDED: measurement \"gone\" of \"t\" ended with its node: nothing above the gate, 1.0 s");
  begins(6, "MEASUREMENT_ENDED: measurement \"stays\" of \"in\" ended with the session: -23.0 LUFS, 1.");
  begins(7, "MEASUREMENT_STARTED: measurement \"until-the-end\" of \"in\" began");
  begins(8, "MEASUREMENT_ENDED: measurement \"until-the-end\" of \"in\" ended with the daemon: nothing above the gate");
}

TEST_CASE("measurements: a node's goes on where it is moved to, and says where that is") {
  Listening rig(0.25);
  rig.stepping = true;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'t','type':'track'}}},{'connect':{'from':'in','to':'t'}},"
      "{'addNode':{'node':{'id':'box','type':'container'}}}]}");
  rig.stepping = false;
  REQUIRE(rig.start("show", "t"));
  rig.run(48'000);
  const double before = rig.list()[0].seconds();
  rig.stepping = true;
  rig.applied("{'operations':[{'moveNode':{'path':'t','parent':'box','id':'u'}}]}");
  rig.stepping = false;
  rig.run(48'000);
  const auto all = rig.list();
  REQUIRE(all.size() == 1);
  CHECK(all[0].node() == "box/u");
  CHECK(all[0].seconds() > before + 0.9);
  CHECK(all[0].lost_frames() == 0);
  CHECK(rig.told().size() == 1);
}

TEST_CASE("measurements: an edit elsewhere that makes their meter wider takes nothing from them") {
  Listening rig(std::pow(10.0, -23.0 / 20.0));
  rig.stepping = true;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'t','type':'track'}}},{'addNode':{'node':{'id':'other','type':'track'}}}"
      ","
      "{'connect':{'from':'in','to':'t'}},{'connect':{'from':'t','to':'out'}},{'connect':{'from':'other','to':'out'}}]"
      "}");
  rig.stepping = false;
  rig.run(48'000);
  REQUIRE(rig.start("show", "out"));
  rig.run(48'000);
  const auto widths = [&] {
    v1::WatchMetersRequest request;
    request.add_nodes("out");
    const auto feed = rig.meters(request);
    rig.run(4800);
    return rig.frame(*feed)->layout(0).channels();
  };
  CHECK(widths() == 2);
  for (const char* edit : {"{'addNode':{'parent':'other','node':{'id':'m','type':'matrix','params':{'channels':4}}}}",
                           "{'removeNode':{'path':'other/m'}}"}) {
    std::optional<bool> applied;
    rig.engine->apply(Rig::request(std::string("{'operations':[") + edit + "]}"),
                      [&](const Result<v1::ApplyResponse>& got) { applied = static_cast<bool>(got); });
    REQUIRE(rig.until([&] {
      rig.run(64);
      return applied.has_value();
    }));
    CHECK(*applied);
    CHECK(widths() == (edit[2] == 'a' ? 4 : 2));
    rig.run(48'000);
  }
  const auto frames_begin = rig.engine->clock().engine_frame();
  rig.run(48'000);
  CHECK(rig.engine->clock().engine_frame() == frames_begin + 48'000);
  const v1::Measurement show = rig.list()[0];
  CHECK(show.lost_frames() == 0);
  CHECK(show.seconds() > 4.0);
  CHECK(std::abs(show.integrated_lufs() - -23.0) < 0.1);
  CHECK(rig.told().size() == 1);
}
