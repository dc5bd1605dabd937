// The way out of a device and in again: found in noise, measured over a loop of a known length, kept, and used to place
// takes.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>

#include "server/control/find_lag.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

std::vector<float> white(std::size_t frames, unsigned seed, float level = 0.1f) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> any(-level, level);
  std::vector<float> samples(frames);
  for (float& s : samples) s = any(random);
  return samples;
}

/// `samples` later by a part of a frame.
std::vector<float> later(const std::vector<float>& samples, double frames, std::size_t length) {
  std::vector<float> result(length);
  for (std::size_t i = 0; i < length; ++i) {
    double sum = 0.0;
    const double at = static_cast<double>(i) - frames;
    const auto middle = static_cast<std::int64_t>(std::floor(at));
    for (std::int64_t k = std::max<std::int64_t>(0, middle - 63);
         k < std::min<std::int64_t>(std::ssize(samples), middle + 64); ++k) {
      const double x = at - static_cast<double>(k);
      const double sinc = std::abs(x) < 1e-9 ? 1.0 : std::sin(M_PI * x) / (M_PI * x);
      sum += static_cast<double>(samples[static_cast<std::size_t>(k)]) * sinc * (0.5 + 0.5 * std::cos(M_PI * x / 64.0));
    }
    result[i] = static_cast<float>(sum);
  }
  return result;
}

/// A device whose output comes back `lag` frames later, with noise of its own.
struct LoopRig : Rig {
  explicit LoopRig(std::size_t frames = 777, float noise_level = 0.0f, float gain = 0.5f, RigOptions options = {})
      : Rig(std::move(options)), lag(frames), noise(white(1 << 16, 5, noise_level)) {
    // What was stepped before is not known here.
    first = static_cast<std::int64_t>(hardware->frames());
    hardware->set_input([this, gain](std::uint32_t channel, rt::FrameCount frame) {
      const std::int64_t from = frame - first - static_cast<std::int64_t>(lag);
      const float own = noise[static_cast<std::size_t>(frame) % noise.size()];
      return own + (channel == 1 && from >= 0 && from < std::ssize(played)
                        ? gain * played[static_cast<std::size_t>(from)]
                        : 0.0f);
    });
  }
  template <class T>
  Result<T> looped(const std::function<void(Done<T>)>& call) {
    std::optional<Result<T>> result;
    played.resize(hardware->frames() - static_cast<std::size_t>(first));  // what was stepped elsewhere was silent
    call([&](Result<T> got) { result.emplace(std::move(got)); });
    for (int i = 0; i < 200'000 && !result; ++i) {
      if (hardware->step(64)) {
        const auto out = hardware->last_output(0);
        played.insert(played.end(), out.begin(), out.end());
      }
      io.run_one_for(std::chrono::microseconds(100));
      io.poll();
    }
    REQUIRE(result);
    return *result;
  }
  Result<v1::CalibrateResponse> calibrate(std::uint32_t output = 1, std::uint32_t input = 2, bool forget = false) {
    v1::CalibrateRequest request;
    request.set_output(output);
    request.set_input(input);
    request.set_forget(forget);
    return looped<v1::CalibrateResponse>([&](auto done) { engine->calibrate(request, std::move(done)); });
  }
  std::size_t lag;
  std::vector<float> noise;
  std::int64_t first = 0;
  std::vector<float> played;
};

}  // namespace

TEST_CASE("find_lag: to the frame, through noise louder than the signal, of either polarity") {
  const auto out = white(12'000, 1);
  for (const std::size_t lag : {0u, 1u, 255u, 256u, 4096u, 20'000u})
    for (const float gain : {1.0f, -0.3f, 0.05f}) {
      CAPTURE(lag);
      CAPTURE(gain);
      auto back = white(40'000, 2, gain == 0.05f ? 0.02f : 0.1f);
      for (std::size_t i = 0; i < out.size(); ++i) back[i + lag] += gain * out[i];
      const auto found = find_lag(out, back, 24'000);
      REQUIRE(found);
      CHECK(std::abs(found->frames - static_cast<double>(lag)) < 0.04);
    }
}

TEST_CASE("find_lag: to a part of a frame, where the signal has one") {
  const auto out = white(12'000, 3);
  for (const double lag : {300.0, 300.25, 300.5, 1000.75}) {
    CAPTURE(lag);
    const auto found = find_lag(out, later(out, lag, 20'000), 4000);
    REQUIRE(found);
    CHECK(std::abs(found->frames - lag) < 0.03);
    CHECK(found->correlation > 0.6);
  }
}

TEST_CASE("find_lag: nothing where there is nothing") {
  const auto out = white(6000, 1);
  CHECK_FALSE(find_lag(out, std::vector<float>(20'000), 12'000));
  CHECK_FALSE(find_lag(out, white(20'000, 9), 12'000));
  CHECK_FALSE(find_lag({}, out, 100));
  CHECK_FALSE(find_lag(out, {}, 100));
  // A tone fits again each period.
  std::vector<float> tone(20'000);
  for (std::size_t i = 0; i < tone.size(); ++i) tone[i] = static_cast<float>(std::sin(static_cast<double>(i) * 0.1));
  CHECK_FALSE(find_lag(std::span(tone).first(6000), tone, 12'000));
}

TEST_CASE("calibrate: the loop's length to the frame, in noise, kept over a restart, and forgotten when asked") {
  LoopRig rig(777, 0.001f);
  CHECK_FALSE(rig.status().device().calibrated());
  const auto found = rig.calibrate();
  REQUIRE_MESSAGE(found, (found ? "" : found.error().message));
  const v1::Calibration& it = found->calibration();
  CHECK(it.round_trip_frames() == doctest::Approx(777.0).epsilon(5e-5));
  CHECK(it.device() == "stepped");
  CHECK(it.sample_rate_hz() == 48'000.0);
  CHECK(it.correlation() > 0.5);
  // Not loud: -20 dBFS through a loop of half the level.
  CHECK(*std::ranges::max_element(rig.played) <= 0.1f);
  CHECK(it.peak_dbfs() < -20.0);
  auto status = rig.status();
  CHECK(status.device().calibrated());
  CHECK(status.device().round_trip_frames() == it.round_trip_frames());
  CHECK_FALSE(status.device().calibrated_utc().empty());
  rig.restart();
  CHECK(rig.status().device().round_trip_frames() == it.round_trip_frames());
  REQUIRE(rig.calibrate(0, 0, true));
  CHECK_FALSE(rig.status().device().calibrated());
  rig.restart();
  CHECK_FALSE(rig.status().device().calibrated());
}

TEST_CASE("calibrate: the burst is faded, ends, and the session's own latency is no part of the device's") {
  LoopRig rig(500);
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'l','type':'limiter','params':"
      "{'lookahead_ms':5}}]}}},{'connect':{'from':'a','to':'out'}}]}");
  const auto found = rig.calibrate();
  REQUIRE_MESSAGE(found, (found ? "" : found.error().message));
  CHECK(found->calibration().round_trip_frames() == doctest::Approx(500.0).epsilon(5e-5));
  rig.turns(60);
  rig.hardware->clear_recording();
  rig.hardware->run(2000);
  for (const float s : rig.hardware->recording(0)) REQUIRE(s == 0.0f);
  // The document is as it was.
  CHECK(rig.session().find("calibrate") == std::string::npos);
}

TEST_CASE(
    "calibrate: refused without a loop, while takes run, for channels that are none, and levels that are not safe") {
  LoopRig rig(777, 0.001f, 0.0f);
  const auto none = rig.calibrate();
  REQUIRE_FALSE(none);
  CHECK(none.error().reason == "NO_LOOPBACK");
  CHECK(rig.calibrate(3, 1).error().kind == ErrorKind::not_found);
  CHECK(rig.calibrate(1, 3).error().field == "input");
  CHECK(rig.calibrate(0, 1).error().kind == ErrorKind::invalid_argument);
  v1::CalibrateRequest loud;
  loud.set_output(1);
  loud.set_input(1);
  loud.set_level_db(-3.0);
  CHECK(rig.looped<v1::CalibrateResponse>([&](auto done) { rig.engine->calibrate(loud, std::move(done)); })
            .error()
            .field == "level_db");
  rig.applied("{'operations':[{'recordStart':{'nodes':['in']}}]}");
  CHECK(rig.calibrate().error().reason == "TAKES_RUN");
}

TEST_CASE("a take of an input is placed by the round trip, one of a node by the latency before it") {
  LoopRig rig(777);
  REQUIRE(rig.calibrate());
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'osc','type':'oscillator'},"
      "{'id':'l','type':'limiter','params':{'lookahead_ms':5}},{'id':'rec','type':'recorder'}]}}},"
      "{'connect':{'from':'a','to':'out'}}]}");
  rig.applied(
      "{'operations':[{'locate':{'timelineFrame':'100000'}},{'recordStart':{'nodes':['in','out','a/"
      "rec'],'frames':'100'}}]}");
  v1::GetStatusResponse status;
  REQUIRE(rig.until([&] {
    status = rig.status();
    return std::ranges::all_of(status.takes(), [](const auto& take) { return !take.recording(); });
  }));
  REQUIRE(status.takes_size() == 3);
  const std::int64_t limiter = 240 + 55;
  for (const auto& take : status.takes()) {
    CAPTURE(take.node());
    CHECK(take.start_timeline_frame() == 100'000);  // the samples are not moved
    const std::int64_t expected = take.node() == "in" ? 777 + limiter : limiter;
    CHECK(take.time_reference() == 100'000 - expected);
  }
}
