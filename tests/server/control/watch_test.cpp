#include <string>

#include "server/control/history.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kTrack = "{'operations':[{'addNode':{'node':{'id':'a','type':'track'}}}],'client':'tester'}";

std::string label(int i) { return "{'operations':[{'setLabel':{'path':'a','label':'" + std::to_string(i) + "'}}]}"; }

v1::WatchRequest from(const v1::Revision& revision) {
  v1::WatchRequest request;
  *request.mutable_from_revision() = revision;
  return request;
}

struct Seen {
  std::string snapshot;
  int snapshots = 0, resyncs = 0, changes = 0, applied = 0;
  v1::Revision revision;
  v1::Change last;
  std::uint64_t sequence = 0;  // of the last message
};

void read(Feed<v1::WatchResponse>& feed, Seen& seen) {
  while (const auto message = feed.next({})) {
    CHECK(message->ByteSizeLong() < (1u << 20));
    const bool piece = message->has_snapshot_begin() || message->has_snapshot();
    if (!piece && !message->has_snapshot_end() && seen.sequence != 0)
      CHECK(message->sequence() == seen.sequence + (message->has_heartbeat() ? 0 : 1));  // never a gap
    seen.sequence = piece ? seen.sequence : message->sequence();
    if (message->has_snapshot_begin()) {
      CHECK(message->sequence() == 0);
      seen.snapshot.clear();
    } else if (message->has_snapshot_end()) {
      ++seen.snapshots;
      seen.resyncs += message->snapshot_end().resync();
      seen.revision = message->snapshot_end().revision();
    } else if (message->has_change()) {
      ++seen.changes;
      seen.last = message->change();
      CHECK(message->change().revision().number() >= seen.revision.number());
      seen.revision = message->change().revision();
    } else if (message->has_applied()) {
      ++seen.applied;
    } else if (message->has_snapshot()) {
      seen.snapshot += message->snapshot();
    }
  }
}

}  // namespace

TEST_CASE("watch: a snapshot that ends with a marker, then every change with its origin and its application") {
  Rig rig;
  rig.applied(kTrack);
  const auto feed = rig.watch();
  Seen seen;
  read(*feed, seen);
  CHECK(seen.snapshots == 1);
  CHECK(seen.resyncs == 0);
  CHECK(seen.snapshot == rig.session());
  CHECK(seen.revision.number() == 1);
  const auto response = rig.applied("{'operations':[{'setLabel':{'path':'a','label':'Voice'}}],'client':'me'}");
  read(*feed, seen);
  CHECK(seen.changes == 1);
  CHECK(seen.applied == 1);
  CHECK(seen.last.origin().client() == "me");
  CHECK(seen.last.origin().utc().ends_with("Z"));
  CHECK(seen.last.transaction_id() == response.transaction_id());
  CHECK(seen.last.operations(0).set_label().label() == "Voice");
  CHECK(seen.revision.number() == 2);
  // Transport is told, without a new revision.
  rig.applied("{'operations':[{'locate':{'timelineFrame':'10'}}]}");
  read(*feed, seen);
  CHECK(seen.changes == 2);
  CHECK(seen.revision.number() == 2);
}

TEST_CASE("watch resumes with what it missed; a stale epoch gets a resync") {
  Rig rig;
  const auto first = rig.applied(kTrack);
  for (int i = 0; i < 5; ++i) rig.applied(label(i));
  v1::WatchRequest request;
  *request.mutable_from_revision() = first.revision();
  request.mutable_from_revision()->set_number(3);
  Seen seen;
  read(*rig.watch(request), seen);
  CHECK(seen.snapshots == 0);
  CHECK(seen.changes == 3);
  CHECK(seen.revision.number() == 6);
  request.mutable_from_revision()->set_epoch(first.revision().epoch() + 1);
  Seen stale;
  read(*rig.watch(request), stale);
  CHECK(stale.resyncs == 1);
  CHECK(stale.snapshot == rig.session());
  *request.mutable_from_revision() = first.revision();
  request.mutable_from_revision()->set_number(1000);  // from the future
  Seen future;
  read(*rig.watch(request), future);
  CHECK(future.resyncs == 1);
}

TEST_CASE("watch resumes behind a message: also what changed no document is told, and nothing twice") {
  Rig rig;
  const auto first = rig.applied(kTrack);
  const auto feed = rig.watch();
  Seen seen;
  read(*feed, seen);
  REQUIRE(seen.sequence > 0);
  rig.applied("{'operations':[{'locate':{'timelineFrame':'10'}}]}");
  rig.applied(label(1));
  v1::WatchRequest request;
  *request.mutable_from_revision() = first.revision();
  Seen changes;  // by the revision: from the first change of the document on
  read(*rig.watch(request), changes);
  CHECK(changes.snapshots == 0);
  CHECK(changes.changes == 1);
  CHECK(changes.applied == 1);
  request.set_from_sequence(seen.sequence);
  Seen all = seen;
  read(*rig.watch(request), all);
  CHECK(all.snapshots == seen.snapshots);
  CHECK(all.changes == seen.changes + 2);
  CHECK(all.applied == seen.applied + 2);
  request.set_from_sequence(all.sequence);
  Seen nothing = all;
  read(*rig.watch(request), nothing);
  CHECK(nothing.changes == all.changes);
  CHECK(nothing.snapshots == all.snapshots);
  request.set_from_sequence(all.sequence + 1);  // from the future
  Seen future;
  read(*rig.watch(request), future);
  CHECK(future.resyncs == 1);
  CHECK(future.sequence == all.sequence);
  request.mutable_from_revision()->set_epoch(first.revision().epoch() + 1);
  request.set_from_sequence(seen.sequence);
  Seen stale;
  read(*rig.watch(request), stale);
  CHECK(stale.resyncs == 1);
}

TEST_CASE("a sequence without its epoch is refused") {
  Rig rig;
  v1::WatchRequest request;
  request.set_from_sequence(1);
  const auto feed = rig.answer<std::shared_ptr<Feed<v1::WatchResponse>>>(
      [&](auto done) { rig.engine->watch(request, std::move(done)); });
  REQUIRE_FALSE(feed);
  CHECK(feed.error().field == "from_sequence");
}

TEST_CASE("a snapshot that begins anew says so, so that no reader joins two") {
  boost::asio::io_context io;
  Strand strand(io);
  auto text = std::make_shared<const std::string>(3 * History::kChunk, 'a');
  History history(strand, [&] { return text; });
  const auto feed = history.watch({});
  CHECK(feed->next({})->snapshot_begin().bytes() == text->size());
  CHECK(feed->next({})->snapshot().size() == History::kChunk);  // it has a piece of the first
  text = std::make_shared<const std::string>(2 * History::kChunk, 'b');
  history.reset();
  Seen seen;
  seen.snapshot = std::string(History::kChunk, 'a');
  read(*feed, seen);
  CHECK(seen.snapshot == *text);
  CHECK(seen.snapshots == 1);
}

TEST_CASE("a watcher that does not read gets a snapshot in place of what did not fit, and the feed stays bounded") {
  Rig rig;
  rig.applied(kTrack);
  const auto feed = rig.watch();
  for (int i = 0; i < static_cast<int>(History::kFeedBound); ++i) rig.applied(label(i));
  Seen seen;
  read(*feed, seen);
  CHECK(seen.resyncs >= 1);
  CHECK(seen.changes < static_cast<int>(History::kFeedBound));
  CHECK(seen.last.operations(0).set_label().label() == std::to_string(History::kFeedBound - 1));
  CHECK(seen.revision.number() == rig.status().revision().number());
  rig.applied(label(9999));
  const int before = seen.changes;
  read(*feed, seen);
  CHECK(seen.changes == before + 1);
}

TEST_CASE("history: what is kept is bounded in count and in bytes, and a large document comes in chunks") {
  boost::asio::io_context io;
  Strand strand(io);
  auto text = std::make_shared<const std::string>(3 * History::kChunk + 17, 'x');
  History history(strand, [&] { return text; });
  v1::Revision second;
  for (std::size_t i = 0; i < History::kMaxKept + 10; ++i) {
    const auto revision = history.commit(true, {});
    if (i == 1) second = revision;
  }
  v1::Revision newest = history.revision();
  newest.set_number(newest.number() - 1);
  Seen delta;
  read(*history.watch(from(newest)), delta);
  CHECK(delta.changes == 1);
  Seen gone;
  read(*history.watch(from(second)), gone);
  CHECK(gone.resyncs == 1);
  CHECK(gone.snapshot == *text);

  v1::Change large;
  large.mutable_origin()->set_client(std::string(History::kChunk / 2, 'c'));
  for (std::size_t i = 0; i < 2 * History::kMaxBytes / (History::kChunk / 2); ++i) history.commit(true, large);
  newest = history.revision();
  newest.set_number(newest.number() - 1);
  Seen still;
  read(*history.watch(from(newest)), still);
  CHECK(still.changes == 1);
  newest.set_number(newest.number() - 2 * History::kMaxBytes / History::kChunk - 1);
  Seen forgotten;
  read(*history.watch(from(newest)), forgotten);
  CHECK(forgotten.resyncs == 1);
}

TEST_CASE("a change above the bound of a message comes as a snapshot") {
  Rig rig;
  rig.applied(kTrack);
  const auto feed = rig.watch();
  Seen seen;
  read(*feed, seen);
  v1::ApplyRequest request;
  for (int i = 0; i < 1000; ++i) {
    auto& set = *request.add_operations()->mutable_set_label();
    set.set_path("a");
    set.set_label(std::string(900, static_cast<char>('a' + i % 26)));
  }
  REQUIRE(rig.apply(request));
  seen.snapshot.clear();
  read(*feed, seen);
  CHECK(seen.resyncs == 1);
  CHECK(seen.changes == 0);
  CHECK(seen.revision.number() == 2);
  CHECK(seen.snapshot == rig.session());
}

TEST_CASE("a load: another epoch, and watchers get the new session") {
  Rig rig;
  const auto first = rig.applied(kTrack);
  const auto feed = rig.watch();
  Seen seen;
  read(*feed, seen);
  const auto loaded = rig.load("{'format':1,'name':'other'}");
  REQUIRE(loaded);
  CHECK(loaded->has_engine_frame());
  CHECK(loaded->revision().epoch() != first.revision().epoch());
  seen = {};
  read(*feed, seen);
  CHECK(seen.resyncs == 1);
  CHECK(seen.snapshot == rig.session());
  CHECK(seen.revision.epoch() == loaded->revision().epoch());
}
