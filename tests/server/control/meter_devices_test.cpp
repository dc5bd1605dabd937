// Another device under those who look and listen: another rate, other channels. All begin anew, and nothing is left of
// what was.
#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include "server/control/analysis.hpp"
#include "server/control/meter_poller.hpp"
#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

/// Two devices with a tone of 1 kHz at their inputs: one at half of full scale, another, of `rate_hz` and so many
/// inputs, at a twentieth.
class Moving {
 public:
  Moving(std::uint32_t in, double rate_hz)
      : other_(std::make_shared<device::SteppedHardware>(device::stepped_info("other", in, 2, rate_hz))),
        rate_(rate_hz),
        rig(0.5, options(other_)) {
    const auto period = static_cast<rt::FrameCount>(rate_hz / 1000.0);
    other_->set_input([period](std::uint32_t, rt::FrameCount frame) {
      const double turn = static_cast<double>(frame % period) / static_cast<double>(period);
      return static_cast<float>(0.05 * std::sin(2.0 * 3.14159265358979323846 * turn));
    });
  }
  void move() {
    v1::UseDeviceRequest request;
    request.set_name("other");
    rig.stepping = true;
    REQUIRE(rig.answer<v1::UseDeviceResponse>([&](auto done) { rig.engine->use_device(request, std::move(done)); }));
    rig.stepping = false;
    rig.engine->analyse();
    CHECK_FALSE(rig.hardware->started());
  }
  /// On the other device; all of it analysed.
  void run(double seconds) {
    for (auto frames = static_cast<std::uint64_t>(seconds * rate_); frames > 0;
         frames -= std::min<std::uint64_t>(frames, 4800)) {
      other_->run(std::min<std::uint64_t>(frames, 4800));
      rig.engine->analyse();
    }
  }

 private:
  static RigOptions options(const std::shared_ptr<device::SteppedHardware>& other) {
    RigOptions options = by_hand();
    options.wanted = "stepped";
    options.more.push_back(other);
    return options;
  }
  std::shared_ptr<device::SteppedHardware> other_;
  double rate_;

 public:
  Listening rig;
};

constexpr double kLoud = -6.0206, kQuiet = -26.0206;

v1::WatchSpectrumRequest spectrum_of_in(std::uint32_t channel = 0) {
  v1::WatchSpectrumRequest request;
  request.set_node("in");
  request.set_window("flat-top");
  request.set_rate_hz(60);
  if (channel != 0) request.set_channel(channel);
  return request;
}

/// The newest that there is; nothing where nothing is new.
std::shared_ptr<const v1::MeterFrame> newest(Feed<v1::MeterFrame>& feed) {
  std::shared_ptr<const v1::MeterFrame> last;
  while (auto frame = feed.next({})) last = std::move(frame);
  return last;
}

/// The first frame of nothing but what was heard behind `begin`, every kind of it; `sounds` lets a little sound.
std::shared_ptr<const v1::MeterFrame> behind(Listening& rig, Feed<v1::MeterFrame>& feed, std::int64_t begin,
                                             const std::function<void()>& sounds) {
  std::shared_ptr<const v1::MeterFrame> frame;
  REQUIRE(rig.until([&] {
    sounds();
    frame = newest(feed);
    return frame && frame->not_measured_size() == 0 && frame->engine_frame() - frame->covers_frames() >= begin &&
           std::ranges::all_of(frame->values(), [&](const auto& values) {
             return values.engine_frame() > begin + 1024 && values.not_measured_size() == 0;
           });
  }));
  return frame;
}

}  // namespace

TEST_CASE("another rate: kinds of meters begin anew, and show nothing of what was before") {
  Moving moving(2, 96'000.0);
  Listening& rig = moving.rig;
  auto request =
      of_in({v1::METER_KIND_PEAK_HOLD, v1::METER_KIND_VU, v1::METER_KIND_PPM_I, v1::METER_KIND_TRUE_PEAK,
             v1::METER_KIND_SILENCE, v1::METER_KIND_MOMENTARY, v1::METER_KIND_SHORT_TERM, v1::METER_KIND_CORRELATION});
  request.set_hold_s(60.0);  // it would still be there
  const auto feed = rig.meters(request);
  rig.run(4 * 48'000);
  auto frame = behind(rig, *feed, 48'000, [&] { rig.run(512); });
  CHECK(std::abs(frame->values(0).values(0) - kLoud) < 0.2);
  CHECK(std::abs(frame->values(6).values(0) - kLoud) < 0.2);
  moving.move();
  moving.run(4.0);
  frame = behind(rig, *feed, rig.engine->clock().engine_frame(), [&] { moving.run(0.01); });
  for (int k = 0; k < frame->values_size(); ++k) {
    CAPTURE(k);
    if (frame->values(k).kind() == v1::METER_KIND_SILENCE) {
      CHECK(frame->values(k).values(0) == 0.0f);
    } else if (frame->values(k).kind() == v1::METER_KIND_CORRELATION) {
      CHECK(frame->values(k).values(0) == doctest::Approx(1.0));
    } else {
      CHECK(std::abs(frame->values(k).values(0) - kQuiet) < 0.2);
    }
  }
  CHECK(std::abs(frame->peak_db(1) - kQuiet) < 0.1);
}

TEST_CASE("what was heard just before another device is told, however seldom somebody looks") {
  std::uint32_t channels = 2;
  double rate_hz = 96'000.0;
  SUBCASE("another rate") {}
  SUBCASE("other channels") { channels = 1, rate_hz = 48'000.0; }
  Moving moving(channels, rate_hz);
  Listening& rig = moving.rig;
  const auto feed = rig.meters(of_in({v1::METER_KIND_CLIPS, v1::METER_KIND_TRUE_PEAK}, 1));
  rig.run(9600);
  rig.sound(1.0);
  rig.run(4800);
  rig.sound(0.1);
  rig.run(1024);
  moving.move();
  moving.run(0.02);
  const std::int64_t end = rig.engine->clock().engine_frame() - 1024;
  float peak = -150.0f, true_peak = -150.0f;
  double clips = 0.0;
  const auto take = [&](const v1::MeterFrame& frame) {  // of its first channel
    REQUIRE(frame.values_size() == 2);
    if (std::ranges::find(frame.not_measured(), 0u) == frame.not_measured().end())
      peak = std::max(peak, frame.peak_db(0));
    if (!missing(frame.values(0), 0)) clips += frame.values(0).values(0);
    if (!missing(frame.values(1), 0)) true_peak = std::max(true_peak, frame.values(1).values(0));
  };
  std::int64_t seen = 0;
  REQUIRE(rig.until([&] {
    // Who has other channels is looked at with the first frame; and no more may sound until then than is remembered.
    if (seen != 0) moving.run(0.01);
    while (const auto frame = feed->next({})) {
      take(*frame);
      seen = frame->engine_frame();
    }
    return seen > end;
  }));
  CHECK(peak == 0.0f);
  CHECK(clips == 4800 / 48 * 2);
  CHECK(std::abs(true_peak) < 0.5);
}

TEST_CASE("another rate: a spectrum has the other's bins, and its level alone") {
  Moving moving(2, 96'000.0);
  Listening& rig = moving.rig;
  const auto feed = rig.spectrum(spectrum_of_in());
  REQUIRE(feed);
  rig.run(48'000);
  std::shared_ptr<const v1::SpectrumFrame> frame;
  REQUIRE(rig.until([&] { return (frame = (*feed)->next({})) != nullptr; }));
  CHECK(frame->bin_hz() == doctest::Approx(48'000.0 / 4096));
  const std::int64_t before = frame->engine_frame();
  moving.move();
  REQUIRE(rig.until([&] {  // it is seen at the next turn; what follows is the new
    moving.run(0.2);
    if (const auto got = (*feed)->next({})) frame = got;
    return frame->bin_hz() > 20.0;
  }));
  CHECK(frame->bin_hz() == doctest::Approx(96'000.0 / 4096));
  CHECK(frame->level_db_size() == 2049);
  CHECK(frame->engine_frame() > before);
  moving.run(0.2);
  const auto loudest = std::ranges::max_element(frame->level_db());
  CHECK(std::abs(*loudest - kQuiet) < 0.1);
  CHECK(std::abs(static_cast<double>(loudest - frame->level_db().begin()) * frame->bin_hz() - 1000.0) < 24.0);
}

TEST_CASE("another rate: a measurement begins anew, and the journal says so with what it was") {
  Moving moving(2, 96'000.0);
  Listening& rig = moving.rig;
  REQUIRE(rig.start("show"));
  rig.run(5 * 48'000);
  CHECK(std::abs(rig.list()[0].integrated_lufs() - kLoud) < 0.1);
  moving.move();
  auto now = rig.list();
  REQUIRE(now.size() == 1);
  CHECK_FALSE(now[0].has_integrated_lufs());
  CHECK(now[0].seconds() < 0.5);
  moving.run(4.0);
  now = rig.list();
  CHECK(std::abs(now[0].integrated_lufs() - kQuiet) < 0.1);
  CHECK(std::abs(now[0].max_short_term_lufs() - kQuiet) < 0.1);
  CHECK(std::abs(now[0].max_true_peak_db() - kQuiet) < 0.2);
  CHECK(now[0].seconds() == doctest::Approx(4.0).epsilon(0.05));
  const auto lines = rig.told();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with("MEASUREMENT_STARTED: "));
  CHECK(
      lines[1].starts_with("MEASUREMENT_RESET: measurement \"show\" of \"in\" began anew at another rate; it was -6."));
}

TEST_CASE("other channels: levels, kinds, spectra and measurements of \"in\" have those that are there") {
  Moving moving(1, 48'000.0);
  Listening& rig = moving.rig;
  const auto feed = rig.meters(of_in({v1::METER_KIND_VU, v1::METER_KIND_MOMENTARY, v1::METER_KIND_CORRELATION}));
  const auto first = rig.spectrum(spectrum_of_in(1)), second = rig.spectrum(spectrum_of_in(2));
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(rig.start("show"));
  rig.run(4 * 48'000);
  CHECK(rig.frame(*feed)->layout(0).channels() == 2);
  CHECK(std::abs(rig.list()[0].integrated_lufs() - kLoud) < 0.1);
  REQUIRE(rig.until([&] { return (*first)->next({}) && (*second)->next({}); }));
  moving.move();
  CHECK(rig.list()[0].has_integrated_lufs());
  REQUIRE(rig.until([&] {
    moving.run(0.1);
    const auto frame = newest(*feed);
    return frame && frame->layout_size() == 1 && frame->layout(0).channels() == 1;
  }));
  moving.run(1.0);
  const std::int64_t begin = rig.engine->clock().engine_frame();
  moving.run(0.1);
  std::shared_ptr<const v1::MeterFrame> frame;
  REQUIRE(rig.until([&] { return (frame = newest(*feed)) && frame->values(0).engine_frame() > begin - 512; }));
  REQUIRE(frame->peak_db_size() == 1);
  REQUIRE(frame->values_size() == 3);
  CHECK(frame->values(0).values_size() == 1);
  CHECK(std::abs(frame->values(0).values(0) - kQuiet) < 0.2);
  CHECK(std::abs(frame->values(1).values(0) - (kQuiet - 3.01)) < 0.2);  // one channel: half the power
  CHECK(missing(frame->values(2), 0));                                  // nothing to correlate
  moving.run(3.0);
  // It goes on with the two that it began with: one of them is silent now.
  const auto measured = rig.list();
  CHECK(measured[0].seconds() > 7.0);
  CHECK(std::abs(measured[0].max_short_term_lufs() - kLoud) < 0.1);
  CHECK(measured[0].integrated_lufs() < kLoud - 0.1);
  CHECK(rig.told().size() == 1);
  // The second channel is gone: its spectrum stands still, and the first's goes on.
  while ((*second)->next({})) {
  }
  moving.run(0.5);
  std::shared_ptr<const v1::SpectrumFrame> spectrum;
  REQUIRE(rig.until([&] {
    if (const auto got = (*first)->next({})) spectrum = got;
    return spectrum && spectrum->engine_frame() > begin;
  }));
  CHECK(std::abs(*std::ranges::max_element(spectrum->level_db()) - kQuiet) < 0.1);
  CHECK((*second)->next({}) == nullptr);
}

TEST_CASE("when the last has gone, who looked and listened under two devices, nothing is fed any more") {
  Moving moving(2, 96'000.0);
  Listening& rig = moving.rig;
  auto feed = rig.meters(of_in({v1::METER_KIND_VU}));
  auto spectrum = rig.spectrum(spectrum_of_in());
  REQUIRE(rig.start("show"));
  const Analysis& analysis = rig.engine->analysis();
  rig.run(48'000);
  CHECK(analysis.listeners() == 1);  // of one meter, whoever shares it
  CHECK(analysis.analysers() == 3);
  moving.move();
  REQUIRE(rig.until([&] {
    moving.run(0.1);
    rig.list();
    return newest(*feed) && (*spectrum)->next({});
  }));
  CHECK(analysis.listeners() == 1);
  CHECK(analysis.analysers() == 3);
  feed.reset();
  REQUIRE(rig.until([&] { return analysis.analysers() == 2; }));
  *spectrum = nullptr;
  REQUIRE(rig.until([&] { return analysis.analysers() == 1; }));
  rig.engine->analyse();
  CHECK(analysis.listeners() == 1);
  REQUIRE(rig.stop("show"));
  CHECK(analysis.analysers() == 0);
  rig.engine->analyse();
  CHECK(analysis.listeners() == 0);
}
