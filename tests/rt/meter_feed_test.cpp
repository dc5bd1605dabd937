#include "rt/meter_feed.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "rt/meter.hpp"

using namespace continuo::rt;

namespace {

/// Of which frame and channel a sample is: exact in float.
float mark(FrameCount frame, std::uint32_t channel) {
  return static_cast<float>(frame % 100'000) + 0.125f * static_cast<float>(channel + 1);
}

struct Pusher {
  std::uint32_t channels;
  std::vector<float> samples = std::vector<float>(std::size_t{channels} * kBlockFrames);

  void push(MeterFeed& feed, FrameCount first, std::uint32_t frames) {
    for (std::uint32_t c = 0; c < channels; ++c)
      for (std::uint32_t i = 0; i < frames; ++i) samples[c * kBlockFrames + i] = mark(first + i, c);
    feed.push(first, frames, [this](std::uint32_t c) noexcept { return samples.data() + c * kBlockFrames; });
  }
};

/// Whether the piece holds what was pushed for its frames.
bool right(const MeterFeed::Piece& piece, const std::vector<float>& samples, std::uint32_t channels) {
  for (std::uint32_t c = 0; c < channels; ++c)
    for (std::uint32_t i = 0; i < piece.frames; ++i)
      if (samples[c * piece.frames + i] != mark(piece.first_frame + i, c)) return false;
  return true;
}

}  // namespace

TEST_CASE("a feed gives pieces of any size as they came, over many turns of its rings") {
  constexpr std::uint32_t kChannels = 3;
  MeterFeed feed(kChannels, 512);
  Pusher pusher{kChannels};
  std::vector<float> samples(kChannels * kBlockFrames);
  MeterFeed::Piece piece;
  CHECK_FALSE(feed.try_pop(piece, samples));
  FrameCount pushed = 1000, popped = 1000;
  for (int i = 0; i < 5000; ++i) {
    const auto frames = static_cast<std::uint32_t>(1 + i * 7 % kBlockFrames);
    pusher.push(feed, pushed, frames);
    pushed += frames;
    if (i % 4 != 3) continue;
    while (feed.try_pop(piece, samples)) {
      REQUIRE(piece.first_frame == popped);
      REQUIRE(piece.lost == 0);
      REQUIRE(right(piece, samples, kChannels));
      popped += piece.frames;
    }
  }
  CHECK(popped == pushed);
}

TEST_CASE("a feed that is full loses the newcomer, and the next piece says how much is missing") {
  MeterFeed feed(2, 256);
  Pusher pusher{2};
  for (int i = 0; i < 10; ++i) pusher.push(feed, i * 64, 64);  // four of them fit
  std::vector<float> samples(2 * kBlockFrames);
  MeterFeed::Piece piece;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(feed.try_pop(piece, samples));
    CHECK(piece.first_frame == i * 64);
    CHECK(piece.lost == 0);
  }
  CHECK_FALSE(feed.try_pop(piece, samples));
  pusher.push(feed, 640, 64);
  REQUIRE(feed.try_pop(piece, samples));
  CHECK(piece.first_frame == 640);
  CHECK(piece.lost == 6 * 64);
  CHECK(right(piece, samples, 2));
  // Small pieces are bounded in number as well.
  for (int i = 0; i < 100; ++i) pusher.push(feed, 1000 + i, 1);
  int pieces = 0;
  while (feed.try_pop(piece, samples)) ++pieces;
  CHECK(pieces == 32);
  pusher.push(feed, 2000, 1);
  REQUIRE(feed.try_pop(piece, samples));
  CHECK(piece.lost == 68);
}

TEST_CASE("a feed across two threads: every piece whole, in order, and every frame given or counted") {
  constexpr std::uint32_t kChannels = 2;
  constexpr FrameCount kFrames = 400'000;
  MeterFeed feed(kChannels, 4096);
  std::atomic<bool> done{false};
  std::thread audio([&] {
    Pusher pusher{kChannels};
    for (FrameCount at = 0; at < kFrames; at += 64) pusher.push(feed, at, 64);
    done = true;
  });
  std::vector<float> samples(kChannels * kBlockFrames);
  MeterFeed::Piece piece;
  FrameCount next = 0;
  bool all_right = true;
  for (bool last = false; !last;) {
    last = done;
    while (feed.try_pop(piece, samples)) {
      all_right = all_right && piece.first_frame == next + piece.lost && right(piece, samples, kChannels);
      next = piece.first_frame + piece.frames;
    }
  }
  audio.join();
  CHECK(all_right);
  CHECK(next <= kFrames);
}

TEST_CASE("slots are fed while somebody listens, and their feed stays for the next one") {
  const auto slots = std::make_shared<MeterSlots>(2);
  CHECK(slots->fed() == nullptr);
  {
    const MeterLook look(slots);
    CHECK(slots->fed() == nullptr);  // who looks at levels needs no sound
  }
  MeterFeed* feed = nullptr;
  {
    const MeterListen listen(slots, 1024);
    feed = slots->fed();
    REQUIRE(feed == &listen.feed());
    CHECK(feed->channels() == 2);
    CHECK(slots->looked_at());
    Pusher{2}.push(*feed, 0, 64);
  }
  CHECK(slots->fed() == nullptr);
  CHECK_FALSE(slots->looked_at());
  const MeterListen again(slots, 1024);
  CHECK(slots->fed() == feed);
  MeterFeed::Piece piece;
  std::vector<float> samples(2 * kBlockFrames);
  CHECK_FALSE(again.feed().try_pop(piece, samples));  // what was fed before is nobody's
}
