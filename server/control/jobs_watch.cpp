// Who watches jobs, and when they are told.
#include <algorithm>
#include <ranges>
#include <string>

#include "server/control/jobs.hpp"

namespace continuo::control {

Error unknown_job(std::uint64_t id) {
  return make_error(ErrorKind::not_found, "UNKNOWN_JOB", "job_id",
                    "no job " + std::to_string(id) + " is known: it was never there, or ended more than a day ago");
}

Result<std::shared_ptr<JobFeed>> Jobs::watch(std::optional<std::uint64_t> id) {
  expire();
  auto feed = std::make_shared<JobFeed>();
  if (id && !entries_.contains(*id)) return unknown_job(*id);
  for (const auto& [number, entry] : entries_) {
    if (!id || *id == number) feed->put(std::make_shared<const v1::Job>(job_of(entry)));
  }
  if (id && entries_.at(*id).ended_ns != 0) {
    feed->end({});
    return feed;
  }
  watchers_.push_back({feed, id});
  arm();
  return feed;
}

void Jobs::note_change(Entry& entry) {
  entry.changed = true;
  if (parts_.now() - entry.told >= kTellEvery) return tell(entry);
  arm();
}

void Jobs::tell(Entry& entry) {
  entry.changed = false;
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.feed.expired(); });
  if (watchers_.empty()) return;
  entry.told = parts_.now();
  const auto message = std::make_shared<const v1::Job>(job_of(entry));
  entry.told_progress = message->progress();
  for (const Watcher& watcher : watchers_) {
    const auto feed = watcher.feed.lock();
    if (!feed || (watcher.id && *watcher.id != message->job_id())) continue;
    feed->put(message);
    if (watcher.id && entry.ended_ns != 0) feed->end({});
  }
  arm();
}

void Jobs::look() {
  expire();
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.feed.expired(); });
  const auto now = parts_.now();
  for (Entry& entry : entries_ | std::views::values) {
    if (entry.ended_ns == 0 && entry.record.job.state() == v1::Job::STATE_RUNNING) {
      const double progress = entry.state->progress.load(std::memory_order_relaxed);
      if (progress >= 0.0 && std::clamp(progress, 0.0, 1.0) != entry.told_progress) entry.changed = true;
    }
    if (entry.changed && now - entry.told >= kTellEvery) tell(entry);
  }
  arm();
}

/// Nothing is looked at while nobody watches, nor while nothing is at work.
void Jobs::arm() {
  if (closed_ || timer_.waiting() || watchers_.empty()) return;
  if (std::ranges::none_of(entries_ | std::views::values,
                           [](const Entry& entry) { return entry.changed || entry.ended_ns == 0; }))
    return;
  timer_.after(kTellEvery, [this] { look(); });
}

}  // namespace continuo::control
