#include "rt/nodes/meter_tap.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "tests/support/rig.hpp"

namespace {
using namespace continuo;
using test::Rig;
}  // namespace

TEST_CASE("meter windows end at multiples of 512 of the engine clock, the same for any buffers and any grid") {
  std::vector<rt::MeterWindow> reference;
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(0);
    rig.in.resize(2);
    for (std::uint32_t c = 0; c < 2; ++c)
      for (int i = 0; i < 2300; ++i) rig.in[c].push_back(test::probe(i, c) * (c == 0 ? 0.5f : 1.0f));
    rig.in[0][1000] = -0.75f;
    auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 2));
    const rt::MeterLook look(meter.slots);
    test::PlanBuilder b;
    b.node(meter, b.node(rig.node(rt::device_input_kind()), {}, 2), 0);
    rig.send(b.build(), {});
    rig.send(Rig::locate(1000003), 10);  // a grid that does not meet the windows
    rig.send(Rig::act(rt::Action::Kind::transport_start), 20);
    rig.run(2300, pattern);

    std::vector<rt::MeterWindow> windows;
    for (std::uint32_t c = 0; c < 2; ++c) {
      REQUIRE((*meter.slots)[c].published() == 4);
      for (std::uint64_t n = 0; n < 4; ++n) {
        rt::MeterWindow w;
        REQUIRE((*meter.slots)[c].try_read(n, w));
        CHECK(w.end_frame == static_cast<rt::FrameCount>(n + 1) * 512);
        float peak = 0;
        double power = 0;
        for (std::size_t i = n * 512; i < (n + 1) * 512; ++i) {
          peak = std::max(peak, std::abs(rig.in[c][i]));
          power += static_cast<double>(rig.in[c][i]) * static_cast<double>(rig.in[c][i]);
        }
        CHECK(w.peak == peak);
        CHECK(static_cast<double>(w.mean_square) == doctest::Approx(power / 512).epsilon(1e-6));
        windows.push_back(w);
      }
    }
    CHECK(windows[1].peak == 0.75f);
    if (reference.empty()) reference = windows;
    for (std::size_t i = 0; i < windows.size(); ++i) REQUIRE(windows[i].mean_square == reference[i].mean_square);
  }
}

TEST_CASE("who listens gets the very samples, each once, from the end of a window on, whatever the buffers") {
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(0);
    rig.in.resize(2);
    for (std::uint32_t c = 0; c < 2; ++c)
      for (int i = 0; i < 4000; ++i) rig.in[c].push_back(test::probe(i, c));
    auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 3));  // one more than come in
    std::optional<rt::MeterListen> listen;
    test::PlanBuilder b;
    b.node(meter, b.node(rig.node(rt::device_input_kind()), {}, 2), 0);
    rig.send(b.build(), {});
    rig.run(700, pattern);
    listen.emplace(meter.slots, 32768);  // also where they are a frame each
    rig.run(3300, pattern);
    rt::MeterFeed::Piece piece;
    std::vector<float> samples(3 * rt::kBlockFrames);
    rt::FrameCount next = 1024;
    bool right = true;
    while (listen->feed().try_pop(piece, samples)) {
      REQUIRE(piece.first_frame == next);
      REQUIRE(piece.lost == 0);
      for (std::uint32_t i = 0; i < piece.frames; ++i) {
        const auto at = static_cast<std::size_t>(next) + i;
        right = right && samples[i] == rig.in[0][at] && samples[piece.frames + i] == rig.in[1][at] &&
                samples[2 * piece.frames + i] == 0.0f;
      }
      next += piece.frames;
    }
    CHECK(right);
    CHECK(next == 4000);
    listen.reset();
    rig.in.assign(2, std::vector<float>(5000, 0.0f));
    rig.run(600, pattern);  // to the window's end and beyond
    CHECK(meter.slots->fed() == nullptr);
    CHECK(meter.audio_.feed == nullptr);
  }
}

TEST_CASE("a meter's slots outlive its node, and a node with fewer inputs than slots leaves the rest at silence") {
  std::shared_ptr<rt::MeterSlots> slots;
  {
    Rig rig(0);
    rig.in = {std::vector<float>(512, 0.5f)};
    auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 3));
    const rt::MeterLook look(meter.slots);
    test::PlanBuilder b;
    b.node(meter, b.node(rig.node(rt::device_input_kind()), {}, 1), 0);
    rig.send(b.build(), {});
    rig.run(512);
    slots = meter.slots;
  }
  rt::MeterWindow w;
  REQUIRE((*slots)[0].try_read(0, w));
  CHECK(w.peak == 0.5f);
  CHECK(w.mean_square == 0.25f);
  REQUIRE((*slots)[2].try_read(0, w));
  CHECK(w.peak == 0.0f);
}

TEST_CASE("a meter's window may end at any of the blocks, and only there") {
  for (std::uint32_t ahead = 0; ahead < rt::kMeterWindowFrames; ahead += rt::kBlockFrames) {
    CAPTURE(ahead);
    Rig rig(0);
    rig.in = {std::vector<float>(2000)};
    for (std::size_t i = 0; i < 2000; ++i) rig.in[0][i] = test::probe(static_cast<int>(i), 0);
    auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 1, ahead));
    const rt::MeterLook look(meter.slots);
    test::PlanBuilder b;
    b.node(meter, b.node(rig.node(rt::device_input_kind()), {}, 1), 0);
    rig.send(b.build(), {});
    rig.run(2000, {37});
    rt::FrameCount begin = 0;
    rt::MeterWindow w;
    REQUIRE((*meter.slots)[0].published() == (2000 + ahead) / 512);
    for (std::uint64_t n = 0; n < (*meter.slots)[0].published(); ++n) {
      REQUIRE((*meter.slots)[0].try_read(n, w));
      CHECK(w.end_frame == static_cast<rt::FrameCount>((n + 1) * 512 - ahead));
      float peak = 0;
      double power = 0;
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(w.end_frame); ++i) {
        peak = std::max(peak, std::abs(rig.in[0][i]));
        power += double{rig.in[0][i]} * double{rig.in[0][i]};
      }
      CHECK(w.peak == peak);
      CHECK(double{w.mean_square} == doctest::Approx(power / static_cast<double>(w.end_frame - begin)).epsilon(1e-6));
      begin = w.end_frame;
    }
  }
}

TEST_CASE("a meter that nobody looks at measures nothing; who looks gets whole windows from the next one on") {
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(0);
    rig.in = {std::vector<float>(8192, 0.5f)};
    auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(1, 1, 128));
    test::PlanBuilder b;
    b.node(meter, b.node(rig.node(rt::device_input_kind()), {}, 1), 0);
    rig.send(b.build(), {});
    rig.run(1000, pattern);
    rt::MeterSlot& slot = (*meter.slots)[0];
    CHECK(slot.published() == 0);
    {
      const rt::MeterLook one(meter.slots);
      std::optional<rt::MeterLook> other(meter.slots);
      rig.run(1000, pattern);  // windows end at 384, 896, 1408, 1920
      CHECK(slot.published() == 1);
      rt::MeterWindow w;
      REQUIRE(slot.try_read(0, w));
      CHECK(w.end_frame == 1920);
      CHECK(w.peak == 0.5f);
      CHECK(w.mean_square == 0.25f);
      other.reset();
      rig.run(1000, pattern);
      CHECK(slot.published() == 3);
    }
    rig.run(1000, pattern);  // the window under way is finished
    CHECK(slot.published() == 4);
    const rt::MeterLook again(meter.slots);
    rig.run(1300, pattern);
    rt::MeterWindow w;
    REQUIRE(slot.try_read(slot.published() - 1, w));
    CHECK(slot.published() == 5);
    CHECK(w.mean_square == 0.25f);
  }
}

TEST_CASE("a meter of any number of channels gives the same bits in any company, for any buffers, at every CPU level") {
  constexpr std::uint32_t kFrames = 1200, kWide = 37;  // more channels than a step has lanes
  constexpr std::uint32_t kWidths[] = {1, 2, 3, 10, kWide};
  std::vector<std::vector<float>> in(kWide, std::vector<float>(kFrames));
  for (std::uint32_t c = 0; c < kWide; ++c)
    for (std::uint32_t i = 0; i < kFrames; ++i) in[c][i] = test::probe(static_cast<int>(i), c);
  for (const rt::CpuLevel level : {rt::CpuLevel::baseline, rt::CpuLevel::v3, rt::CpuLevel::v4}) {
    for (const auto& pattern : test::buffer_patterns()) {
      Rig rig(0, rt::dsp::kernels_of(level));
      rig.in = in;
      test::PlanBuilder b;
      const auto sound = b.node(rig.node(rt::device_input_kind()), {}, kWide);
      std::vector<std::shared_ptr<rt::MeterSlots>> meters;
      std::vector<rt::MeterLook> looks;
      std::vector<test::PlanBuilder::Place> together;
      for (const std::uint32_t width : kWidths) {
        const std::uint32_t ahead = width % 8 * rt::kBlockFrames;
        auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(width, width, ahead));
        meters.push_back(meter.slots);
        looks.emplace_back(meter.slots);
        const std::vector<std::size_t> heard(sound.begin(), sound.begin() + width);
        if (width == kWide)
          b.batch({{&meter, heard, {}}});
        else
          together.push_back({&meter, heard, {}});
      }
      b.batch(together);
      rig.send(b.build(), {});
      rig.run(kFrames, pattern);

      for (std::size_t m = 0; m < std::size(kWidths); ++m) {
        const std::uint32_t ahead = kWidths[m] % 8 * rt::kBlockFrames;
        for (std::uint32_t c = 0; c < kWidths[m]; ++c) {
          const rt::MeterSlot& slot = (*meters[m])[c];
          REQUIRE(slot.published() == (kFrames + ahead) / rt::kMeterWindowFrames);
          rt::FrameCount begin = 0;
          for (std::uint64_t n = 0; n < slot.published(); ++n) {
            rt::MeterWindow w;
            REQUIRE(slot.try_read(n, w));
            const auto frames = static_cast<std::uint32_t>(w.end_frame - begin);
            rt::dsp::LevelSum sum;
            sum.add(rt::dsp::kernels_of(rt::CpuLevel::baseline), in[c].data() + begin, begin, frames);
            REQUIRE(w.peak == sum.largest());
            REQUIRE(w.mean_square == sum.total() / static_cast<float>(frames));
            begin = w.end_frame;
          }
        }
      }
    }
  }
}
