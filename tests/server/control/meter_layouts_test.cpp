// Meters that come and go under those who look: what became of the levels of who stays.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "server/control/meter_poller.hpp"
#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

constexpr auto kClips = 0, kTruePeak = 1, kMomentary = 2;  // in the order of the request

v1::WatchMetersRequest everything(std::uint32_t rate_hz = 100) {
  v1::WatchMetersRequest request;
  request.set_rate_hz(rate_hz);
  request.set_inputs(true);
  for (const v1::MeterKind kind : {v1::METER_KIND_CLIPS, v1::METER_KIND_TRUE_PEAK, v1::METER_KIND_MOMENTARY})
    request.add_kinds(kind);
  return request;
}

/// What a client that adds up what it is told knows of one meter.
struct Known {
  float peak = -150.0f, true_peak = -150.0f, momentary = -150.0f;
  double clips = 0.0;
};

/// A client: it knows the layout by what it was sent, and nothing else.
class Client {
 public:
  explicit Client(std::shared_ptr<Feed<v1::MeterFrame>> feed) : feed_(std::move(feed)) {}
  /// Reads what there is. How many frames that were.
  int read() {
    int frames = 0;
    while (const auto frame = feed_->next({})) take(*frame), ++frames;
    return frames;
  }
  [[nodiscard]] const Known& of(const std::string& node) { return known_[node]; }
  [[nodiscard]] std::int64_t analysed() const { return analysed_; }
  [[nodiscard]] std::int64_t measured() const { return measured_; }
  [[nodiscard]] std::int64_t gap() const { return gap_; }
  [[nodiscard]] std::size_t meters() const { return layout_.size(); }

 private:
  void take(const v1::MeterFrame& frame) {
    if (frame.layout_size() > 0) layout_.assign(frame.layout().begin(), frame.layout().end());
    int flat = 0, meter = 0;
    for (const auto& info : layout_) {
      Known& known = known_[info.node()];
      for (std::uint32_t c = 0; c < info.channels(); ++c, ++flat) {
        REQUIRE(flat < frame.peak_db_size());
        const auto index = static_cast<std::uint32_t>(flat);
        if (std::ranges::find(frame.not_measured(), index) == frame.not_measured().end())
          known.peak = std::max(known.peak, frame.peak_db(flat));
        if (!missing(frame.values(kClips), index)) known.clips += frame.values(kClips).values(flat);
        if (!missing(frame.values(kTruePeak), index))
          known.true_peak = std::max(known.true_peak, frame.values(kTruePeak).values(flat));
      }
      if (!missing(frame.values(kMomentary), static_cast<std::uint32_t>(meter)))
        known.momentary = std::max(known.momentary, frame.values(kMomentary).values(meter));
      ++meter;
    }
    CHECK(flat == frame.peak_db_size());
    CHECK(flat == frame.values(kClips).values_size());
    CHECK(meter == frame.values(kMomentary).values_size());
    if (measured_ != 0) gap_ += frame.engine_frame() - frame.covers_frames() - measured_;
    measured_ = frame.engine_frame();
    analysed_ = std::max(analysed_, frame.values(kClips).engine_frame());
  }
  std::shared_ptr<Feed<v1::MeterFrame>> feed_;
  std::vector<v1::MeterFrame::MeterInfo> layout_;
  std::map<std::string, Known> known_;
  std::int64_t measured_ = 0, analysed_ = 0, gap_ = 0;
};

std::string add(const std::string& id, const std::string& more = "") {
  return "{'addNode':{'node':{'id':'" + id + "','type':'track'}" + more + "}},{'connect':{'from':'in','to':'" + id +
         "'}},{'connect':{'from':'" + id + "','to':'out'}}";
}

struct Stage : Listening {
  Stage() : Listening(0.25) { edit(add("a")); }
  /// Nobody reads meanwhile.
  void edit(const std::string& operations) {
    stepping = true;
    applied("{'operations':[" + operations + "]}");
    stepping = false;
    engine->analyse();
  }
  /// Until `quick`, which reads all the time, was told all that sounded.
  void told(Client& quick) {
    const auto end = static_cast<std::int64_t>(hardware->frames()) - 512;
    REQUIRE(until([&] {
      quick.read();
      return quick.analysed() >= end && quick.measured() >= end;
    }));
  }
};

}  // namespace

TEST_CASE("a client that does not read while tracks come and go loses no peak and no clip of those that stay") {
  Stage rig;
  Client quick(rig.meters(everything())), slow(rig.meters(everything()));
  rig.run(9600);
  rig.told(quick);
  CHECK(slow.read() > 0);
  rig.run(4800);
  rig.told(quick);  // from here on `slow` reads nothing: two frames wait for it, then all is folded
  rig.run(4800);
  rig.told(quick);

  rig.sound(1.0);
  rig.run(9600);
  rig.told(quick);
  rig.sound(0.01);
  rig.run(24'000);
  rig.told(quick);
  const Known loud = quick.of("in");
  CHECK(loud.clips == 9600 / 48 * 2 * 2);
  CHECK(loud.peak == 0.0f);
  // Twice the places of those that stay move: a track before them, another goes.
  rig.edit(add("b", ",'before':'a'"));
  rig.run(9600);
  rig.told(quick);
  rig.edit(add("c") + ",{'removeNode':{'path':'b'}}");
  rig.run(9600);
  rig.told(quick);
  REQUIRE(quick.meters() == 4);

  const auto end = quick.measured();
  REQUIRE(rig.until([&] {
    slow.read();
    quick.read();
    return slow.measured() >= end && slow.analysed() >= end - 512;
  }));
  CHECK(slow.meters() == 4);
  for (const std::string node : {"in", "a", "out"}) {
    CAPTURE(node);
    CHECK(slow.of(node).clips == quick.of(node).clips);
    CHECK(slow.of(node).peak == quick.of(node).peak);
    CHECK(slow.of(node).true_peak == quick.of(node).true_peak);
    CHECK(slow.of(node).momentary == quick.of(node).momentary);
  }
  CHECK(slow.of("in").clips == loud.clips);
  CHECK(quick.of("a").peak > -1.0f);
  // Who came was never so loud, and is not told to have been.
  CHECK(slow.of("c").peak < -30.0f);
  CHECK(slow.of("c").clips == 0.0);
  CHECK(slow.gap() == 0);
  CHECK(quick.gap() == 0);
}

TEST_CASE("a node that is moved keeps what a slow client missed of it; another of its old name has nothing of it") {
  Stage rig;
  rig.edit("{'addNode':{'node':{'id':'box','type':'container'}}}");
  Client quick(rig.meters(everything())), slow(rig.meters(everything()));
  for (int i = 0; i < 4; ++i) {
    rig.run(4800);
    rig.told(quick);
  }
  rig.sound(1.0);
  rig.run(9600);
  rig.told(quick);
  rig.sound(0.01);
  rig.run(24'000);
  rig.told(quick);
  const float loud = quick.of("a").peak;
  rig.edit("{'moveNode':{'path':'a','parent':'box'}}," + add("a"));
  rig.run(9600);
  rig.told(quick);
  const auto end = quick.measured();
  REQUIRE(rig.until([&] {
    slow.read();
    quick.read();
    return slow.measured() >= end;
  }));
  // Its first two frames, from before, told of "a" at a quarter of full scale.
  CHECK(slow.of("a").peak < -10.0f);
  CHECK(slow.of("box/a").peak == loud);
}

TEST_CASE("a layout that changes while the device stands is told at once, with all lists and no step back in time") {
  Stage rig;
  const auto feed = rig.meters(everything());
  std::shared_ptr<const v1::MeterFrame> frame;
  REQUIRE(rig.until([&] {
    rig.run(256);
    if (const auto got = feed->next({})) frame = got;
    return frame && frame->not_measured_size() == 0;
  }));
  while (const auto got = feed->next({})) frame = got;
  const std::int64_t before = frame->engine_frame();
  bool answered = false;
  rig.engine->apply(Rig::request("{'operations':[" + add("b") + "]}"), [&](const auto&) { answered = true; });
  REQUIRE(rig.until([&] {
    if (const auto got = feed->next({})) frame = got;
    return frame->layout_size() == 4;
  }));
  CHECK(frame->peak_db_size() == 8);
  REQUIRE(frame->values_size() == 3);
  CHECK(frame->values(kClips).values_size() == 8);
  CHECK(frame->values(kMomentary).values_size() == 4);
  CHECK(frame->engine_frame() >= before);
  CHECK(frame->covers_frames() == frame->engine_frame() - before);
  CHECK(frame->has_clock());
  rig.stepping = true;
  REQUIRE(rig.until([&] { return answered; }));
}

TEST_CASE("meters laid out anew: who stays, who is new, who was not measured; of channels and of meters") {
  v1::MeterFrame before;
  for (const float db : {-1.0f, -2.0f, -3.0f}) before.add_peak_db(db), before.add_rms_db(db - 3.0f);
  before.add_not_measured(1);
  before.set_engine_frame(1024);
  before.set_covers_frames(512);
  before.add_layout()->set_node("old");
  auto& clips = *before.add_values();
  clips.set_kind(v1::METER_KIND_CLIPS);
  clips.set_engine_frame(1000);
  for (const float count : {4.0f, 5.0f, 6.0f}) clips.add_values(count);
  clips.add_not_measured(2);
  auto& momentary = *before.add_values();
  momentary.set_kind(v1::METER_KIND_MOMENTARY);
  for (const float lufs : {-20.0f, -30.0f}) momentary.add_values(lufs);
  // Of meters with 2 and 1 channels: the second with a channel more, a new one, the first's first channel.
  LayoutChange change;
  change.meters = {1, std::nullopt, 0};
  change.channels = {2, std::nullopt, std::nullopt, 0, 1, 7};
  const v1::MeterFrame after = laid_out_anew(before, change);
  CHECK(after.layout_size() == 0);
  CHECK(after.engine_frame() == 1024);
  CHECK(after.covers_frames() == 512);
  const auto list = [](const auto& values) { return std::vector<double>(values.begin(), values.end()); };
  CHECK(list(after.peak_db()) == std::vector<double>{-3, -150, -150, -1, -150, -150});
  CHECK(list(after.rms_db()) == std::vector<double>{-6, -150, -150, -4, -150, -150});
  CHECK(list(after.not_measured()) == std::vector<double>{1, 2, 4, 5});
  REQUIRE(after.values_size() == 2);
  CHECK(list(after.values(0).values()) == std::vector<double>{-150, -150, -150, 4, 5, -150});
  CHECK(list(after.values(0).not_measured()) == std::vector<double>{0, 1, 2, 5});
  CHECK(after.values(0).engine_frame() == 1000);
  CHECK(list(after.values(1).values()) == std::vector<double>{-30, -150, -20});
  CHECK(list(after.values(1).not_measured()) == std::vector<double>{1});
}
