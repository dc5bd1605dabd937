// Plays, stops, skips and edits of a queue that race, and what a hundred readers are told meanwhile.
#include <rapidcheck.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/control/queue_signals.hpp"

using namespace continuo;
using namespace continuo::control::test;

using Player = v1::GetStatusResponse::Player;

namespace {

/// All queues that the player ever had, by revision: the changes of the document, as the watch tells them, done again.
class QueueLog {
 public:
  explicit QueueLog(Rig& rig) : feed_(rig.watch()) {}

  void read() {
    while (const auto message = feed_->next(nullptr)) {
      REQUIRE_FALSE(message->snapshot_end().resync());  // it missed nothing
      if (message->has_change()) take(message->change());
    }
  }
  /// Null: there was none such.
  [[nodiscard]] const std::vector<std::uint64_t>* find(std::uint64_t revision) const {
    return revision == 0 || revision > all_.size() ? nullptr : &all_[revision - 1];
  }

 private:
  using Items = std::vector<v1::QueueItem>;

  void take(const v1::Change& change) {
    for (const v1::Operation& operation : change.operations()) {
      if (operation.has_queue_insert()) {
        const auto& op = operation.queue_insert();
        items_.insert(place(op), op.items().begin(), op.items().end());
      } else if (operation.has_queue_remove()) {
        for (const v1::QueueRef& ref : operation.queue_remove().items()) items_.erase(find(ref));
      } else if (operation.has_queue_move()) {
        const auto item = find(operation.queue_move().item());
        std::rotate(item, item + 1, items_.end());  // the test moves to the end alone
      } else if (operation.has_queue_set()) {
        find(operation.queue_set().item())->MergeFrom(operation.queue_set().values());
      } else if (operation.has_set_params()) {
        loop_ = operation.set_params().values().at("loop").bool_value();
      }
    }
    std::string now = loop_ ? "round " : "once ";
    for (const v1::QueueItem& item : items_) now += item.SerializeAsString();
    if (items_.empty()) now.clear();
    if (!items_.empty() && now != last_) {
      std::vector<std::uint64_t>& uids = all_.emplace_back();
      for (const v1::QueueItem& item : items_) uids.push_back(item.uid());
    }
    last_ = now;
  }
  [[nodiscard]] Items::iterator find(const v1::QueueRef& ref) {
    const auto found = std::ranges::find(items_, ref.uid(), [](const v1::QueueItem& item) { return item.uid(); });
    REQUIRE(found != items_.end());
    return found;
  }
  [[nodiscard]] Items::iterator place(const v1::QueueInsert& op) {
    return op.has_before() ? find(op.before()) : items_.end();
  }

  std::shared_ptr<control::Feed<v1::WatchResponse>> feed_;
  Items items_;
  bool loop_ = false;
  std::string last_;
  std::vector<std::vector<std::uint64_t>> all_;
};

}  // namespace

TEST_CASE("plays and stops that race: the one that was taken last holds") {
  Rig rig;
  write_signal(rig, "s.wav", 200'000, 0.5f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav")) + "," + loop(true)));
  CHECK(rc::check([&] {
    const auto plays = *rc::gen::nonEmpty<std::vector<bool>>();
    std::vector<std::int64_t> frames;
    for (const bool play : plays) {
      rig.engine->apply(Rig::request(ops(play ? kPlay : "{'stop':{'players':['a/p']}}")), [&](const auto& answer) {
        RC_ASSERT(static_cast<bool>(answer));
        frames.push_back(answer->engine_frame());
      });
      if (*rc::gen::inRange(0, 3) == 0) rig.hardware->run(*rc::gen::inRange<std::uint32_t>(1, 500));
    }
    RC_ASSERT(rig.until([&] { return frames.size() == plays.size(); }));
    RC_ASSERT(std::ranges::is_sorted(frames));
    RC_ASSERT(player(rig).rolling() == plays.back());
  }));
}

TEST_CASE("a hundred readers, while others seek, skip, edit the queue and change items, in any order") {
  Rig rig;
  write_signal(rig, "s.wav", 9000, 0.5f);
  write_signal(rig, "t.wav", 3000, -0.25f);
  rig.applied(kPlayer);
  QueueLog queues(rig);
  rig.applied(ops(insert(item("s.wav") + "," + item("t.wav")) + "," + kPlay));
  std::vector<Player> readings;
  std::size_t checked = 0;
  CHECK(rc::check([&] {
    std::size_t asked = 0, answered = 0;
    readings.clear();
    const auto look = [&] {
      rig.engine->list_params("a/p", [&](const Result<v1::ListParamsResponse>& params) {
        RC_ASSERT(static_cast<bool>(params));
        std::vector<std::uint64_t> uids;
        for (const v1::QueueItem& each : params->queue()) uids.push_back(each.uid());
        if (params->queue_revision() == 0) return;
        queues.read();
        const auto* const queue = queues.find(params->queue_revision());
        RC_ASSERT(queue != nullptr);
        RC_ASSERT(*queue == uids);
      });
    };
    const auto read = [&](int count) {
      for (int i = 0; i < count; ++i)
        rig.engine->status([&](const Result<v1::GetStatusResponse>& status) {
          RC_ASSERT(static_cast<bool>(status));
          readings.push_back(status->players(0));
        });
    };
    const auto apply = [&](const std::string& operation) {
      ++asked;
      look();
      rig.engine->apply(Rig::request(ops(operation)), [&](const auto&) {
        ++answered;
        look();
      });
    };
    for (int step = *rc::gen::inRange(1, 12); step > 0; --step) {
      const std::string file = *rc::gen::element<std::string>("s.wav", "t.wav");
      const std::string more = *rc::gen::element<std::string>("", ",'crossfadeMs':30", ",'outFrame':'700'");
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          apply(insert(item(file, more), *rc::gen::element<std::string>("", ",'before':{'current':true}")));
          break;
        case 1:
          apply("{'queueRemove':{'path':'a/p','items':[{'current':true}]}}");
          break;
        case 2:
          apply("{'queueMove':{'path':'a/p','item':{'current':true}}}");
          break;
        case 3:
          apply("{'queueSet':{'path':'a/p','item':{'current':true},'values':{'file':'media:" + file + "'" + more +
                "}}}");
          break;
        case 4:
          apply(loop(*rc::gen::arbitrary<bool>()));
          break;
        case 5:
          apply("{'stop':{'players':['a/p']}}");
          break;
        case 6:
          apply(kPlay);
          break;
        default:
          apply(skip(*rc::gen::inRange(-3, 4)));
      }
      read(100);
      for (int turn = *rc::gen::inRange(0, 8); turn > 0; --turn) {
        rig.turns(1);
        read(*rc::gen::inRange(0, 20));
        rig.hardware->run(*rc::gen::inRange<std::uint32_t>(1, 900));
      }
    }
    RC_ASSERT(rig.until([&] { return answered == asked; }));
    rig.turns(3);
    look();
    read(1);
    rig.turns(3);
    RC_ASSERT(!readings.empty());
    queues.read();
    std::uint64_t revision = 0;
    std::int64_t frame = 0;
    for (const Player& now : readings) {
      RC_ASSERT(now.position_frame() >= 0);
      if (now.has_duration_frames()) RC_ASSERT(now.position_frame() <= now.duration_frames());
      if (now.queue_revision() == 0) continue;  // it is empty
      RC_ASSERT(now.queue_revision() >= revision);
      RC_ASSERT(now.engine_frame() >= frame);
      revision = now.queue_revision();
      frame = now.engine_frame();
      const auto* const queue = queues.find(revision);
      RC_ASSERT(queue != nullptr);
      RC_ASSERT(queue->size() == now.item_count());
      ++checked;
      if (now.item_index() == 0) continue;
      RC_ASSERT(now.item_index() <= now.item_count());
      RC_ASSERT((*queue)[now.item_index() - 1] == now.item_uid());
      RC_ASSERT(now.item_position_frame() >= 0);
      RC_ASSERT(now.item_position_frame() <= now.item_frames());
    }
  }));
  CHECK(checked > 1000);
  CHECK(rig.status().counters().commands_orphaned() == 0);
}
