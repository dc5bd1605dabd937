// Kinds of meters over the engine: what the analysis thread measures beside peak and RMS.
#include "server/control/meter_kinds.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("meter kinds: a tone of known level on every kind, in the order asked") {
  Listening rig(0.5);  // -6.02 dBFS
  const auto feed =
      rig.meters(of_in({v1::METER_KIND_MOMENTARY, v1::METER_KIND_TRUE_PEAK, v1::METER_KIND_VU, v1::METER_KIND_PPM_I,
                        v1::METER_KIND_PPM_II, v1::METER_KIND_PEAK_HOLD, v1::METER_KIND_CLIPS, v1::METER_KIND_SILENCE,
                        v1::METER_KIND_SHORT_TERM, v1::METER_KIND_CORRELATION, v1::METER_KIND_BALANCE},
                       1));
  rig.run(48'000 * 4);
  const auto frame = rig.frame(*feed);
  REQUIRE(frame->values_size() == 11);
  const std::array<int, 11> counts{1, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1};
  for (int k = 0; k < 11; ++k) {
    CAPTURE(k);
    CHECK(frame->values(k).values_size() == counts[static_cast<std::size_t>(k)]);
    CHECK(frame->values(k).not_measured_size() == 0);
    CHECK(std::abs(frame->values(k).engine_frame() - frame->engine_frame()) < 512);  // windows end in turns
  }
  // Both channels at -6.02 dBFS, 1 kHz: -3.01 dB a channel, +3.01 for two, K-weighting's +0.691 - 0.691.
  CHECK(frame->values(0).kind() == v1::METER_KIND_MOMENTARY);
  CHECK(std::abs(frame->values(0).values(0) - -6.02) < 0.1);
  CHECK(std::abs(frame->values(8).values(0) - -6.02) < 0.1);
  for (int c = 0; c < 2; ++c) {
    for (int k = 1; k <= 5; ++k) {
      CAPTURE(k);
      CHECK(std::abs(frame->values(k).values(c) - -6.02) < 0.2);
    }
    CHECK(frame->values(6).values(c) == 0.0f);
    CHECK(frame->values(7).values(c) == 0.0f);
  }
  CHECK(frame->values(9).values(0) == doctest::Approx(1.0));
  CHECK(std::abs(frame->values(10).values(0)) < 1e-6);
}

TEST_CASE("meter kinds: two clients with different kinds on one meter") {
  Listening rig(0.5);
  const auto one = rig.meters(of_in({v1::METER_KIND_TRUE_PEAK}, 1));
  const auto other = rig.meters(of_in({v1::METER_KIND_VU, v1::METER_KIND_CLIPS}, 1));
  const auto none = rig.meters(of_in({}, 1));
  rig.run(48'000);
  CHECK(rig.frame(*one)->values_size() == 1);
  CHECK(rig.frame(*other)->values_size() == 2);
  const auto plain = rig.frame(*none);
  CHECK(plain->values_size() == 0);
  CHECK(plain->not_measured_size() == 0);
}

TEST_CASE("meter kinds: the largest number of 16 bits is full scale, and the one below it is not") {
  Listening rig(0.0);
  const auto feed = rig.meters(of_in({v1::METER_KIND_CLIPS}));
  REQUIRE(rig.start("show"));
  rig.run(4800);
  rig.hardware->set_input([](std::uint32_t channel, rt::FrameCount frame) {
    const float largest = channel == 0 ? 32767.0f : 32766.0f;
    return (frame % 2 == 0 ? largest : -largest) / 32768.0f;
  });
  rig.run(480);
  rig.sound(0.0);
  rig.run(4800);
  const auto end = static_cast<std::int64_t>(rig.hardware->frames()) - 512;
  double first = 0.0, second = 0.0;
  for (std::int64_t heard = 0; heard < end;) {
    const auto frame = rig.frame(*feed);
    heard = frame->values(0).engine_frame();
    if (!missing(frame->values(0), 0)) first += frame->values(0).values(0);
    if (!missing(frame->values(0), 1)) second += frame->values(0).values(1);
  }
  CHECK(first == 480);
  CHECK(second == 0);
  const auto measured = rig.stop("show");
  REQUIRE(measured);
  CHECK(measured->clipped_samples() == 480);
}

TEST_CASE("meter kinds: each client is told of every clipped sample once, however slowly it reads") {
  Listening rig(0.25);
  const auto quick = rig.meters(of_in({v1::METER_KIND_CLIPS, v1::METER_KIND_TRUE_PEAK}));
  const auto slow = rig.meters(of_in({v1::METER_KIND_CLIPS, v1::METER_KIND_TRUE_PEAK}));
  rig.run(4800);
  double seen = 0.0;
  std::int64_t heard = 0;
  const auto read = [&](const v1::MeterFrame& frame) {
    for (int c = 0; c < 2; ++c)
      if (!missing(frame.values(0), static_cast<std::uint32_t>(c))) seen += frame.values(0).values(c);
    heard = frame.values(0).engine_frame();
  };
  read(*rig.frame(*quick));
  rig.sound(1.0);  // two samples of 48 at full scale, a channel
  for (int i = 0; i < 8; ++i) {
    rig.run(4800);
    read(*rig.frame(*quick));
  }
  rig.sound(0.25);
  rig.run(9600);
  const auto end = static_cast<std::int64_t>(rig.hardware->frames());
  while (heard < end - 512) read(*rig.frame(*quick));
  CHECK(seen == 8 * 4800 / 48 * 2 * 2);
  double told = 0.0;
  float most = -150.0f;
  for (heard = 0; heard < end - 512;) {
    const auto frame = rig.frame(*slow);
    heard = frame->values(0).engine_frame();
    for (int c = 0; c < 2; ++c) {
      if (missing(frame->values(0), static_cast<std::uint32_t>(c))) continue;
      told += frame->values(0).values(c);
      most = std::max(most, frame->values(1).values(c));
    }
  }
  CHECK(told == seen);
  CHECK(std::abs(most) < 0.5);  // it overshoots where the level jumps
}

TEST_CASE("meter kinds: what covers two frames") {
  using Value = std::optional<float>;
  CHECK(folded(v1::METER_KIND_CLIPS, 3.0f, 4.0f) == 7.0f);
  CHECK(folded(v1::METER_KIND_TRUE_PEAK, -3.0f, -9.0f) == -3.0f);
  CHECK(folded(v1::METER_KIND_MOMENTARY, -30.0f, Value()) == -30.0f);
  CHECK(folded(v1::METER_KIND_VU, -3.0f, -9.0f) == -9.0f);
  CHECK_FALSE(folded(v1::METER_KIND_VU, -3.0f, Value()));
  CHECK_FALSE(folded(v1::METER_KIND_CLIPS, Value(), Value()));
}

TEST_CASE("meter kinds: what cannot be asked for") {
  Listening rig;
  const auto refused = [&](const v1::WatchMetersRequest& request) {
    const auto feed = rig.answer<std::shared_ptr<Feed<v1::MeterFrame>>>(
        [&](auto done) { rig.engine->watch_meters(request, std::move(done)); });
    REQUIRE_FALSE(feed);
    CHECK(feed.error().kind == ErrorKind::invalid_argument);
    return feed.error().field;
  };
  CHECK(refused(of_in({v1::METER_KIND_VU, v1::METER_KIND_VU})) == "kinds[1]");
  CHECK(refused(of_in({v1::METER_KIND_UNSPECIFIED})) == "kinds[0]");
  CHECK(refused(of_in({v1::METER_KIND_VU, static_cast<v1::MeterKind>(99)})) == "kinds[1]");
  auto request = of_in({v1::METER_KIND_PEAK_HOLD});
  request.set_decay_db_per_s(0.5);
  CHECK(refused(request) == "decay_db_per_s");
  request.set_decay_db_per_s(20);
  request.set_hold_s(std::nan(""));
  CHECK(refused(request) == "hold_s");
  request.set_hold_s(0);
  request.set_silence_db(1);
  CHECK(refused(request) == "silence_db");
}

TEST_CASE("meter kinds: nothing is measured while the device stands, and again when it goes on") {
  Listening rig(0.5);
  const auto feed = rig.meters(of_in({v1::METER_KIND_VU, v1::METER_KIND_TRUE_PEAK}));
  rig.run(48'000);
  auto frame = rig.frame(*feed);
  CHECK(frame->values(0).not_measured_size() == 0);
  REQUIRE(rig.until([&] {  // nothing moves
    if (const auto got = feed->next({})) frame = got;
    return frame->values(0).not_measured_size() == 2 && frame->not_measured_size() == 2;
  }));
  CHECK(frame->values(1).not_measured_size() == 2);
  rig.run(4800);
  REQUIRE(rig.until([&] {
    if (const auto got = feed->next({})) frame = got;
    return frame->values(0).not_measured_size() == 0;
  }));
  CHECK(std::abs(frame->values(0).values(0) - -6.02) < 0.2);
}

TEST_CASE("meter kinds: nodes come and go under a subscription to all") {
  Listening rig;
  rig.stepping = true;
  v1::WatchMetersRequest all;
  all.set_rate_hz(100);
  all.add_kinds(v1::METER_KIND_TRUE_PEAK);
  all.add_kinds(v1::METER_KIND_MOMENTARY);
  const auto feed = rig.meters(all);
  for (int i = 0; i < 8; ++i) {
    const std::string channels = std::to_string(1 + i % 2);  // behind its pan it has two
    rig.applied("{'operations':[{'addNode':{'node':{'id':'t','type':'track','params':{'channels':" + channels +
                "},'children':[{'id':'o','type':'oscillator'}]}}},{'connect':{'from':'t','to':'out'}}]}");
    std::uint32_t count = 0;
    REQUIRE(rig.until([&] {
      rig.engine->analyse();
      const auto frame = feed->next({});
      if (!frame) return false;
      if (frame->layout_size() > 0) {
        count = 0;
        for (const auto& info : frame->layout()) count += info.channels();
      }
      return count == 4 && frame->values(0).values_size() == frame->peak_db_size() &&
             frame->values(1).values_size() == 2 && frame->values(0).not_measured_size() == 0;
    }));
    rig.applied("{'operations':[{'removeNode':{'path':'t'}}]}");
  }
}

TEST_CASE("meter kinds: an edit elsewhere changes nothing of who stays: what is held is held, what is slow goes on") {
  Listening rig(0.5);
  auto request =
      of_in({v1::METER_KIND_PEAK_HOLD, v1::METER_KIND_MOMENTARY, v1::METER_KIND_SHORT_TERM, v1::METER_KIND_VU});
  request.clear_nodes();
  request.set_inputs(true);  // and tracks: the layout changes
  request.set_hold_s(60.0);
  const auto feed = rig.meters(request);
  rig.run(48'000 * 4);
  REQUIRE(rig.frame(*feed)->layout_size() == 2);
  rig.sound(0.05);
  rig.run(48'000 * 2);
  rig.stepping = true;
  rig.applied("{'operations':[{'addNode':{'node':{'id':'t','type':'track'}}}]}");
  rig.stepping = false;
  std::shared_ptr<const v1::MeterFrame> frame;
  REQUIRE(rig.until([&] {
    rig.run(256);
    frame = feed->next({});
    return frame && frame->layout_size() == 3;
  }));
  const int of_in_alone = 0;  // the first channel of the first meter
  for (int k = 0; k < 4; ++k) {
    CAPTURE(k);
    CHECK_FALSE(missing(frame->values(k), of_in_alone));
  }
  CHECK(std::abs(frame->values(0).values(0) - -6.02) < 0.1);   // of three seconds ago
  CHECK(std::abs(frame->values(3).values(0) - -26.02) < 0.1);  // long since there
  // Of the last three seconds at most one was loud, and nearly that: they began before the edit.
  CHECK(frame->values(2).values(0) < -6.02 - 4.0);
  CHECK(frame->values(2).values(0) > -6.02 - 12.0);
}

TEST_CASE("meter kinds: where the analysis has no room a meter is not measured, and is once there is") {
  struct Nobody final : Analyser {
    void feed(const Sound&) override {}
    void publish() override {}
  };
  Analysis analysis(Analysis::Runs::by_hand);
  const auto elsewhere = std::make_shared<rt::MeterSlots>(1);
  std::vector<Analysis::Hearing> others;
  for (std::size_t i = 0; i < Analysis::kMaxAnalysers; ++i)
    others.push_back(analysis.hear(elsewhere, std::make_shared<Nobody>(), 0, 48'000.0));
  KindSettings settings;
  settings.kinds = {v1::METER_KIND_VU};
  KindMeters all(analysis);
  MeterKinds kinds(all, settings, 10);
  const std::vector<session::CompiledMeter> meters = {{1, true, "a", "", 1, std::make_shared<rt::MeterSlots>(1)}};
  const auto measured = [&] {
    const std::vector<float> sound(rt::kBlockFrames, 0.5f);
    if (rt::MeterFeed* feed = meters[0].slots->fed())
      feed->push(0, rt::kBlockFrames, [&](std::uint32_t) { return sound.data(); });
    analysis.pass();
    v1::MeterFrame frame;
    kinds.add_to(frame, false);
    REQUIRE(frame.values_size() == 1);
    REQUIRE(frame.values(0).values_size() == 1);
    return !missing(frame.values(0), 0);
  };
  kinds.follow(meters, 48'000.0, 0);
  CHECK_FALSE(measured());
  others.pop_back();
  kinds.follow(meters, 48'000.0, 0);  // at the next edit
  CHECK(measured());
  CHECK(analysis.analysers() == Analysis::kMaxAnalysers);
}

TEST_CASE("meter kinds: what is asked for twice, at whatever rates, is measured once; each is told all of it") {
  Listening rig(0.25);
  const auto kinds = {v1::METER_KIND_CLIPS, v1::METER_KIND_TRUE_PEAK, v1::METER_KIND_PEAK_HOLD};
  const auto quick = rig.meters(of_in(kinds, 100)), slow = rig.meters(of_in(kinds, 5));
  auto other_nodes = of_in(kinds, 100);
  other_nodes.add_nodes("out");
  const auto more = rig.meters(other_nodes);
  auto other_settings = of_in(kinds, 100);
  other_settings.set_hold_s(2.0);
  const Analysis& analysis = rig.engine->analysis();
  CHECK(analysis.analysers() == 2);  // of "in", of "out"
  CHECK(analysis.listeners() == 2);
  std::optional different(rig.meters(other_settings));
  CHECK(analysis.analysers() == 3);
  CHECK(analysis.listeners() == 2);
  rig.run(4800);
  rig.sound(1.0);
  rig.run(4800);
  rig.sound(0.25);
  rig.run(4800);
  const auto end = static_cast<std::int64_t>(rig.hardware->frames()) - 512;
  for (const auto& feed : {quick, slow, more}) {
    double clips = 0.0;
    float most = -150.0f;
    for (std::int64_t heard = 0; heard < end;) {
      const auto frame = rig.frame(*feed);
      heard = frame->values(0).engine_frame();
      if (missing(frame->values(0), 0)) continue;
      clips += frame->values(0).values(0);
      most = std::max(most, frame->values(1).values(0));
    }
    CHECK(clips == 4800 / 48 * 2);
    CHECK(std::abs(most) < 0.5);
  }
  // Who comes later: levels as they stand, and of maxima and sums what is from now on.
  const auto late = rig.meters(of_in(kinds, 50));
  CHECK(analysis.analysers() == 3);
  rig.run(4800);
  const auto frame = rig.frame(*late);
  CHECK(frame->values(0).values(0) == 0.0f);
  CHECK(std::abs(frame->values(1).values(0) - -12.04) < 0.5);
  CHECK(std::abs(frame->values(2).values(0)) < 0.01);  // held
  different.reset();
  REQUIRE(rig.until([&] { return analysis.analysers() == 2; }));
}
