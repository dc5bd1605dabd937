// THREAD: test - tables of queues by hand, and what a reading must keep to
#pragma once

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "rt/play_slot.hpp"
#include "rt/play_table.hpp"

namespace continuo::test {

/// Says which queue an item is of, and which it is there.
inline rt::Uid uid_of(std::uint64_t revision, std::uint32_t number) { return revision * 10'000 + number; }

/// Items as pairs of frames and overlap with the one before. `loop`: round and round, without an overlap.
inline std::unique_ptr<rt::PlayTable> make_table(std::uint64_t revision,
                                                 const std::vector<std::pair<rt::FrameCount, rt::FrameCount>>& items,
                                                 bool loop = false) {
  auto table = std::make_unique<rt::PlayTable>();
  table->revision = revision;
  table->count = static_cast<std::uint32_t>(items.size());
  for (const auto& [frames, overlap] : items) {
    const auto number = static_cast<std::uint32_t>(table->first.size()) + 1;
    table->end -= overlap;
    table->first.push_back({.begin = table->end,
                            .frames = frames,
                            .before = table->end,
                            .uid = uid_of(revision, number),
                            .number = number});
    table->end += frames;
  }
  table->length = table->end;
  if (loop) {
    std::swap(table->first, table->again);
    table->cycle_frames = table->end;
  }
  return table;
}

inline std::unique_ptr<rt::PlayTable> random_table(std::uint64_t revision) {
  std::minstd_rand random(static_cast<std::minstd_rand::result_type>(revision));
  std::vector<std::pair<rt::FrameCount, rt::FrameCount>> items;
  rt::FrameCount left = 0;  // of the one before, behind its own overlap
  for (auto count = random() % 6 + 1; count > 0; --count) {
    const auto frames = static_cast<rt::FrameCount>(random() % 900 + 1);
    const rt::FrameCount overlap = random() % 2 == 0 ? 0 : std::min(frames, left) / 2;
    items.emplace_back(frames, overlap);
    left = frames - overlap;
  }
  return make_table(revision, items, random() % 3 == 0);
}

/// Whoever reads at any moment may count on this.
inline bool fits(const rt::PlayReading& r, const rt::PlayTable& queue) {
  if (r.revision != queue.revision || r.count != queue.count || r.length != queue.length) return false;
  if (r.position < 0 || r.position > r.length || r.item_position < 0) return false;
  if (r.item == 0) return r.number == 0 && r.position == r.length && !queue.goes_round();
  if (r.number < 1 || r.number > r.count || r.item != uid_of(r.revision, r.number)) return false;
  const rt::PlayTable::Row& row = queue.goes_round() ? queue.again[r.number - 1] : queue.first[r.number - 1];
  return r.item_frames == row.frames && r.item_position <= r.item_frames && r.position == row.before + r.item_position;
}

}  // namespace continuo::test
