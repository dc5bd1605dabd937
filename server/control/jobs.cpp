#include "server/control/jobs.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <span>
#include <utility>

#include "server/control/journal_lines.hpp"
#include "server/journal/utc.hpp"
#include "server/media/sha256.hpp"

namespace continuo::control {
namespace {

constexpr std::int64_t ns(std::chrono::nanoseconds time) { return time.count(); }

Error ended(std::uint64_t id, const char* why) {
  return make_error(ErrorKind::failed_precondition, "JOB_ENDED", "job_id", "job " + std::to_string(id) + " " + why);
}

std::string name_of(const v1::Origin& origin) {
  return origin.identity().empty() ? origin.client() : origin.identity();
}

bool started_alone(const v1::Job& job) {
  return job.kind() == v1::Job::KIND_RENDER || job.kind() == v1::Job::KIND_SCAN;
}

}  // namespace

std::string digest_of(const google::protobuf::Message& request) {
  std::unique_ptr<google::protobuf::Message> plain(request.New());
  plain->CopyFrom(request);
  if (const auto* client = plain->GetDescriptor()->FindFieldByName("client"))
    plain->GetReflection()->ClearField(plain.get(), client);
  std::string bytes = plain->GetDescriptor()->full_name() + "\n";
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    plain->SerializeToCodedStream(&coded);
  }
  media::Sha256 sha256;
  sha256.add(std::as_bytes(std::span(bytes)));
  return sha256.hex();
}

Jobs::Jobs(Parts parts, std::filesystem::path folder)
    : parts_(std::move(parts)), store_(std::move(folder)), timer_(parts_.strand) {
  restore();
}

bool Jobs::at_work(const v1::Job& job) {
  return job.state() == v1::Job::STATE_WAITING || job.state() == v1::Job::STATE_RUNNING;
}

void Jobs::restore() {
  for (JobStore::Record& record : store_.take_found()) {
    Entry entry;
    const bool cut_off = at_work(record.job);
    if (cut_off) {
      cut_off_.push_back(record.job);
      record.job.set_state(v1::Job::STATE_FAILED);
      record.job.set_reason("DAEMON_ENDED");
      record.job.set_message("the daemon ended before it");
      record.job.set_ended_utc(journal::utc_text(parts_.utc_ns()));
    }
    entry.ended_ns = journal::parse_utc(record.job.ended_utc()).value_or(1);
    entry.record = std::move(record);
    if (cut_off) store_.keep(entry.record);
    entries_.emplace(entry.record.job.job_id(), std::move(entry));
  }
  while (entries_.size() > kMaxJobs) erase(entries_.begin());
  expire();
}

void Jobs::erase(std::map<std::uint64_t, Entry>::iterator found) {
  for (const Watcher& watcher : watchers_) {
    if (const auto feed = watcher.feed.lock(); feed && !watcher.id) feed->forget(found->first);
  }
  store_.forget(found->first);
  entries_.erase(found);
}

void Jobs::expire() {
  const std::int64_t limit = parts_.utc_ns() - ns(kKept);
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto next = std::next(at);
    if (at->second.ended_ns != 0 && at->second.ended_ns <= limit) erase(at);
    at = next;
  }
}

bool Jobs::make_room() {
  expire();
  while (entries_.size() >= kMaxJobs) {
    auto oldest = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at->second.ended_ns != 0 && (oldest == entries_.end() || at->second.ended_ns < oldest->second.ended_ns))
        oldest = at;
    }
    if (oldest == entries_.end()) return false;
    erase(oldest);
  }
  return true;
}

Result<std::uint64_t> Jobs::try_begin(Begin begin) {
  const auto too_many = [](std::size_t bound, const char* what) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_JOBS", "",
                      std::to_string(bound) + " jobs " + what + ": try again when one has ended");
  };
  Entry entry;
  v1::Job& job = entry.record.job;
  job.set_kind(begin.kind);
  if (started_alone(job) &&
      static_cast<std::size_t>(std::ranges::count_if(entries_ | std::views::values, [](const Entry& one) {
        return one.ended_ns == 0 && started_alone(one.record.job);
      })) >= kMaxStarted)
    return too_many(kMaxStarted, "wait or run");
  if (!make_room()) return too_many(kMaxJobs, "are at work");
  const std::uint64_t id = store_.next_id();
  job.set_job_id(id);
  job.set_state(begin.waiting ? v1::Job::STATE_WAITING : v1::Job::STATE_RUNNING);
  job.set_subject(std::move(begin.subject));
  *job.mutable_origin() = std::move(begin.origin);
  entry.record.request_id = std::move(begin.request_id);
  entry.record.content = std::move(begin.content);
  entry.record.begun_ns = parts_.utc_ns();
  entry.state = begin.state ? std::move(begin.state) : std::make_shared<JobState>();
  entry.on_cancel = std::move(begin.on_cancel);
  store_.keep(entry.record);
  if (auto event = started_event(job)) parts_.journal(*std::move(event));
  note_change(entries_.emplace(id, std::move(entry)).first->second);
  return id;
}

std::shared_ptr<JobState> Jobs::state_of(std::uint64_t id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.state;
}

void Jobs::run(std::uint64_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.record.job.state() != v1::Job::STATE_WAITING) return;
  found->second.record.job.set_state(v1::Job::STATE_RUNNING);
  note_change(found->second);
}

void Jobs::end(std::uint64_t id, JobTicket::Outcome outcome) {
  const auto found = entries_.find(id);
  if (found != entries_.end() && found->second.ended_ns == 0) finish(found->second, std::move(outcome));
}

void Jobs::finish(Entry& entry, JobTicket::Outcome outcome) {
  v1::Job& job = entry.record.job;
  const double progress = entry.state->progress.load(std::memory_order_relaxed);
  if (progress >= 0.0) job.set_progress(std::clamp(progress, 0.0, 1.0));
  if (outcome) {
    v1::Job& result = *outcome;
    job.set_state(v1::Job::STATE_DONE);
    job.set_progress(1.0);
    job.set_message(result.message());
    if (result.has_render()) job.mutable_render()->Swap(result.mutable_render());
    if (result.has_scan()) job.mutable_scan()->Swap(result.mutable_scan());
    if (result.has_calibration()) job.mutable_calibration()->Swap(result.mutable_calibration());
    if (result.has_revision()) job.mutable_revision()->Swap(result.mutable_revision());
    if (result.result_case() == v1::Job::kBytes) job.set_bytes(result.bytes());
  } else if (entry.state->phase.load() == JobState::Phase::cancelling || outcome.error().reason == "CANCELLED") {
    job.set_state(v1::Job::STATE_CANCELLED);
    job.set_message(entry.cancelled_by.empty() ? outcome.error().message : "cancelled by " + entry.cancelled_by);
  } else {
    job.set_state(v1::Job::STATE_FAILED);
    job.set_reason(outcome.error().reason);
    job.set_message(outcome.error().message);
  }
  entry.ended_ns = std::max<std::int64_t>(parts_.utc_ns(), 1);
  job.set_ended_utc(journal::utc_text(entry.ended_ns));
  entry.on_cancel = nullptr;
  store_.keep(entry.record);
  if (auto event = ended_event(job)) parts_.journal(*std::move(event));
  note_change(entry);
}

v1::Job Jobs::job_of(const Entry& entry) {
  v1::Job job = entry.record.job;
  if (job.state() != v1::Job::STATE_RUNNING) return job;
  const double progress = entry.state->progress.load(std::memory_order_relaxed);
  if (progress >= 0.0) job.set_progress(std::clamp(progress, 0.0, 1.0));
  return job;
}

Result<std::optional<v1::Job>> Jobs::find_request(const std::string& identity, const std::string& request_id,
                                                  const std::string& content) {
  if (request_id.empty()) return std::optional<v1::Job>();
  const std::int64_t limit = parts_.utc_ns() - ns(kRequestLife);
  for (const Entry& entry : entries_ | std::views::values | std::views::reverse) {
    const JobStore::Record& record = entry.record;
    if (record.request_id != request_id || record.job.origin().identity() != identity || record.begun_ns <= limit)
      continue;
    if (record.content == content) return std::optional(job_of(entry));
    return make_error(ErrorKind::invalid_argument, "REQUEST_ID_REUSED", "request_id",
                      "this request id was used for another job within the last 10 minutes: take a new one");
  }
  return std::optional<v1::Job>();
}

Result<v1::Job> Jobs::get(std::uint64_t id) {
  expire();
  const auto found = entries_.find(id);
  if (found == entries_.end()) return unknown_job(id);
  return job_of(found->second);
}

Result<v1::ListJobsResponse> Jobs::list(const v1::ListJobsRequest& request) {
  if (request.page_size() > kMaxPage)
    return make_error(ErrorKind::invalid_argument, "BAD_PAGE_SIZE", "page_size", "a page has 1 to 1000 jobs");
  std::uint64_t before = UINT64_MAX;
  if (const std::string& token = request.page_token(); !token.empty()) {
    const auto [end, status] = std::from_chars(token.data(), token.data() + token.size(), before);
    if (status != std::errc{} || end != token.data() + token.size())
      return make_error(ErrorKind::invalid_argument, "BAD_PAGE_TOKEN", "page_token", "take it from the answer before");
  }
  expire();
  // By number: whatever comes and goes meanwhile, what stays comes exactly once.
  const std::size_t size = request.page_size() == 0 ? kPage : request.page_size();
  v1::ListJobsResponse response;
  std::size_t bytes = 0;
  for (auto at = entries_.lower_bound(before); at != entries_.begin();) {
    --at;
    v1::Job job = job_of(at->second);
    bytes += job.ByteSizeLong();
    const auto count = static_cast<std::size_t>(response.jobs_size());
    if (count == size || (count > 0 && bytes > kMaxPageBytes)) {
      response.set_next_page_token(std::to_string(response.jobs(response.jobs_size() - 1).job_id()));
      break;
    }
    *response.add_jobs() = std::move(job);
  }
  return response;
}

Result<v1::Job> Jobs::cancel(std::uint64_t id, const std::function<Result<>(v1::Job::Kind)>& allowed,
                             const v1::Origin& origin) {
  expire();
  const auto found = entries_.find(id);
  if (found == entries_.end()) return unknown_job(id);
  Entry& entry = found->second;
  if (Result<> may = allowed(entry.record.job.kind()); !may) return may.error();
  if (entry.ended_ns != 0) return ended(id, "has ended");
  auto open = JobState::Phase::open;
  if (!entry.state->phase.compare_exchange_strong(open, JobState::Phase::cancelling)) {
    if (open == JobState::Phase::committed) return ended(id, "is as good as done: it can no longer be taken back");
    return job_of(entry);  // asked before
  }
  entry.cancelled_by = name_of(origin);
  parts_.journal(cancel_event(entry.record.job, origin));
  if (const auto call = std::exchange(entry.on_cancel, nullptr)) call();
  return job_of(entries_.at(id));
}

void Jobs::close() {
  if (std::exchange(closed_, true)) return;
  timer_.cancel();
  for (Entry& entry : entries_ | std::views::values) {
    if (entry.ended_ns != 0) continue;
    finish(entry, make_error(ErrorKind::unavailable, "DAEMON_ENDED", "", "the daemon ended before it"));
    auto open = JobState::Phase::open;
    entry.state->phase.compare_exchange_strong(open, JobState::Phase::cancelling);
  }
  for (const Watcher& watcher : watchers_) {
    if (const auto feed = watcher.feed.lock())
      feed->end(make_error(ErrorKind::unavailable, "STOPPING", "", "the daemon is stopping"));
  }
  watchers_.clear();
}

}  // namespace continuo::control
