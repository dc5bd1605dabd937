// The edges of a player's sound: stop, locate, resume and a late disk, against a reference computed frame by frame.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "rt/nodes/player.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::FakeReader;
using test::probe;
using test::Rig;
using Kind = rt::Action::Kind;
constexpr rt::FrameCount kFade = rt::FadeTail::kMostFrames;

struct FadeRig : Rig {
  explicit FadeRig(std::uint32_t channels, bool free = false)
      : Rig(channels), player(adopt(std::make_unique<rt::PlayerNode>(1, free, 0, channels), {0.0})) {
    test::PlanBuilder b;
    b.node(node(rt::device_output_kind()), b.node(player, {}, channels), 0);
    send(b.build(), {});
  }
  static rt::Action give(rt::Source* source, std::uint32_t fade = kFade) {
    rt::Action a = Rig::give(0, source);
    a.ramp_frames = fade;
    return a;
  }
  rt::PlayerNode& player;
};

float in(rt::FrameCount i) { return i < kFade ? static_cast<float>(i + 1) / static_cast<float>(kFade) : 1.0f; }
/// `level`: what it had faded in to.
float out(rt::FrameCount i, float level = 1.0f) {
  return level * (static_cast<float>(kFade - 1 - i) / static_cast<float>(kFade));
}

}  // namespace

TEST_CASE("a stop fades out what was to come, a resume fades in from where it stopped, in any buffers") {
  for (const std::uint32_t channels : {1u, 2u, 3u, 7u})
    for (const bool free : {false, true})
      for (const auto& pattern : test::buffer_patterns()) {
        FakeReader disk(channels, 8192 * channels);
        disk.fill();
        FadeRig rig(channels, free);
        const Kind start = free ? Kind::player_start : Kind::transport_start;
        const Kind stop = free ? Kind::player_stop : Kind::transport_stop;
        rig.send(nullptr, {FadeRig::give(&disk.source)});
        rig.send(Rig::act(start), 100);
        rig.send(Rig::act(stop), 1333);
        rig.send(Rig::act(start), 2000);
        rig.send(Rig::act(stop), 2100);  // in the middle of its fade
        rig.send(Rig::act(start), 2900);
        rig.run(4000, pattern);
        for (rt::FrameCount i = 0; i < 4000; ++i)
          for (std::uint32_t c = 0; c < channels; ++c) {
            float want = 0.0f;
            if (i >= 100 && i < 1333) want = probe(i - 100, c);  // from the item's beginning: no fade
            if (i >= 1333 && i < 1333 + kFade) want = probe(i - 100, c) * out(i - 1333);
            if (i >= 2000 && i < 2100) want = probe(i - 2000 + 1233, c) * in(i - 2000);
            if (i >= 2100 && i < 2100 + kFade) want = probe(i - 2000 + 1233, c) * out(i - 2100, in(99));
            if (i >= 2900) want = probe(i - 2900 + 1333, c) * in(i - 2900);
            const float got = rig.out[c][static_cast<std::size_t>(i)];
            if (got != want) {
              CAPTURE(i);
              CAPTURE(free);
              CAPTURE(channels);
              REQUIRE(got == want);
            }
          }
        CHECK(disk.source.starved_frames == 0);
      }
}

TEST_CASE("a locate lets the old place fade out beside the new one, and is the item's very samples afterwards") {
  for (const auto& pattern : test::buffer_patterns()) {
    FakeReader before(2, 16384), after(2, 16384, 10'000), third(2, 16384, 20'000);
    before.fill();
    after.fill();
    third.fill();
    FadeRig rig(2);
    rig.send(nullptr, {FadeRig::give(&before.source), Rig::act(Kind::transport_start)});
    rig.send(nullptr, {FadeRig::give(&after.source), Rig::locate(10'000)}, 777);
    rig.send(nullptr, {FadeRig::give(&third.source), Rig::locate(20'000)}, 900);  // two tails at once
    rig.run(2500, pattern);
    for (rt::FrameCount i = 0; i < 2500; ++i) {
      float want = i < 777 ? probe(i, 1) : i < 900 ? probe(i - 777 + 10'000, 1) * in(i - 777) : 0.0f;
      float tail = 0.0f;
      if (i >= 777 && i < 777 + kFade) tail += probe(i, 1) * out(i - 777);
      if (i >= 900 && i < 900 + kFade) tail += probe(i - 777 + 10'000, 1) * out(i - 900, in(899 - 777));
      if (i >= 900) want = probe(i - 900 + 20'000, 1) * in(i - 900);
      CAPTURE(i);
      REQUIRE(rig.out[1][static_cast<std::size_t>(i)] == want + tail);
    }
    const auto events = rig.events();
    CHECK(events[2].batch->actions[0].source == &before.source);  // home at once, though it is still heard
    CHECK(events[3].batch->actions[0].source == &after.source);
  }
}

TEST_CASE("what is reached or begun at item frame 0 never fades in, and a hand-over at the item's end has no seam") {
  FakeReader first(1, 4096, 0, 1000), second(1, 4096, 0, 500), timeline(1, 4096, 0, 700);
  first.fill();
  second.fill();
  timeline.fill();
  FadeRig free(1, true), rig(1);
  free.send(nullptr, {FadeRig::give(&first.source), Rig::act(Kind::player_start)});
  free.send(nullptr, {FadeRig::give(&second.source)}, 1000);
  free.run(1600, {100});
  rig.send(nullptr, {FadeRig::give(&timeline.source), Rig::locate(-300), Rig::act(Kind::transport_start)});
  rig.run(1600, {100});
  for (std::size_t i = 0; i < 1600; ++i) {
    REQUIRE(free.out[0][i] == (i < 1500 ? probe(static_cast<rt::FrameCount>(i % 1000)) : 0.0f));
    REQUIRE(rig.out[0][i] == (i >= 300 && i < 1000 ? probe(static_cast<rt::FrameCount>(i) - 300) : 0.0f));
  }
}

TEST_CASE("a tail shorter than the fade: the item ends before, or the ring holds no more") {
  FakeReader ends(1, 4096, 0, 400), shallow(1, 4096);
  ends.fill();
  shallow.fill(500);
  for (FakeReader* disk : {&ends, &shallow}) {
    FadeRig rig(1);
    rig.send(nullptr, {FadeRig::give(&disk->source), Rig::act(Kind::transport_start)});
    rig.send(Rig::act(Kind::transport_stop), 300);
    rig.run(1000, {64});
    for (rt::FrameCount i = 300; i < 1000; ++i) {
      float want = 0.0f;
      if (disk == &ends && i < 400) want = probe(i) * out(i - 300);
      if (disk == &shallow && i < 500) want = probe(i) * (static_cast<float>(499 - i) / 200.0f);
      CAPTURE(i);
      REQUIRE(rig.out[0][static_cast<std::size_t>(i)] == want);
    }
  }
}

TEST_CASE("a late disk: the last sample goes to silence without an edge, what comes back fades in at its place") {
  for (const auto& pattern : test::buffer_patterns()) {
    FakeReader disk(2, 8192, 0, 3500);
    FadeRig rig(2);
    disk.fill(300);
    rig.send(nullptr, {FadeRig::give(&disk.source), Rig::act(Kind::transport_start)});
    rig.run(500, pattern);
    disk.fill(100);  // all of them too late
    rig.run(700, pattern);
    CHECK(disk.source.starved_frames == 900);
    disk.fill();
    rig.run(2800, pattern);
    for (rt::FrameCount i = 0; i < 4000; ++i)
      for (std::uint32_t c = 0; c < 2; ++c) {
        float want = i < 300 ? probe(i, c) : 0.0f;
        if (i >= 300 && i < 300 + kFade) want = probe(299, c) * out(i - 300);
        if (i >= 1200 && i < 3500) want = probe(i, c) * in(i - 1200);
        CAPTURE(i);
        REQUIRE(rig.out[c][static_cast<std::size_t>(i)] == want);
      }
    CHECK(disk.source.starved_frames == 900);
    CHECK(rig.counters().starved_frames == 900);
  }
}

TEST_CASE("any transport at any frames: no step in the sound, and the same samples in any buffers") {
  CHECK(rc::check([] {
    struct Event {
      rt::FrameCount frame;
      int kind;
      rt::FrameCount place;
    };
    const auto count = *rc::gen::inRange(1, 12);
    std::vector<Event> events;
    rt::FrameCount at = 0;
    for (int i = 0; i < count; ++i) {
      at += *rc::gen::inRange<rt::FrameCount>(0, 900);
      events.push_back({at, *rc::gen::inRange(0, 3), *rc::gen::inRange<rt::FrameCount>(1, 100'000)});
    }
    const bool free = *rc::gen::arbitrary<bool>();
    test::Channels reference;
    for (const auto& pattern : {test::buffer_patterns()[5], test::buffer_patterns()[8]}) {
      std::vector<std::unique_ptr<FakeReader>> disks;
      FadeRig rig(1, free);
      const auto source_at = [&](rt::FrameCount place) {
        auto& disk = *disks.emplace_back(std::make_unique<FakeReader>(1, 16384, place));
        for (rt::FrameCount i = place; disk.writer.space() > 0; ++i) {  // a slow triangle, all sources in phase or not
          const auto phase = static_cast<float>((i * 7 + place) % 20'000) / 10'000.0f;
          if (!disk.writer.try_push(phase < 1.0f ? phase : 2.0f - phase)) std::abort();
        }
        return &disk.source;
      };
      rig.send(nullptr, {FadeRig::give(source_at(5))});
      for (const Event& event : events) {
        if (event.kind == 0) rig.send(Rig::act(free ? Kind::player_start : Kind::transport_start), event.frame);
        if (event.kind == 1) rig.send(Rig::act(free ? Kind::player_stop : Kind::transport_stop), event.frame);
        if (event.kind == 2)
          rig.send(nullptr, {FadeRig::give(source_at(event.place)), Rig::locate(event.place)}, event.frame);
      }
      rig.run(static_cast<std::uint32_t>(at + 1500), pattern);
      // A voice moves by at most 1/512 of its fade and 7/10000 of itself a frame; all that began may sound at once.
      const float most = static_cast<float>(count + 1) * (1.0f / 512.0f + 7e-4f);
      for (std::size_t i = 1; i < rig.out[0].size(); ++i) RC_ASSERT(std::abs(rig.out[0][i] - rig.out[0][i - 1]) < most);
      if (reference.empty()) reference = rig.out;
      RC_ASSERT(test::same_bits(reference, rig.out));
    }
  }));
}
