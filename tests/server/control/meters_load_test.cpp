// Meters of an engine at work: tracks that come and go as fast as they can, and an hour of sound.
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "rt/meter.hpp"
#include "server/control/analysis.hpp"
#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;
using namespace std::chrono_literals;

namespace {

// Sanitizers have an allocator of their own, of which mallinfo2() knows nothing; they look for leaks at the end.
std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::string add(const std::string& id) {
  return "{'addNode':{'node':{'id':'" + id +
         "','type':'track','params':{'channels':1}}}},{'connect':{'from':'in:1','to':'" + id +
         "'}},{'connect':{'from':'" + id + "','to':'out'}}";
}
std::string remove(const std::string& id) { return "{'removeNode':{'path':'" + id + "'}}"; }

constexpr float kClickDb = -9.0309f;  // 0.5, in the middle of two channels
constexpr rt::FrameCount kNone = -1;

/// Tracks that stay, a client that looks at all there are, and clicks: a single loud sample at the input each, which
/// every track that stays has to show. The device never gets so far ahead of the client that windows are overwritten.
class Stage {
 public:
  explicit Stage(int tracks) {
    rig_.hardware->set_input([this](std::uint32_t channel, rt::FrameCount frame) {
      return channel == 0 && frame == click_ ? 0.5f : 0.001f;
    });
    std::string json;
    for (int t = 0; t < tracks; ++t) {
      staying_.push_back("t" + std::to_string(t));
      json += (t == 0 ? "" : ",") + add(staying_.back());
    }
    rig_.applied("{'operations':[" + json + "]}");
    rig_.hardware->run(9600);
    rig_.stepping = false;
    v1::WatchMetersRequest request;
    request.set_rate_hz(100);
    feed_ = rig_.meters(request);
    // Whoever comes is measured for from the end of the window on.
    rig_.hardware->run(2 * rt::kMeterWindowFrames);
    covered_ = static_cast<rt::FrameCount>(rig_.hardware->frames());
  }

  /// `edits` transactions, each sent when the one before is answered: a track comes, the fourth before goes; and on
  /// until `clicks` were checked.
  void churn(int edits, int clicks) {
    edits += edits_;
    clicks += clicks_;
    bool idle = true;
    while (edits_ < edits || clicks_ < clicks || !idle) {
      if (idle && edits_ < edits) {
        idle = false;
        ++edits_;
        std::string json = "{'operations':[" + add("x" + std::to_string(edits_));
        if (edits_ > 4) json += "," + remove("x" + std::to_string(edits_ - 4));
        v1::ApplyRequest request = Rig::request(json + "]}");
        request.set_max_wait_ms(60'000);
        rig_.engine->apply(std::move(request), [&](Result<v1::ApplyResponse> got) {
          idle = true;
          errors_ += !got || got->outcome() != v1::ApplyResponse::OUTCOME_APPLIED;
        });
      }
      turn();
    }
  }
  [[nodiscard]] int errors() const { return errors_; }
  [[nodiscard]] int missed() const { return missed_; }
  [[nodiscard]] int gaps() const { return gaps_; }
  [[nodiscard]] int layouts() const { return layouts_; }

 private:
  void turn() {
    const auto now = static_cast<rt::FrameCount>(rig_.hardware->frames());
    if (click_ == kNone) {
      click_ = now + 300;
      seen_.assign(staying_.size(), false);
    }
    if (now - covered_ < 16'000) rig_.hardware->step(256);
    rig_.hardware->clear_recording();
    rig_.io.run_one_for(1ms);
    rig_.io.poll();
    while (const auto frame = feed_->next({})) take(*frame);
  }
  void take(const v1::MeterFrame& frame) {
    if (frame.layout_size() != 0) {
      ++layouts_;
      int flat = 0;
      places_.clear();
      for (const auto& meter : frame.layout()) {
        places_[meter.node()] = flat;
        flat += static_cast<int>(meter.channels());
      }
    }
    gaps_ += frame.engine_frame() - static_cast<rt::FrameCount>(frame.covers_frames()) > covered_;
    covered_ = std::max(covered_, frame.engine_frame());
    for (std::size_t t = 0; t < staying_.size(); ++t) {
      const float db = frame.peak_db(places_.at(staying_[t]));
      if (!(db >= -150.0f && db < kClickDb + 0.1f)) ++errors_;
      if (db > kClickDb - 0.1f) seen_[t] = true;
    }
    // Windows end in turns: each track's with the click has ended, and was there when this frame was made.
    if (click_ == kNone || covered_ < click_ + 2 * static_cast<rt::FrameCount>(rt::kMeterWindowFrames)) return;
    for (const bool seen : seen_) missed_ += !seen;
    ++clicks_;
    click_ = kNone;
  }

  Rig rig_;
  std::vector<std::string> staying_;
  std::shared_ptr<Feed<v1::MeterFrame>> feed_;
  std::map<std::string, int> places_;
  std::vector<bool> seen_;
  rt::FrameCount click_ = kNone, covered_ = 0;
  int edits_ = 0, clicks_ = 0, errors_ = 0, missed_ = 0, gaps_ = 0, layouts_ = 0;
};

}  // namespace

TEST_CASE("64 tracks with meters while others come and go as fast as they can: no track that stays misses a click") {
  Stage stage(64);
  stage.churn(40, 8);
  CHECK(stage.errors() == 0);
  CHECK(stage.missed() == 0);
  CHECK(stage.gaps() == 0);
  CHECK(stage.layouts() > 2);
}

TEST_CASE("tracks with meters that come and go a thousand times leave none behind in memory") {
  Stage stage(2);
  stage.churn(600, 2);  // more than can be undone
  const std::size_t before = bytes_in_use();
  stage.churn(400, 2);
  // The history keeps what each edit changed, up to its bound: 3 KiB of each of these. A meter has more than 4 KiB.
  CHECK(bytes_in_use() <= before + 400 * 4096);
  CHECK(stage.errors() == 0);
  CHECK(stage.missed() == 0);
}

TEST_CASE(
    "an hour of sound with all that meters can do, clients coming and going: the same at the end, no memory more") {
  constexpr double kRate = 8000.0;
  constexpr std::uint32_t kBuffer = 4096;
  constexpr auto kMinute = static_cast<std::uint64_t>(60.0 * kRate);
  RigOptions options = by_hand();
  options.rate_hz = kRate;
  options.in = 1;
  Listening rig(0.0, options);
  rig.hardware->set_input([](std::uint32_t, rt::FrameCount frame) { return frame % 2 == 0 ? 0.25f : -0.25f; });
  rig.stepping = true;
  rig.applied("{'operations':[" + add("a") + "," + add("b") + "]}");
  rig.stepping = false;
  v1::WatchMetersRequest all, of_out, some;
  all.set_rate_hz(100);
  all.set_inputs(true);
  of_out.add_nodes("out");
  some.set_rate_hz(30);
  some.add_nodes("b");
  for (int kind = v1::METER_KIND_PEAK_HOLD; kind <= v1::METER_KIND_BALANCE; ++kind) {
    of_out.add_kinds(static_cast<v1::MeterKind>(kind));
    if (kind >= v1::METER_KIND_CLIPS) some.add_kinds(static_cast<v1::MeterKind>(kind));
  }
  v1::WatchSpectrumRequest bins;
  bins.set_fft_size(1024);
  auto steady = rig.meters(all), never_read = rig.meters(all), kinds = rig.meters(of_out);
  auto spectrum = rig.spectrum(bins);
  REQUIRE(rig.start("hour", "out"));
  rt::FrameCount last = 0, last_kinds = 0;
  std::uint64_t wrong = 0;
  const auto take = [&] {
    while (const auto frame = steady->next({})) {
      wrong += frame->engine_frame() < last;
      last = frame->engine_frame();
      if (frame->not_measured_size() == 0) wrong += std::abs(frame->peak_db(0) + 12.0412f) > 0.01f;
    }
    while (const auto frame = kinds->next({})) {
      wrong += frame->engine_frame() < last_kinds || frame->values(0).engine_frame() == 0;
      last_kinds = frame->engine_frame();
    }
    static_cast<void>((*spectrum)->next({}));
  };
  const auto turn = [&] {
    rig.hardware->run(2 * kBuffer, kBuffer);  // as much as the analysis has room for
    rig.engine->analyse();
    rig.hardware->clear_recording();
    rig.io.run_one_for(1ms);
    rig.io.poll();
    take();
  };
  const auto minutes = [&](int count) {
    bins.set_node("b");
    for (int m = 0; m < count; ++m) {  // a guest comes and goes
      const auto levels = rig.meters(some);
      const auto spectrum_of_b = rig.spectrum(bins);
      REQUIRE(spectrum_of_b);
      wrong += !rig.start("guest", "b");
      for (const std::uint64_t end = rig.hardware->frames() + kMinute; rig.hardware->frames() < end;) {
        turn();
        static_cast<void>(levels->next({}));
      }
      const auto measured = rig.stop("guest");
      wrong += !measured || std::abs(measured->seconds() - 60.0) > 2.0 || measured->lost_frames() != 0;
    }
  };
  minutes(6);
  const std::size_t before = bytes_in_use();
  minutes(54);
  const std::size_t after = bytes_in_use();
  CHECK(wrong == 0);
  CHECK(rig.hardware->frames() >= 60 * kMinute);
  REQUIRE(rig.until([&] {
    take();
    return last + static_cast<rt::FrameCount>(rt::kMeterWindowFrames) >
           static_cast<rt::FrameCount>(rig.hardware->frames());
  }));
  // The journal's lines of 54 measurements are in it. What one guest had, left behind each time, is many times as much.
  CHECK(after <= before + 262'144);
  const auto hour = rig.stop("hour");
  REQUIRE(hour);
  CHECK(hour->seconds() >= 3599.0);
  CHECK(hour->lost_frames() == 0);
  CHECK(hour->range_lu() < 0.1);
  steady.reset();
  never_read.reset();
  kinds.reset();
  *spectrum = nullptr;
  REQUIRE(rig.until([&] { return rig.engine->analysis().analysers() == 0; }));
  rig.engine->analyse();
  CHECK(rig.engine->analysis().listeners() == 0);
}
