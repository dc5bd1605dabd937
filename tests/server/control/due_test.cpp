#include "server/control/due.hpp"

#include "doctest/doctest.h"

using namespace continuo;
using namespace continuo::control;

namespace {

constexpr rt::FrameCount kNever = -1;

struct Want {
  std::size_t item;
  rt::FrameCount frame;
};

void check(const Moment& now, const std::vector<DueItem>& items, const std::vector<Want>& wanted) {
  const auto order = due_order(now, items);
  REQUIRE(order.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    CHECK(order[i].item == wanted[i].item);
    CHECK(order[i].engine.value_or(kNever) == wanted[i].frame);
  }
}

DueItem fixed(std::uint64_t id, rt::FrameCount frame) { return {.id = id, .frame = frame}; }
DueItem passing(std::uint64_t id, rt::FrameCount frame) { return {.id = id, .on_timeline = true, .frame = frame}; }
DueItem located(DueItem item, rt::FrameCount to) {
  item.locate = to;
  return item;
}
DueItem rolled(DueItem item, bool on) {
  item.roll = on;
  return item;
}
DueItem sent(DueItem item) {
  item.sent = true;
  return item;
}

const Moment kRolling{.engine_frame = 1000, .timeline_frame = 500, .rolling = true, .utc_ns = 0, .engine_hz = 48'000};
const Moment kStanding{.engine_frame = 1000, .timeline_frame = 500, .rolling = false, .utc_ns = 0, .engine_hz = 48'000};

}  // namespace

TEST_CASE("due order: by frame, equal frames by id, the past is now") {
  check(kRolling, {}, {});
  check(kRolling, {fixed(3, 2000), fixed(1, 2000), fixed(2, 1500), fixed(9, 10)},
        {{3, 1000}, {2, 1500}, {1, 2000}, {0, 2000}});
}

TEST_CASE("due order: a timeline that rolls passes what is ahead of it, what is behind waits") {
  check(kRolling, {passing(1, 600), passing(2, 500), passing(3, 499), fixed(4, 1050)},
        {{1, 1000}, {3, 1050}, {0, 1100}, {2, kNever}});
  check(kStanding, {passing(1, 600), passing(2, 500)}, {{1, kNever}, {0, kNever}});
}

TEST_CASE("due order: transport changes before it move a pass, those after it do not") {
  // Starts at 2000, is located at 3000.
  check(kStanding, {passing(1, 600), rolled(fixed(2, 2000), true)}, {{1, 2000}, {0, 2100}});
  check(kRolling, {passing(1, 600), rolled(fixed(2, 1099), false)}, {{1, 1099}, {0, kNever}});
  check(kRolling, {passing(1, 600), rolled(fixed(2, 1101), false)}, {{0, 1100}, {1, 1101}});
  check(kRolling, {passing(1, 600), located(fixed(2, 1050), 590)}, {{1, 1050}, {0, 1060}});
  check(kRolling, {passing(1, 600), located(fixed(2, 1050), 601)}, {{1, 1050}, {0, kNever}});
  check(kRolling, {passing(1, 400), located(fixed(2, 1050), 400)}, {{1, 1050}, {0, 1050}});
  // One that is passed may move the timeline itself; each comes once.
  check(kRolling, {located(passing(1, 600), 100), passing(2, 650), passing(3, 200)}, {{0, 1100}, {2, 1200}, {1, 1650}});
  check(kRolling, {located(passing(1, 600), 600)}, {{0, 1100}});
}

TEST_CASE("due order: what is on its way moves the timeline and is not told") {
  check(kStanding, {passing(1, 600), rolled(sent(fixed(0, 1200)), true)}, {{0, 1300}});
  check(kStanding, {rolled(sent(fixed(0, 900)), true), passing(1, 600)}, {{1, 1100}});
}

TEST_CASE("UTC is read as RFC 3339 with a Z, in the years that fit") {
  CHECK(parse_utc("1970-01-01T00:00:01Z") == 1'000'000'000);
  CHECK(parse_utc("2026-11-20T12:00:00.5Z") == 1'795'176'000'500'000'000);
  for (const char* text : {"", "Z", "2026-11-20", "2026-11-20T12:00:00", "2026-11-20T12:00:00+00:00",
                           "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "now"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_utc(text));
  }
}
