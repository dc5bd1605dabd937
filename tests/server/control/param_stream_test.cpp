// The part of a stream that rpc and control share: what is kept, what is passed over, what is refused, and the counts.
#include "server/control/param_stream.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "doctest/doctest.h"

using namespace continuo;
using namespace continuo::control;

namespace {

using Changes = v1::StreamParamsRequest::Changes;

const session::ParamSpec& spec(const std::string& type, const std::string& param) {
  const session::ParamSpec* const found = session::find_type(type)->find(param);
  REQUIRE(found != nullptr);
  return *found;
}

struct One {
  rt::FrameCount frame = 1000;
  int wakes = 0;
  ParamStream stream{[this] { return ParamStream::Now{frame, 48'000.0}; }, [this] { ++wakes; }};
};

Changes changes(const std::vector<std::uint32_t>& handles, const std::vector<double>& values,
                const std::vector<std::int64_t>& frames = {}) {
  Changes message;
  for (const auto handle : handles) message.add_handles(handle);
  for (const auto value : values) message.add_values(value);
  for (const auto frame : frames) message.add_engine_frames(frame);
  return message;
}

std::map<std::uint32_t, double> by_place(const std::vector<ParamStream::Value>& values) {
  std::map<std::uint32_t, double> result;
  for (const auto& value : values) CHECK(result.emplace(value.place, value.value).second);  // each once
  return result;
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("a stream keeps the newest value of each parameter and counts what it passes over") {
  One one;
  const auto gain = one.stream.bind(7, spec("track", "gain_db"));
  const auto pan = one.stream.bind(7, spec("track", "pan"));
  const auto again = one.stream.bind(7, spec("track", "gain_db"));
  CHECK(gain == 0);
  CHECK(pan == 1);
  CHECK(again == 2);
  CHECK(one.stream.places() == 2);
  auto message = changes({gain, pan, gain, again, gain}, {-1, 0.5, -2, -3, -0.0});
  message.set_sequence(9);
  REQUIRE(one.stream.take(message));
  CHECK(one.stream.counts().received == 5);
  CHECK(one.stream.counts().coalesced == 3);
  const auto dirty = one.stream.collect();
  CHECK(dirty.sequence == 9);
  CHECK(by_place(dirty.values) == std::map<std::uint32_t, double>{{0, 0.0}, {1, 0.5}});
  for (const auto& value : dirty.values) {
    CHECK_FALSE(std::signbit(value.value));
    CHECK_FALSE(value.ramp_ms);
  }
  CHECK(one.stream.collect().values.empty());
  CHECK_FALSE(one.stream.dirty());
}

TEST_CASE("a stream wakes control once, until control comes to rest") {
  One one;
  one.stream.bind(7, spec("track", "gain_db"));
  REQUIRE(one.stream.take(changes({0}, {-1})));
  REQUIRE(one.stream.take(changes({0}, {-2})));
  CHECK(one.wakes == 1);
  CHECK_FALSE(one.stream.rest());  // something is dirty
  static_cast<void>(one.stream.collect());
  CHECK(one.stream.rest());
  REQUIRE(one.stream.take(changes({0}, {kNaN})));
  CHECK(one.wakes == 2);
  CHECK_FALSE(one.stream.rest());  // a refusal is to be told
  CHECK(one.stream.rest());
}

TEST_CASE("values that cannot be are passed over one by one, counted, and the last reason is what Apply would say") {
  One one;
  const auto gain = one.stream.bind(7, spec("track", "gain_db"));
  const auto mute = one.stream.bind(7, spec("track", "mute"));
  const session::ParamSpec* choice = nullptr;
  const session::ParamSpec* whole = nullptr;
  for (const session::TypeSpec& one_type : session::node_types()) {
    for (const session::ParamSpec& one_spec : one_type.params) {
      if (!can_stream(one_spec)) continue;
      if (one_spec.kind == session::ParamKind::choice) choice = &one_spec;
      if (one_spec.kind == session::ParamKind::integer) whole = &one_spec;
    }
  }
  std::uint64_t refused = 0;
  const auto refuse = [&](std::uint32_t handle, double value, const std::string& reason) {
    REQUIRE(one.stream.take(changes({handle, gain}, {value, -3})));
    const auto counts = one.stream.counts();
    CHECK(counts.refused == ++refused);
    CHECK(counts.reason == reason);
    CHECK_FALSE(counts.message.empty());
  };
  refuse(gain, kNaN, "NOT_FINITE");
  refuse(gain, kInf, "NOT_FINITE");
  refuse(gain, -kInf, "NOT_FINITE");
  refuse(gain, spec("track", "gain_db").max + 0.001, "OUT_OF_RANGE");
  refuse(gain, spec("track", "gain_db").min - 0.001, "OUT_OF_RANGE");
  refuse(mute, 0.5, "WRONG_KIND");
  refuse(mute, 2.0, "WRONG_KIND");
  if (choice != nullptr) {
    const auto handle = one.stream.bind(8, *choice);
    refuse(handle, -1.0, "BAD_CHOICE");
    refuse(handle, static_cast<double>(choice->choices.size()), "BAD_CHOICE");
    refuse(handle, 0.5, "BAD_CHOICE");
    CHECK(document_value(*choice, 1.0) == session::Value(std::string(choice->choices[1])));
  }
  if (whole != nullptr) refuse(one.stream.bind(9, *whole), whole->min + 0.5, "WRONG_KIND");
  const auto dirty = one.stream.collect();
  CHECK(by_place(dirty.values) == std::map<std::uint32_t, double>{{0, -3.0}});
  CHECK(document_value(spec("track", "mute"), 1.0) == session::Value(true));
}

TEST_CASE("a message that makes no sense is not taken at all") {
  One one;
  one.stream.bind(7, spec("track", "gain_db"));
  const auto reason = [&](const Changes& message) {
    const Result<> taken = one.stream.take(message);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().kind == ErrorKind::invalid_argument);
    return taken.error().reason;
  };
  CHECK(reason(changes({0, 1}, {-1, -1})) == "UNKNOWN_HANDLE");
  CHECK(reason(changes({0xFFFFFFFF}, {-1})) == "UNKNOWN_HANDLE");
  CHECK(reason(changes({0}, {})) == "UNEQUAL_LENGTHS");
  CHECK(reason(changes({0, 0}, {1, 2}, {5})) == "UNEQUAL_LENGTHS");
  for (const double ramp_ms : {kNaN, kInf, -1.0, 600'001.0}) {
    Changes message = changes({0}, {-1});
    message.set_ramp_ms(ramp_ms);
    CHECK(reason(message) == "OUT_OF_RANGE");
  }
  CHECK(one.stream.counts().received == 0);
  CHECK_FALSE(one.stream.dirty());
  CHECK(one.stream.take(Changes()));
}

TEST_CASE("frames to come wait in order, equal ones of one parameter coalesce, past ones are now") {
  One one;
  one.stream.bind(7, spec("track", "gain_db"));
  one.stream.bind(7, spec("track", "pan"));
  REQUIRE(one.stream.take(changes({0, 1, 0, 0, 0}, {-1, 0.5, -2, -3, -4}, {1500, 1500, 1200, 1500, 1000})));
  CHECK(one.stream.counts().coalesced == 1);
  CHECK(by_place(one.stream.collect().values) == std::map<std::uint32_t, double>{{0, -4.0}});
  CHECK(one.stream.first_frame() == 1200);
  CHECK(one.stream.collect_due(1199, 10).empty());
  CHECK(one.stream.collect_due(5000, 0).empty());
  const auto steps = one.stream.collect_due(5000, 10);
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].frame == 1200);
  CHECK(steps[1].frame == 1500);
  CHECK(by_place(steps[1].values) == std::map<std::uint32_t, double>{{0, -3.0}, {1, 0.5}});
  CHECK_FALSE(one.stream.first_frame());
  // Two seconds, and no frame more.
  REQUIRE(
      one.stream.take(changes({0, 0, 0}, {-1, -1, -1}, {97'000, 97'001, std::numeric_limits<std::int64_t>::max()})));
  CHECK(one.stream.counts().refused == 2);
  CHECK(one.stream.counts().reason == "TOO_FAR_AHEAD");
  CHECK(one.stream.first_frame() == 97'000);
  REQUIRE(one.stream.take(changes({0}, {-1}, {std::numeric_limits<std::int64_t>::min()})));
  CHECK(one.stream.dirty());
}

TEST_CASE("the table of what waits is bounded: the newcomer is refused and counted, what waits stays") {
  One one;
  one.stream.bind(7, spec("track", "gain_db"));
  for (std::size_t i = 0; i < ParamStream::kMaxWaiting; ++i)
    REQUIRE(one.stream.take(changes({0}, {-1}, {static_cast<std::int64_t>(2000 + i)})));
  CHECK(one.stream.counts().refused == 0);
  REQUIRE(one.stream.take(changes({0}, {-2}, {90'000})));
  CHECK(one.stream.counts().refused == 1);
  CHECK(one.stream.counts().reason == "TOO_MANY_WAITING");
  REQUIRE(one.stream.take(changes({0}, {-3}, {2000})));  // the same frame: no place more
  CHECK(one.stream.counts().refused == 1);
  const auto steps = one.stream.collect_due(100'000, ParamStream::kMaxWaiting + 1);
  REQUIRE(steps.size() == ParamStream::kMaxWaiting);
  CHECK(steps[0].values[0].value == -3.0);
}

TEST_CASE("property: every value that came is kept, passed over or refused, and the newest is the one that is kept") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 200; ++round) {
    One one;
    for (std::uint32_t i = 0; i < 8; ++i) one.stream.bind(10 + i / 2, spec("track", i % 2 == 0 ? "gain_db" : "pan"));
    std::map<std::uint32_t, double> model;  // not yet collected
    std::map<std::pair<std::int64_t, std::uint32_t>, double> later;
    std::uint64_t sent = 0, taken = 0;
    for (int step = 0; step < 60; ++step) {
      if (random() % 6 == 0) {
        const auto dirty = one.stream.collect();
        taken += dirty.values.size();
        CHECK(by_place(dirty.values) == model);
        model.clear();
      } else if (random() % 6 == 0) {
        one.frame += static_cast<std::int64_t>(random() % 300);
        for (const auto& due : one.stream.collect_due(one.frame, 1000)) {
          for (const auto& value : due.values) {
            ++taken;
            const auto expected = later.find({due.frame, value.place});
            REQUIRE(expected != later.end());
            CHECK(expected->second == value.value);
            later.erase(expected);
          }
        }
        for (const auto& [key, value] : later) CHECK(key.first > one.frame);
      } else {
        Changes message;
        const bool framed = random() % 2 == 0;
        for (auto n = random() % 20; n > 0; --n) {
          const auto handle = static_cast<std::uint32_t>(random() % 8);
          const bool bad = random() % 10 == 0;
          const double value = bad ? kNaN : -0.01 * static_cast<double>(random() % 100);
          const auto frame = one.frame - 50 + static_cast<std::int64_t>(random() % 400);
          message.add_handles(handle);
          message.add_values(value);
          if (framed) message.add_engine_frames(frame);
          ++sent;
          if (bad) continue;
          if (framed && frame > one.frame)
            later[{frame, handle}] = value + 0.0;
          else
            model[handle] = value + 0.0;
        }
        REQUIRE(one.stream.take(message));
      }
    }
    const auto counts = one.stream.counts();
    CHECK(counts.received == sent);
    CHECK(counts.received == counts.coalesced + counts.refused + taken + model.size() + later.size());
  }
}
