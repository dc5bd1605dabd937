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
  forget_all();
  for (const auto& watcher : watchers_) {
    if (const auto feed = watcher.lock()) snapshot(*feed, true);
  }
}

v1::Revision History::commit(bool changed, v1::Change change) {
  if (changed) revision_.set_number(revision_.number() + 1);
  *change.mutable_revision() = revision_;
  v1::WatchResponse message;
  *message.mutable_change() = std::move(change);
  publish(std::move(message));
  return revision_;
}

void History::applied(std::uint64_t transaction_id, std::int64_t engine_frame) {
  v1::WatchResponse message;
  message.mutable_applied()->set_transaction_id(transaction_id);
  message.mutable_applied()->set_engine_frame(engine_frame);
  publish(std::move(message));
}

void History::scheduled(v1::ScheduledTransaction transaction) {
  v1::WatchResponse message;
  *message.mutable_scheduled() = std::move(transaction);
  publish(std::move(message));
}

void History::cancelled(v1::WatchResponse::Cancelled cancelled) {
  v1::WatchResponse message;
  *message.mutable_cancelled() = std::move(cancelled);
  publish(std::move(message));
}

void History::take(v1::WatchResponse::TakeEvent event) {
  v1::WatchResponse message;
  *message.mutable_take() = std::move(event);
  publish(std::move(message));
}

void History::cue(v1::WatchResponse::CueEvent event) {
  v1::WatchResponse message;
  *message.mutable_cue() = std::move(event);
  publish(std::move(message));
}

void History::media(v1::WatchResponse::MediaEvent event) {
  v1::WatchResponse message;
  *message.mutable_media() = std::move(event);
  publish(std::move(message));
}

void History::lease(v1::LeaseEvent event) {
  v1::WatchResponse message;
  *message.mutable_lease() = std::move(event);
  publish(std::move(message));
}

void History::keep(const Message& message, std::size_t bytes) {
  kept_.push_back({message, revision_.number(), bytes});
  kept_bytes_ += bytes;
  while (kept_.size() > kMaxKept || (kept_bytes_ > kMaxBytes && !kept_.empty())) {
    kept_bytes_ -= kept_.front().bytes;
    forgotten_ = kept_.front().number;
    kept_.pop_front();
  }
}

void History::forget_all() {
  kept_.clear();
  kept_bytes_ = 0;
  forgotten_ = revision_.number();
}

bool History::full() {
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  return watchers_.size() >= kMaxWatchers;
}

std::optional<std::size_t> History::missed_from(const v1::WatchRequest& request) const {
  if (request.from_revision().epoch() != revision_.epoch()) return std::nullopt;
  std::size_t first = 0;
  if (request.has_from_sequence()) {
    const std::uint64_t from = request.from_sequence();
    if (from > sequence_ || from + kept_.size() < sequence_) return std::nullopt;
    first = kept_.size() - static_cast<std::size_t>(sequence_ - from);
  } else {
    const std::uint64_t from = request.from_revision().number();
    if (from > revision_.number() || from < forgotten_) return std::nullopt;
    const auto later = std::ranges::upper_bound(kept_, from, {}, &Kept::number);
    first = static_cast<std::size_t>(later - kept_.begin());
  }
  if (kept_.size() - first >= kFeedBound / 2) return std::nullopt;
  return first;
}

std::shared_ptr<History::WatchFeed> History::watch(const v1::WatchRequest& request) {
  auto feed = std::make_shared<WatchFeed>(kFeedBound);
  const std::optional<std::size_t> missed = request.has_from_revision() ? missed_from(request) : std::nullopt;
  if (missed) {
    for (std::size_t i = *missed; i < kept_.size(); ++i)
      static_cast<void>(feed->push(kept_[i].message));  // fewer than its bound: they fit
  } else {
    snapshot(*feed, request.has_from_revision());
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

void History::publish(v1::WatchResponse next) {
  next.set_sequence(++sequence_);
  const auto message = std::make_shared<const v1::WatchResponse>(std::move(next));
  if (told_) told_(*message);
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  const std::size_t bytes = message->ByteSizeLong();
  // One above the bound of a message goes out as a snapshot: it is the same news in pieces.
  const bool fits = bytes <= kChunk;
  if (fits)
    keep(message, bytes);
  else
    forget_all();
  for (const auto& watcher : watchers_) {
    const auto feed = watcher.lock();
    if (feed && (!fits || !feed->push(message))) snapshot(*feed, true);
  }
  if (!watchers_.empty()) arm_heartbeat();
}

void History::snapshot(WatchFeed& feed, bool resync) {
  feed.clear();
  auto begin = std::make_shared<v1::WatchResponse>();
  auto end = std::make_shared<v1::WatchResponse>();
  std::uint64_t bytes = 0;
  for (const Message& chunk : chunks()) bytes += chunk->snapshot().size();
  *begin->mutable_snapshot_begin()->mutable_revision() = revision_;
  begin->mutable_snapshot_begin()->set_resync(resync);
  begin->mutable_snapshot_begin()->set_bytes(bytes);
  *end->mutable_snapshot_end()->mutable_revision() = revision_;
  end->mutable_snapshot_end()->set_resync(resync);
  end->set_sequence(sequence_);
  bool whole = feed.push(begin);
  for (const Message& chunk : chunks()) whole = whole && feed.push(chunk);
  // A document of hundreds of MiB does not fit: the client must come again.
  if (!whole || !feed.push(end)) feed.close();
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
    message->set_sequence(sequence_);
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
