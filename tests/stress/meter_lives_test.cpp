// Meters that come and go under those who look and listen. Ends come by progress, never by time.
#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "rt/nodes/generator.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "tests/support/audio_thread.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using rt::MeterWindow;
using test::Rig;
using SlotsPtr = std::shared_ptr<rt::MeterSlots>;

constexpr std::uint32_t kAlive = 8;     // meters in every plan; with each plan the oldest goes and a new one comes
constexpr std::uint32_t kChannels = 2;  // both carry the same sound

/// The slots of the meters that are in the plan, as a control side would know them.
class Directory {
 public:
  void put(std::uint64_t id, SlotsPtr slots) {
    const std::lock_guard lock(mutex_);
    all_[id] = std::move(slots);
    while (all_.size() > kAlive) all_.erase(all_.begin());
  }
  [[nodiscard]] SlotsPtr any(std::uint64_t pick) const {
    const std::lock_guard lock(mutex_);
    auto at = all_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(pick % all_.size()));
    return at->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, SlotsPtr> all_;
};

/// What all threads of a test have seen.
struct Tally {
  std::atomic<std::uint64_t> wrong{0}, folds{0}, pieces{0};
};

/// Looks at one meter for a few windows, then at another; now and then without a look, as someone does who came late.
void look_around(const Directory& directory, Tally& tally, const std::atomic<bool>& over, std::uint64_t seed) {
  for (std::uint64_t turn = seed; !over.load(std::memory_order_acquire); turn += 13) {
    const SlotsPtr slots = directory.any(turn);
    std::optional<rt::MeterLook> look;
    if (turn % 5 != 0) look.emplace(slots);
    rt::MeterReader readers[kChannels];
    std::uint64_t missed = 0;
    for (int i = 0; i < 20; ++i) {
      for (std::uint32_t c = 0; c < kChannels; ++c) {
        const rt::MeterSlot& slot = (*slots)[c];
        MeterWindow w;
        if (!readers[c].fold(slot, w, missed)) continue;
        tally.folds.fetch_add(1, std::memory_order_relaxed);
        if (!(w.peak > 0.0f && w.peak <= 1.0f && w.mean_square <= w.peak * w.peak) ||
            w.end_frame % rt::kMeterWindowFrames != 0)
          tally.wrong.fetch_add(1);
      }
      std::this_thread::yield();
    }
  }
}

/// As the analysis thread: listens at one meter for a while, then at another.
void listen_around(const Directory& directory, Tally& tally, const std::atomic<bool>& over) {
  std::vector<float> samples(kChannels * rt::kBlockFrames);
  for (std::uint64_t turn = 0; !over.load(std::memory_order_acquire); turn += 3) {
    const SlotsPtr slots = directory.any(turn);
    const rt::MeterListen listen(slots, 2048);
    rt::MeterFeed::Piece piece;
    std::optional<rt::FrameCount> next;
    for (int i = 0; i < 30; ++i) {
      while (listen.feed().try_pop(piece, samples)) {
        tally.pieces.fetch_add(1, std::memory_order_relaxed);
        bool right = piece.frames != 0 && piece.frames <= rt::kBlockFrames;
        right = right && (!next || piece.first_frame == *next + piece.lost);
        for (std::uint32_t f = 0; right && f < piece.frames; ++f)
          right = samples[f] == samples[piece.frames + f] && samples[f] >= -1.0f && samples[f] <= 1.0f;
        if (!right) tally.wrong.fetch_add(1);
        next = piece.first_frame + piece.frames;
      }
      std::this_thread::yield();
    }
  }
}

/// [control] plan n has the meters n to n + kAlive - 1 -> [audio] swaps it in -> [control] plan n is home: meter n
/// dies.
class Churn {
 public:
  explicit Churn(Directory& directory) : directory_(directory) {
    for (std::uint64_t id = 1; id < kAlive; ++id) make(id);
  }
  void step() {
    while (sent_ - home_ < 6) {
      make(++sent_ + kAlive - 1);
      test::PlanBuilder b(48000.0, sent_);
      const auto sound = b.node(noise_, {}, 1);
      std::vector<test::PlanBuilder::Place> places;
      for (std::uint64_t id = sent_; id < sent_ + kAlive; ++id)
        places.push_back({nodes_.at(id).get(), {sound[0], sound[0]}, {}});
      const auto half = places.begin() + kAlive / 2;  // 16 lanes are full
      b.batch({places.begin(), half});
      b.batch({half, places.end()});
      rig.send(b.build(static_cast<std::uint32_t>(sent_)), {});
    }
    for (const rt::Event& event : rig.events()) {
      REQUIRE(event.kind == rt::Event::Kind::applied);
      if (event.batch == nullptr || event.batch->plan == nullptr) continue;
      REQUIRE(event.batch->plan->id == ++home_);
      gone.push_back(nodes_.at(home_)->slots);
      nodes_.erase(home_);
    }
  }
  [[nodiscard]] std::uint64_t plans_home() const { return home_; }

  Rig rig{0};
  std::vector<std::weak_ptr<rt::MeterSlots>> gone;

 private:
  void make(std::uint64_t id) {
    auto node = std::make_unique<rt::MeterTapNode>(id, kChannels);
    directory_.put(id, node->slots);
    nodes_[id] = std::move(node);
  }
  Directory& directory_;
  std::map<std::uint64_t, std::unique_ptr<rt::MeterTapNode>> nodes_;
  rt::Node& noise_ = rig.node(rt::noise_kind(), {-6.0}, 9);
  std::uint64_t sent_ = 0, home_ = 0;
};

void live_and_die(std::uint32_t lookers, std::uint64_t plans, std::uint64_t folds, std::uint64_t pieces) {
  Directory directory;
  Churn churn(directory);
  Tally tally;
  std::atomic<bool> over{false};
  churn.step();
  {
    std::optional<test::AudioThread> audio(std::in_place, churn.rig.renderer);
    std::vector<std::thread> others;
    others.emplace_back([&] { listen_around(directory, tally, over); });  // one: a feed has one reader
    for (std::uint32_t i = 0; i < lookers; ++i) others.emplace_back([&, i] { look_around(directory, tally, over, i); });
    while (churn.plans_home() < plans || tally.folds.load() < folds || tally.pieces.load() < pieces) {
      churn.step();
      std::this_thread::yield();
    }
    over.store(true, std::memory_order_release);
    for (std::thread& other : others) other.join();
  }
  CHECK(tally.wrong == 0);
  CHECK(churn.rig.counters().events_lost == 0);
  REQUIRE(churn.gone.size() >= plans);
  // Whom nobody looks at and no plan holds is gone, all but those that the directory still names.
  std::size_t kept = 0;
  for (const auto& slots : churn.gone) kept += !slots.expired();
  CHECK(kept <= kAlive);
}

}  // namespace

TEST_CASE("meter scenario 10: meters are made and destroyed as fast as plans go, under those who look and listen") {
  live_and_die(6, 300, 2000, 500);
}

TEST_CASE("meter scenario 13: the same with sixty who look") { live_and_die(60, 60, 4000, 200); }

TEST_CASE("meter scenario 10 for listeners: a listener after the other at one meter, while it is fed without a pause") {
  const auto slots = std::make_shared<rt::MeterSlots>(kChannels);
  std::atomic<bool> over{false};
  // As the node does it: asks at the end of each window where the sound goes, then feeds that for a window.
  std::thread audio([&] {
    float sound[rt::kBlockFrames];
    rt::MeterFeed* feed = nullptr;
    for (rt::FrameCount at = 0; !over.load(std::memory_order_acquire); at += rt::kBlockFrames) {
      if (at % rt::kMeterWindowFrames == 0) feed = slots->fed(feed);
      for (std::uint32_t i = 0; i < rt::kBlockFrames; ++i) sound[i] = test::probe(at + i);
      if (feed != nullptr) feed->push(at, rt::kBlockFrames, [&](std::uint32_t) noexcept { return sound; });
    }
  });
  std::uint64_t wrong = 0, pieces = 0;
  std::vector<float> samples(kChannels * rt::kBlockFrames);
  for (int listener = 0; listener < 200; ++listener) {
    const rt::MeterListen listen(slots, 512);
    rt::MeterFeed::Piece piece;
    rt::FrameCount last = -1;
    for (int got = 0; got < 5;) {
      if (!listen.feed().try_pop(piece, samples)) {
        std::this_thread::yield();
        continue;
      }
      ++got, ++pieces;
      wrong += last >= 0 && piece.first_frame - piece.lost != last;
      last = piece.first_frame + piece.frames;
      for (std::uint32_t i = 0; i < piece.frames; ++i)
        wrong += samples[i] != test::probe(piece.first_frame + i) || samples[i] != samples[piece.frames + i];
    }
  }
  over.store(true, std::memory_order_release);
  audio.join();
  CHECK(wrong == 0);
  CHECK(pieces == 1000);
  CHECK(slots.use_count() == 1);
}
