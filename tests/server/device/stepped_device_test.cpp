#include "server/device/stepped_device.hpp"

#include <doctest/doctest.h>

using namespace continuo;
using namespace continuo::device;

namespace {
struct Copier final : AudioCallback {
  std::uint64_t calls = 0;
  void audio_callback(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING override {
    ++calls;
    for (std::uint32_t c = 0; c < out.channel_count; ++c)
      for (std::uint32_t i = 0; i < frames; ++i)
        out.channels[c][i] = c < in.channel_count ? in.channels[c][i] * 2.0f : 0.0f;
  }
};
}  // namespace

TEST_CASE("a stepped device calls when it is stepped, with the input that it was given") {
  auto hardware = std::make_shared<SteppedHardware>(stepped_info("s", 1, 2));
  hardware->set_input([](std::uint32_t channel, rt::FrameCount frame) {
    return static_cast<float>(frame) + 0.5f * static_cast<float>(channel);
  });
  SteppedFactory factory({hardware});
  auto device = factory.open({.name = "s"});
  REQUIRE(device);
  CHECK_FALSE(hardware->step(4));  // not started
  Copier copier;
  REQUIRE((*device)->start(copier));
  REQUIRE(hardware->step(3));
  REQUIRE(hardware->step(0));
  REQUIRE(hardware->step(2));
  CHECK(hardware->last_output(0) == std::vector<float>{6, 8});
  CHECK(hardware->recording(0) == std::vector<float>{0, 2, 4, 6, 8});
  CHECK(hardware->recording(1) == std::vector<float>(5, 0.0f));
  CHECK((*device)->counters().callbacks == 3);
  CHECK((*device)->counters().frames == 5);
  (*device)->stop();
  CHECK_FALSE(hardware->step(4));
  CHECK(copier.calls == 3);
  REQUIRE((*device)->start(copier));
  CHECK(hardware->run(1000, 64) == 1000);
  CHECK(copier.calls == 3 + 16);
}

TEST_CASE("a lost stepped device is dead for good, another opening is well") {
  auto hardware = std::make_shared<SteppedHardware>(stepped_info());
  SteppedFactory factory({hardware});
  auto first = factory.open({});
  REQUIRE(first);
  Copier copier;
  REQUIRE((*first)->start(copier));
  hardware->lose();
  CHECK_FALSE((*first)->alive());
  CHECK_FALSE(hardware->step(1));
  CHECK_FALSE((*first)->start(copier));
  auto second = factory.open({});
  REQUIRE(second);
  REQUIRE((*second)->start(copier));
  first->reset();  // its destructor must not stop the other
  CHECK(hardware->step(1));
  hardware->freeze();
  CHECK_FALSE((*second)->alive());
  CHECK_FALSE(hardware->step(1));
  hardware->thaw();
  CHECK((*second)->alive());
  CHECK(hardware->opens() == 2);
}

TEST_CASE("a stepped factory lists and opens what is present") {
  auto a = std::make_shared<SteppedHardware>(stepped_info("card a"));
  auto b = std::make_shared<SteppedHardware>(stepped_info("card b", 8, 8, 44'100.0));
  SteppedFactory factory({a, b});
  CHECK((*factory.list()).size() == 2);
  a->set_present(false);
  CHECK((*factory.list()).size() == 1);
  const auto gone = factory.open({.name = "card a"});
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::not_found);
  b->set_openable(false);
  const auto busy = factory.open({});
  REQUIRE_FALSE(busy);
  CHECK(busy.error().kind == ErrorKind::unavailable);
  b->set_present(false);
  CHECK(factory.open({}).error().kind == ErrorKind::unavailable);
}
