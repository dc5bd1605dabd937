#include "server/control/history.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "server/journal/utc.hpp"

namespace continuo::control {

std::uint64_t new_epoch() {
  std::random_device random;
  const auto now = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  // Below 2^53, so that it survives clients that keep numbers as doubles.
  const std::uint64_t epoch =
      ((now << 20) ^ (std::uint64_t{random()} << 21) ^ random()) & ((std::uint64_t{1} << 53) - 1);
  return epoch == 0 ? 1 : epoch;
}

std::string utc_now() { return journal::utc_text(journal::utc_now_ns()); }

History::History(Strand& strand, std::function<std::shared_ptr<const std::string>()> text,
                 std::function<void(const v1::WatchResponse&)> told)
    : text_(std::move(text)), told_(std::move(told)), heartbeat_(strand) {
  revision_.set_epoch(new_epoch());
}

void History::reset() {
  const std::uint64_t before = revision_.epoch();
  do revision_.set_epoch(new_epoch());
  while (revision_.epoch() == before);
  revision_.set_number(0);
  kept_.clear();
  kept_bytes_ = 0;
  forgotten_ = 0;
  for (const auto& watcher : watchers_) {
    if (const auto feed = watcher.lock()) snapshot(*feed, true);
  }
}

v1::Revision History::commit(bool changed, v1::Change change) {
  if (changed) revision_.set_number(revision_.number() + 1);
  *change.mutable_revision() = revision_;
  auto message = std::make_shared<v1::WatchResponse>();
  *message->mutable_change() = std::move(change);
  const std::size_t bytes = message->ByteSizeLong();
  kept_.push_back({message, revision_.number(), bytes});
  kept_bytes_ += bytes;
  while (kept_.size() > kMaxChanges || (kept_bytes_ > kMaxBytes && !kept_.empty())) {
    kept_bytes_ -= kept_.front().bytes;
    forgotten_ = kept_.front().number;
    kept_.pop_front();
  }
  // One change above the bound of a message goes out as a snapshot: it is the same news in pieces.
  if (bytes > kChunk) {
    if (told_) told_(*message);
    for (const auto& watcher : watchers_) {
      if (const auto feed = watcher.lock()) snapshot(*feed, true);
    }
    kept_.clear();
    kept_bytes_ = 0;
    forgotten_ = revision_.number();
    return revision_;
  }
  publish(message);
  return revision_;
}

void History::applied(std::uint64_t transaction_id, std::int64_t engine_frame) {
  auto message = std::make_shared<v1::WatchResponse>();
  message->mutable_applied()->set_transaction_id(transaction_id);
  message->mutable_applied()->set_engine_frame(engine_frame);
  publish(message);
}

void History::scheduled(v1::ScheduledTransaction transaction) {
  auto message = std::make_shared<v1::WatchResponse>();
  *message->mutable_scheduled() = std::move(transaction);
  publish(message);
}

void History::cancelled(v1::WatchResponse::Cancelled cancelled) {
  auto message = std::make_shared<v1::WatchResponse>();
  *message->mutable_cancelled() = std::move(cancelled);
  publish(message);
}

void History::take(v1::WatchResponse::TakeEvent event) {
  auto message = std::make_shared<v1::WatchResponse>();
  *message->mutable_take() = std::move(event);
  publish(message);
}

void History::cue(v1::WatchResponse::CueEvent event) {
  auto message = std::make_shared<v1::WatchResponse>();
  *message->mutable_cue() = std::move(event);
  publish(message);
}

void History::media(v1::WatchResponse::MediaEvent event) {
  auto message = std::make_shared<v1::WatchResponse>();
  *message->mutable_media() = std::move(event);
  publish(message);
}

bool History::full() {
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  return watchers_.size() >= kMaxWatchers;
}

std::shared_ptr<History::WatchFeed> History::watch(const v1::Revision* from) {
  auto feed = std::make_shared<WatchFeed>(kFeedBound);
  std::size_t missed = 0;
  for (const Kept& kept : kept_) missed += from != nullptr && kept.number > from->number();
  const bool known = from != nullptr && from->epoch() == revision_.epoch() && from->number() <= revision_.number() &&
                     from->number() >= forgotten_ && missed < kFeedBound / 2;
  if (known) {
    for (const Kept& kept : kept_) {
      if (kept.number > from->number()) static_cast<void>(feed->push(kept.message));  // missed < bound: it fits
    }
  } else {
    snapshot(*feed, from != nullptr);
  }
  watchers_.push_back(feed);
  if (!heartbeat_.waiting()) arm_heartbeat();
  return feed;
}

void History::close() {
  for (const auto& watcher : watchers_) {
    if (const auto feed = watcher.lock()) feed->close();
  }
  watchers_.clear();
  heartbeat_.cancel();
}

void History::publish(const Message& message) {
  if (told_) told_(*message);
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  for (const auto& watcher : watchers_) {
    const auto feed = watcher.lock();
    if (feed && !feed->push(message)) snapshot(*feed, true);
  }
  if (!watchers_.empty()) arm_heartbeat();
}

void History::snapshot(WatchFeed& feed, bool resync) {
  feed.clear();
  auto end = std::make_shared<v1::WatchResponse>();
  *end->mutable_snapshot_end()->mutable_revision() = revision_;
  end->mutable_snapshot_end()->set_resync(resync);
  for (const Message& chunk : chunks()) {
    if (!feed.push(chunk)) return feed.close();  // a document of hundreds of MiB: the client must come again
  }
  if (!feed.push(end)) feed.close();
}

const std::vector<History::Message>& History::chunks() {
  if (chunks_of_.epoch() == revision_.epoch() && chunks_of_.number() == revision_.number()) return chunks_;
  chunks_.clear();
  const auto text = text_();
  for (std::size_t at = 0; at < text->size(); at += kChunk) {
    auto message = std::make_shared<v1::WatchResponse>();
    message->set_snapshot(text->substr(at, kChunk));
    chunks_.push_back(std::move(message));
  }
  chunks_of_ = revision_;
  return chunks_;
}

void History::arm_heartbeat() {
  heartbeat_.after(kHeartbeat, [this] {
    auto message = std::make_shared<v1::WatchResponse>();
    *message->mutable_heartbeat()->mutable_revision() = revision_;
    std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
    for (const auto& watcher : watchers_) {
      // A full feed needs no sign of life: it has news that were not read.
      if (const auto feed = watcher.lock()) static_cast<void>(feed->push(message));
    }
    if (!watchers_.empty()) arm_heartbeat();
  });
}

v1::Origin origin_of(const std::string& client, const std::string& identity) {
  v1::Origin origin;
  origin.set_client(client);
  origin.set_identity(identity);
  origin.set_utc(utc_now());
  return origin;
}

}  // namespace continuo::control
