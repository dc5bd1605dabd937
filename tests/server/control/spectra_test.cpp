// Spectra over the engine.
#include "server/control/spectra.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("spectra: a tone in the middle of a bin reads its level; equal subscriptions get one message") {
  Listening rig(0.5);
  v1::WatchSpectrumRequest request;
  request.set_node("in");
  request.set_fft_size(4096);
  request.set_window("flat-top");
  request.set_rate_hz(60);
  auto one = rig.spectrum(request);
  auto other = rig.spectrum(request);
  REQUIRE(one);
  REQUIRE(other);
  rig.run(48'000);
  std::shared_ptr<const v1::SpectrumFrame> frame, same;
  REQUIRE(rig.until([&] {
    if (!frame) frame = (*one)->next({});
    if (!same) same = (*other)->next({});
    return frame && same;
  }));
  CHECK(frame == same);
  REQUIRE(frame->level_db_size() == 2049);
  CHECK(frame->bin_hz() == doctest::Approx(48'000.0 / 4096));
  CHECK(frame->lost_frames() == 0);
  const auto loudest = std::ranges::max_element(frame->level_db());
  CHECK(std::abs(*loudest - -6.02) < 0.1);
  CHECK(std::abs(static_cast<double>(loudest - frame->level_db().begin()) * frame->bin_hz() - 1000.0) < 12.0);
  // A slow reader gets the newest.
  rig.run(48'000);
  REQUIRE(rig.until([&] { return (frame = (*one)->next({})) != nullptr; }));
  CHECK(frame->engine_frame() > 48'000);
}

TEST_CASE("spectra: what cannot be asked for, and the bound") {
  Listening rig;
  const auto field = [&](auto&& change) {
    v1::WatchSpectrumRequest request;
    change(request);
    const auto feed = rig.spectrum(request);
    REQUIRE_FALSE(feed);
    return feed.error().field;
  };
  CHECK(field([](auto& r) { r.set_node("nobody"); }) == "node");
  CHECK(field([](auto& r) { r.set_channel(0); }) == "channel");
  CHECK(field([](auto& r) { r.set_channel(3); }) == "channel");
  CHECK(field([](auto& r) { r.set_fft_size(1000); }) == "fft_size");
  CHECK(field([](auto& r) { r.set_fft_size(128); }) == "fft_size");
  CHECK(field([](auto& r) { r.set_window("round"); }) == "window");
  CHECK(field([](auto& r) { r.set_average_s(-1); }) == "average_s");
  CHECK(field([](auto& r) { r.set_rate_hz(100); }) == "rate_hz");
  std::vector<std::shared_ptr<Feed<v1::SpectrumFrame>>> held;
  v1::WatchSpectrumRequest request;
  request.set_fft_size(256);
  for (std::size_t i = 0; i < Spectra::kMaxSpectra; ++i) {
    request.set_average_s(static_cast<double>(i) * 0.5);
    const auto feed = rig.spectrum(request);
    REQUIRE(feed);
    held.push_back(*feed);
  }
  CHECK(rig.spectrum(request));  // equal to one that is there
  request.set_average_s(59.0);
  CHECK(rig.spectrum(request).error().reason == "TOO_MANY_SPECTRA");
  held.clear();
  CHECK(rig.spectrum(request));
}

TEST_CASE("spectra: average_s is the time in which a tone that ended falls by 4.34 dB") {
  Listening rig(0.5);
  v1::WatchSpectrumRequest request;
  request.set_node("in");
  request.set_fft_size(1024);
  request.set_window("flat-top");
  request.set_average_s(1.0);
  request.set_rate_hz(60);
  const auto feed = rig.spectrum(request);
  REQUIRE(feed);
  rig.run(48'000 * 10);
  const auto level = [&] {  // of the tone, as the last transform of what has sounded left it
    const auto end = static_cast<std::int64_t>(rig.hardware->frames());
    std::shared_ptr<const v1::SpectrumFrame> frame;
    REQUIRE(rig.until([&] {
      if (const auto got = (*feed)->next({})) frame = got;
      return frame && frame->engine_frame() > end - 1024;
    }));
    return static_cast<double>(*std::ranges::max_element(frame->level_db()));
  };
  CHECK(std::abs(level() - -6.02) < 0.1);
  rig.sound(0.0);
  rig.run(48'000);
  const double early = level();
  rig.run(48'000);
  const double late = level();
  CHECK(early < -6.02 - 3.5);
  CHECK(std::abs(early - late - 4.343) < 0.1);
}

TEST_CASE("spectra: of a node that is removed nothing is told, and again of one of its path") {
  Listening rig(0.5);
  rig.buffer = 64;
  const auto edit = [&](const char* operations) {
    rig.stepping = true;
    rig.applied(std::string("{'operations':[") + operations + "]}");
    rig.stepping = false;
    rig.engine->analyse();
  };
  const char* const add = "{'addNode':{'node':{'id':'t','type':'track'}}},{'connect':{'from':'in','to':'t'}}";
  edit(add);
  v1::WatchSpectrumRequest request;
  request.set_node("t");
  request.set_window("flat-top");
  request.set_rate_hz(60);
  const auto feed = rig.spectrum(request);
  REQUIRE(feed);
  std::shared_ptr<const v1::SpectrumFrame> frame;
  const auto next = [&] {
    REQUIRE(rig.until([&] { return (frame = (*feed)->next({})) != nullptr; }));
    return static_cast<double>(*std::ranges::max_element(frame->level_db()));
  };
  rig.run(48'000);
  CHECK(std::abs(next() - -6.02) < 0.1);
  edit("{'removeNode':{'path':'t'}}");
  rig.sound(0.05);
  REQUIRE(rig.until([&] {  // its own timer has seen it
    rig.engine->analyse();
    return rig.engine->analysis().analysers() == 0;
  }));
  rig.engine->analyse();
  CHECK(rig.engine->analysis().listeners() == 0);
  while ((*feed)->next({})) {
  }
  rig.run(48'000);
  rig.turns(100);
  CHECK((*feed)->next({}) == nullptr);
  CHECK_FALSE((*feed)->closed());
  const auto gone = static_cast<std::int64_t>(rig.hardware->frames());
  edit(add);
  REQUIRE(rig.until([&] { return rig.engine->analysis().analysers() == 1; }));
  rig.run(48'000);
  CHECK(std::abs(next() - -26.02) < 0.1);
  CHECK(frame->engine_frame() > gone);
}

TEST_CASE("spectra: what the analysis came too late for is counted in the frames") {
  Listening rig(0.5);
  v1::WatchSpectrumRequest request;
  request.set_node("in");
  request.set_rate_hz(60);
  const auto feed = rig.spectrum(request);
  REQUIRE(feed);
  rig.run(48'000);
  rig.hardware->run(48'000);  // nobody drains
  rig.run(48'000);
  const auto end = static_cast<std::int64_t>(rig.hardware->frames());
  std::shared_ptr<const v1::SpectrumFrame> frame;
  REQUIRE(rig.until([&] {
    if (const auto got = (*feed)->next({})) frame = got;
    return frame && frame->engine_frame() > end - 4096;
  }));
  CHECK(frame->lost_frames() > 0);
  CHECK(frame->lost_frames() <= 48'000 - Analysis::kRingFrames / 2);
}
