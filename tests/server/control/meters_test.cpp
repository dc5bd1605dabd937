#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include "server/control/meter_poller.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kTracks =
    "{'operations':[{'addNode':{'node':{'id':'a','label':'Voice','type':'track','params':{'channels':1},'children':[{'"
    "id':'o','type':'oscillator','params':{'gain_db':-20}}]}}},"
    "{'addNode':{'node':{'id':'b','type':'bus'}}},{'connect':{'from':'a','to':'b'}},{'connect':{'from':'b','to':'out'}}"
    "]}";

std::shared_ptr<const v1::MeterFrame> next(Rig& rig, Feed<v1::MeterFrame>& feed) {
  std::shared_ptr<const v1::MeterFrame> frame;
  REQUIRE(rig.until([&] { return (frame = feed.next({})) != nullptr; }));
  return frame;
}

void check_finite(const v1::MeterFrame& frame) {
  for (const float db : frame.peak_db()) CHECK((std::isfinite(db) && db >= -150.0f));
  for (const float db : frame.rms_db()) CHECK((std::isfinite(db) && db >= -150.0f));
}

}  // namespace

TEST_CASE("meters: layout first, levels, the interval; the layout again when it changes") {
  Rig rig;
  rig.applied(kTracks);
  rig.hardware->run(9600);
  v1::WatchMetersRequest request;
  request.set_rate_hz(100);
  const auto feed = rig.meters(request);
  auto frame = next(rig, *feed);
  REQUIRE(frame->layout_size() == 3);
  CHECK(frame->layout(0).node() == "a");
  CHECK(frame->layout(0).label() == "Voice");
  CHECK(frame->layout(1).node() == "b");
  CHECK(frame->layout(2).node() == "out");
  auto covered = frame->engine_frame();
  for (int i = 0; i < 10; ++i) {
    frame = next(rig, *feed);
    check_finite(*frame);
    CHECK(frame->layout_size() == 0);
    CHECK(frame->engine_frame() - covered == frame->covers_frames());
    CHECK(frame->covers_frames() % 64 == 0);
    covered = frame->engine_frame();
  }
  CHECK(frame->not_measured_size() == 0);
  const int out = frame->peak_db_size() - 1;
  CHECK(frame->peak_db(out) == doctest::Approx(-23.0).epsilon(0.01));  // a mono tone in the middle of two
  CHECK(frame->rms_db(out) == doctest::Approx(-26.0).epsilon(0.01));
  rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
  REQUIRE(rig.until([&] {
    if (const auto got = feed->next({})) frame = got;
    return frame->layout_size() != 0;
  }));
  CHECK(frame->layout_size() == 2);
}

TEST_CASE("equal subscriptions share one message; a slow one gets what it missed folded, not a queue") {
  Rig rig;
  rig.applied(kTracks);
  v1::WatchMetersRequest request;
  request.set_rate_hz(50);
  request.add_nodes("out");
  const auto quick = rig.meters(request);
  const auto twin = rig.meters(request);
  const auto slow = rig.meters(request);
  CHECK(next(rig, *quick)->layout_size() == 1);
  CHECK(next(rig, *twin)->layout_size() == 1);
  std::shared_ptr<const v1::MeterFrame> one, other;
  REQUIRE(rig.until([&] {
    if (!one) one = quick->next({});
    if (!other) other = twin->next({});
    return one && other;
  }));
  CHECK(one.get() == other.get());

  // `slow` never reads; meanwhile there is one short loud moment.
  rig.applied("{'operations':[{'setParams':{'path':'b','values':{'gain_db':12},'rampMs':0}}]}");
  rig.hardware->run(2048);
  rig.applied("{'operations':[{'setParams':{'path':'b','values':{'gain_db':-150},'rampMs':0}}]}");
  for (int i = 0; i < 20; ++i) static_cast<void>(next(rig, *quick));
  std::int64_t covered = 0;
  float loudest = -150.0f;
  int frames = 0;
  std::int64_t first = 0, last = 0;
  const auto take = [&](const v1::MeterFrame& frame) {
    check_finite(frame);
    if (frames++ == 0) first = frame.engine_frame() - frame.covers_frames();
    covered += frame.covers_frames();
    last = frame.engine_frame();
    loudest = std::max(loudest, frame.peak_db(0));
  };
  while (const auto frame = slow->next({})) take(*frame);
  take(*next(rig, *slow));  // the one into which all was folded
  CHECK(frames <= 1 + static_cast<int>(MeterPoller::kFeedBound));
  CHECK(covered == last - first);
  CHECK(loudest == doctest::Approx(-11.0).epsilon(0.05));
}

TEST_CASE("who is told once a second misses no peak of it, though a meter remembers less") {
  Rig rig;
  const auto click = static_cast<rt::FrameCount>(rig.hardware->frames()) + 6000;
  rig.hardware->set_input([click](std::uint32_t, rt::FrameCount frame) { return frame == click ? 0.5f : 0.001f; });
  rig.stepping = false;
  v1::WatchMetersRequest request;
  request.set_rate_hz(1);
  request.add_nodes("in");
  const auto feed = rig.meters(request);
  // As a device does it, by the clock: a second is longer than the memory of a meter. For the time that a machine is
  // late nothing sounds.
  std::shared_ptr<const v1::MeterFrame> frame, loud;
  auto before = std::chrono::steady_clock::now();
  REQUIRE(rig.until([&] {
    const auto now = std::chrono::steady_clock::now();
    const double frames = std::chrono::duration<double>(now - before).count() * 48'000.0;
    before = now;
    rig.hardware->run(static_cast<std::uint64_t>(std::min(frames, 4800.0)));
    if (const auto got = feed->next({})) frame = got;
    if (frame && frame->peak_db(0) > -7.0f) loud = frame;
    return frame && frame->engine_frame() > click + 42'000;
  }));
  REQUIRE(loud);
  for (int c = 0; c < 2; ++c) {
    CHECK(loud->peak_db(c) == doctest::Approx(-6.02).epsilon(0.01));
    CHECK(loud->rms_db(c) == doctest::Approx(10.0 * std::log10(1e-6 + 0.25 / loud->covers_frames())).epsilon(0.01));
  }
}

TEST_CASE("what cannot be measured is said so; inputs and unknown nodes") {
  Rig rig;
  rig.applied(kTracks);
  rig.hardware->set_input([](std::uint32_t channel, rt::FrameCount) { return channel == 0 ? 0.5f : 0.0f; });
  v1::WatchMetersRequest request;
  request.set_rate_hz(100);
  request.set_inputs(true);
  const auto feed = rig.meters(request);
  auto frame = next(rig, *feed);
  CHECK(frame->layout(0).node() == "in");
  CHECK(frame->layout(0).channels() == 2);
  rig.hardware->run(4096);
  for (int i = 0; i < 3; ++i) frame = next(rig, *feed);
  CHECK(frame->peak_db(0) == doctest::Approx(-6.02).epsilon(0.01));
  CHECK(frame->peak_db(1) == -150.0f);
  // The device stands still: a frame a second says so.
  rig.stepping = false;
  REQUIRE(rig.until([&] {
    if (const auto got = feed->next({})) frame = got;
    return frame->not_measured_size() == frame->peak_db_size();
  }));
  check_finite(*frame);
  rig.stepping = true;
  request.add_nodes("nobody");
  const auto unknown = rig.answer<std::shared_ptr<Feed<v1::MeterFrame>>>(
      [&](auto done) { rig.engine->watch_meters(request, std::move(done)); });
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::not_found);
  CHECK(unknown.error().field == "nodes[0]");
  request.set_rate_hz(7);
  CHECK_FALSE(rig.answer<std::shared_ptr<Feed<v1::MeterFrame>>>(
      [&](auto done) { rig.engine->watch_meters(request, std::move(done)); }));
}

TEST_CASE("folding: the greater peak, the mean power, what either measured") {
  v1::MeterFrame early, late;
  early.set_covers_frames(512);
  late.set_covers_frames(1536);
  for (const float db : {-10.0f, -150.0f, -5.0f}) early.add_peak_db(db), early.add_rms_db(db);
  for (const float db : {-20.0f, -150.0f, -150.0f}) late.add_peak_db(db), late.add_rms_db(db);
  late.add_not_measured(2);
  fold_into(late, early);
  CHECK(late.peak_db(0) == -10.0f);
  CHECK(late.rms_db(0) == doctest::Approx(10.0 * std::log10((0.1 * 512 + 0.01 * 1536) / 2048)));
  CHECK(late.peak_db(1) == -150.0f);
  CHECK(late.rms_db(1) == -150.0f);
  CHECK(late.peak_db(2) == -5.0f);
  CHECK(late.not_measured_size() == 0);
  CHECK(late.covers_frames() == 2048);
}

TEST_CASE("of more clients than there is room for the newcomer is refused, and taken when another has gone") {
  Rig rig;
  v1::WatchMetersRequest request;
  request.set_rate_hz(100);
  std::vector<Result<std::shared_ptr<Feed<v1::MeterFrame>>>> feeds;
  const auto ask = [&] { rig.engine->watch_meters(request, [&](auto feed) { feeds.push_back(std::move(feed)); }); };
  for (std::size_t i = 0; i <= MeterPoller::kMaxWatchers; ++i) ask();
  REQUIRE(rig.until([&] { return feeds.size() == MeterPoller::kMaxWatchers + 1; }));
  REQUIRE_FALSE(feeds.back());
  CHECK(feeds.back().error().kind == ErrorKind::resource_exhausted);
  CHECK(feeds.back().error().reason == "TOO_MANY_WATCHERS");
  feeds.pop_back();
  for (const auto& feed : feeds) REQUIRE(feed);
  CHECK(next(rig, **feeds.front())->layout_size() > 0);
  feeds.erase(feeds.begin());
  REQUIRE(rig.until([&] {  // with the next tick
    ask();
    rig.turns(1);
    if (feeds.back()) return true;
    feeds.pop_back();
    return false;
  }));
}

TEST_CASE("meters: a node is named once, and no more are than a session has") {
  Rig rig;
  const auto refused = [&](const v1::WatchMetersRequest& request) {
    const auto got = rig.answer<std::shared_ptr<Feed<v1::MeterFrame>>>(
        [&](auto done) { rig.engine->watch_meters(request, std::move(done)); });
    REQUIRE_FALSE(got);
    return got.error().reason + " " + got.error().field;
  };
  v1::WatchMetersRequest request;
  for (const char* node : {"out", "in", "out"}) request.add_nodes(node);
  CHECK(refused(request) == "DUPLICATE_NODE nodes[2]");
  for (std::size_t i = 0; i <= MeterPoller::kMaxNamed; ++i) request.add_nodes("x");
  CHECK(refused(request) == "TOO_MANY nodes");
}
