#include "server/control/analysis.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "doctest/doctest.h"

using namespace continuo;
using namespace continuo::control;

namespace {

struct Heard final : Analyser {
  void feed(const Sound& sound) override {
    if (frames == 0) begin = sound.end_frame - sound.frames;
    if (frames != 0) gapless = gapless && sound.end_frame - sound.frames == end;
    frames += sound.frames;
    lost += sound.lost;
    if (sound.channels == nullptr) silent += sound.frames;
    if (sound.channels != nullptr) first_sample = sound.channels[0][0];
    end = sound.end_frame;
  }
  void publish() override { ++published; }
  rt::FrameCount begin = 0, end = 0, frames = 0, silent = 0;
  std::uint64_t lost = 0;
  float first_sample = 0.0f;
  bool gapless = true;
  int published = 0;
};

/// As the audio thread does: each sample is the number of its frame.
void push(rt::MeterSlots& slots, rt::FrameCount from, rt::FrameCount frames) {
  while (frames > 0) {
    const auto n = std::min<rt::FrameCount>(rt::kBlockFrames, frames);
    std::array<float, rt::kBlockFrames> samples{};
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<float>(from + static_cast<int>(i));
    slots.fed()->push(from, static_cast<std::uint32_t>(n), [&](std::uint32_t) { return samples.data(); });
    from += n;
    frames -= n;
  }
}

}  // namespace

TEST_CASE("analysis: one listener a meter, shared; nothing is fed when the last has gone") {
  Analysis analysis(Analysis::Runs::by_hand);
  const auto slots = std::make_shared<rt::MeterSlots>(2);
  CHECK(slots->fed() == nullptr);
  CHECK_FALSE(slots->looked_at());
  auto a = std::make_shared<Heard>(), b = std::make_shared<Heard>();
  auto first = analysis.hear(slots, a, 0, 48'000.0);
  auto second = analysis.hear(slots, b, 0, 48'000.0);
  CHECK(analysis.listeners() == 1);
  CHECK(analysis.analysers() == 2);
  REQUIRE(slots->fed() != nullptr);
  push(*slots, 0, 1000);
  analysis.pass();
  CHECK(a->frames == 1000);
  CHECK(b->frames == 1000);
  CHECK(a->published == 1);
  first = {};
  push(*slots, 1000, 100);
  analysis.pass();
  CHECK(a->frames == 1000);
  CHECK(b->frames == 1100);
  second = {};
  CHECK(analysis.analysers() == 0);
  // Somebody else before the pass: the listener goes on.
  auto third = analysis.hear(slots, a, 1100, 48'000.0);
  analysis.pass();
  CHECK(analysis.listeners() == 1);
  third = {};
  analysis.pass();
  CHECK(analysis.listeners() == 0);
  CHECK(slots->fed() == nullptr);
  CHECK_FALSE(slots->looked_at());
}

TEST_CASE("analysis: from the frame on that was asked for, in the middle of a piece too") {
  Analysis analysis(Analysis::Runs::by_hand);
  const auto slots = std::make_shared<rt::MeterSlots>(1);
  auto all = std::make_shared<Heard>(), late = std::make_shared<Heard>();
  const auto first = analysis.hear(slots, all, 0, 48'000.0);
  push(*slots, 0, 640);
  const auto second = analysis.hear(slots, late, 100, 48'000.0);
  analysis.pass();
  CHECK(all->frames == 640);
  CHECK(late->frames == 540);
  CHECK(late->begin == 100);
  CHECK(late->gapless);
}

TEST_CASE("analysis: what was lost is silence of its length, and counted; a gap is silence") {
  Analysis analysis(Analysis::Runs::by_hand);
  const auto slots = std::make_shared<rt::MeterSlots>(2);
  auto heard = std::make_shared<Heard>();
  const auto hearing = analysis.hear(slots, heard, 0, 48'000.0);
  push(*slots, 0, 64);
  analysis.pass();
  push(*slots, 64, 64 * 1000);  // more than fits
  analysis.pass();
  push(*slots, 64 * 1001, 64);
  analysis.pass();
  CHECK(heard->frames == 64 * 1002);
  CHECK(heard->gapless);
  CHECK(heard->lost > 0);
  CHECK(heard->silent == static_cast<rt::FrameCount>(heard->lost));
  const std::uint64_t lost = heard->lost;
  push(*slots, 64 * 1010, 64);  // out of the plan for a while
  analysis.pass();
  CHECK(heard->frames == 64 * 1011);
  CHECK(heard->lost == lost);
  push(*slots, rt::FrameCount{1} << 40, 64);  // far away: no more than the longest gap
  analysis.pass();
  CHECK(heard->frames == 64 * 1011 + Analysis::kLongestGap + 64);
}

TEST_CASE("analysis: the newcomer loses at the bound of analysers and of meters") {
  Analysis analysis(Analysis::Runs::by_hand);
  const auto slots = std::make_shared<rt::MeterSlots>(1);
  std::vector<Analysis::Hearing> held;
  for (std::size_t i = 0; i < Analysis::kMaxAnalysers; ++i) {
    held.push_back(analysis.hear(slots, std::make_shared<Heard>(), 0, 48'000.0));
    REQUIRE(held.back());
  }
  CHECK_FALSE(analysis.hear(slots, std::make_shared<Heard>(), 0, 48'000.0));
  held.pop_back();
  CHECK(analysis.hear(slots, std::make_shared<Heard>(), 0, 48'000.0));
  held.clear();
  analysis.pass();
  for (std::size_t i = 0; i < Analysis::kMaxListeners; ++i)
    held.push_back(analysis.hear(std::make_shared<rt::MeterSlots>(1), std::make_shared<Heard>(), 0, 48'000.0));
  CHECK(held.back());
  CHECK_FALSE(analysis.hear(slots, std::make_shared<Heard>(), 0, 48'000.0));
  CHECK(slots->fed() == nullptr);
}

TEST_CASE("analysis: its own thread drains, and ends with it") {
  const auto slots = std::make_shared<rt::MeterSlots>(1);
  struct Counted final : Analyser {
    void feed(const Sound& sound) override { frames.fetch_add(sound.frames); }
    void publish() override {}
    std::atomic<std::uint64_t> frames{0};
  };
  const auto counted = std::make_shared<Counted>();
  {
    Analysis analysis;
    {
      const auto hearing = analysis.hear(slots, counted, 0, 48'000.0);
      push(*slots, 0, 6400);
      while (counted->frames.load() < 6400) std::this_thread::yield();
    }
    while (analysis.listeners() > 0) std::this_thread::yield();
    CHECK(slots->fed() == nullptr);
  }
  CHECK(counted->frames.load() == 6400);
}
