#include "server/control/job_desk.hpp"

#include <algorithm>
#include <cmath>

#include "server/control/history.hpp"
#include "server/control/journal_lines.hpp"

namespace continuo::control {
namespace {

constexpr std::size_t kMaxStarting = 64;  // requests whose answer is under way

Error ending() { return make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", "the daemon is ending"); }

}  // namespace

JobDesk::JobDesk(Parts parts)
    : parts_(std::move(parts)),
      tag_(tag_of(parts_.state_folder)),
      jobs_({.strand = parts_.strand, .journal = parts_.journal, .utc_ns = parts_.utc_ns},
            parts_.state_folder / "jobs") {
  clear_up();
  render_worker_.post(work_in_the_background);
  scan_worker_.post(work_in_the_background);
}

template <class T, class Work>
void JobDesk::on_strand(Done<T> done, Work work) {
  parts_.strand.post([this, done = std::move(done), work = std::move(work)]() mutable {
    if (closed_) return done(ending());
    work(std::move(done));
  });
}

/// Answered, or will be by the first of its id.
template <class Request>
bool JobDesk::known(const Request& request, const std::string& identity, const std::string& content,
                    Done<v1::Job>& done) {
  if (request.request_id().empty()) return false;
  auto found = jobs_.find_request(identity, request.request_id(), content);
  if (!found) {
    done(found.error());
    return true;
  }
  if (*found) {
    done(**std::move(found));
    return true;
  }
  const auto first = starting_.find({identity, request.request_id()});
  if (first != starting_.end()) {
    first->second.push_back(std::move(done));
    return true;
  }
  return false;
}

void JobDesk::started(const std::pair<std::string, std::string>& key, const Result<v1::Job>& job) {
  const auto found = starting_.find(key);
  if (found == starting_.end()) return;
  const auto all = std::move(found->second);
  starting_.erase(found);
  for (const auto& done : all) done(job);
}

void JobDesk::start_render(v1::StartRenderRequest request, Done<v1::Job> done, std::string identity) {
  auto told = [this, request, identity, done = std::move(done)](const Result<v1::Job>& job) {
    if (!job)
      parts_.journal(refusal_of(job.error(), "a render to " + request.file(), origin_of(request.client(), identity)));
    done(job);
  };
  on_strand(Done<v1::Job>(std::move(told)), [this, request = std::move(request),
                                             identity = std::move(identity)](Done<v1::Job> answer) mutable {
    const std::string content = digest_of(request);
    if (known(request, identity, content, answer)) return;
    if (Result<> good = check_render(request, *parts_.graph.document()); !good) return answer(good.error());
    if (starting_.size() >= kMaxStarting)
      return answer(
          make_error(ErrorKind::resource_exhausted, "TOO_MANY_JOBS", "", "too many renders begin: try again"));
    auto order = std::make_shared<RenderOrder>();
    order->document = parts_.graph.document();
    order->base = parts_.base();
    order->rate_hz = std::round(parts_.graph.session_rate_hz());
    order->roots = parts_.roots;
    order->program = parts_.render_program.empty() ? find_render_program() : parts_.render_program;
    order->request = std::move(request);
    // Without an id it is the only one that waits for this answer; its address tells it from all others.
    const std::pair key(identity, order->request.request_id().empty()
                                      ? "\n" + std::to_string(reinterpret_cast<std::uintptr_t>(order.get()))
                                      : order->request.request_id());
    starting_[key].push_back(std::move(answer));
    parts_.library.check_place(
        order->request.file(), order->request.overwrite(),
        [this, post = parts_.strand.poster(), order, key, content](const Result<std::monostate>& free) {
          post([this, free, order, key, content] {
            if (closed_) return started(key, ending());
            if (!free) return started(key, free.error());
            Jobs::Begin begin;
            begin.kind = v1::Job::KIND_RENDER;
            begin.subject = order->request.file();
            begin.origin = origin_of(order->request.client(), key.first);
            begin.request_id = order->request.request_id();
            begin.content = content;
            started(key,
                    put_in_line(renders_, std::move(begin), [this, order](std::uint64_t id) { render(id, order); }));
          });
        });
  });
}

void JobDesk::start_scan(v1::StartScanRequest request, Done<v1::Job> done, std::string identity) {
  on_strand(std::move(done), [this, request = std::move(request),
                              identity = std::move(identity)](Done<v1::Job> answer) mutable {
    const std::string content = digest_of(request);
    if (known(request, identity, content, answer)) return;
    const std::string& path = request.path();
    const std::string root = path.substr(0, path.find(':'));
    if (path.find(':') == std::string::npos || !parts_.roots.folders().contains(root))
      return answer(make_error(path.find(':') == std::string::npos ? ErrorKind::invalid_argument : ErrorKind::not_found,
                               path.find(':') == std::string::npos ? "NO_ROOT" : "UNKNOWN_ROOT", "path",
                               "name a folder of a media root: \"root:\" or \"root:folder\", not \"" + path + "\""));
    Jobs::Begin begin;
    begin.kind = v1::Job::KIND_SCAN;
    begin.subject = path;
    begin.origin = origin_of(request.client(), identity);
    begin.request_id = request.request_id();
    begin.content = content;
    answer(put_in_line(scans_, std::move(begin), [this, path](std::uint64_t id) { scan(id, path); }));
  });
}

void JobDesk::list(v1::ListJobsRequest request, Done<v1::ListJobsResponse> done) {
  on_strand(std::move(done), [this, request = std::move(request)](const Done<v1::ListJobsResponse>& answer) {
    answer(jobs_.list(request));
  });
}

void JobDesk::get(std::uint64_t id, Done<v1::Job> done) {
  on_strand(std::move(done), [this, id](const Done<v1::Job>& answer) { answer(jobs_.get(id)); });
}

void JobDesk::watch(std::optional<std::uint64_t> id, Done<std::shared_ptr<JobFeed>> done) {
  on_strand(std::move(done), [this, id](const Done<std::shared_ptr<JobFeed>>& answer) { answer(jobs_.watch(id)); });
}

void JobDesk::cancel(v1::CancelJobRequest request, std::function<Result<>(v1::Job::Kind)> allowed, Done<v1::Job> done,
                     std::string identity) {
  on_strand(std::move(done), [this, request = std::move(request), allowed = std::move(allowed),
                              identity = std::move(identity)](const Done<v1::Job>& answer) {
    answer(jobs_.cancel(request.job_id(), allowed, origin_of(request.client(), identity)));
  });
}

JobTicket JobDesk::begin(v1::Job::Kind kind, std::string subject, v1::Origin origin, std::function<void()> on_cancel) {
  auto state = std::make_shared<JobState>();
  auto number = std::make_shared<std::uint64_t>(0);  // the strand's
  parts_.strand.post([this, state, number, kind, subject = std::move(subject), origin = std::move(origin),
                      on_cancel = std::move(on_cancel)]() mutable {
    if (closed_) return;
    Jobs::Begin begin;
    begin.kind = kind;
    begin.subject = std::move(subject);
    begin.origin = std::move(origin);
    begin.on_cancel = std::move(on_cancel);
    begin.state = state;
    if (const auto id = jobs_.try_begin(std::move(begin))) *number = *id;
  });
  return {state, [this, number, post = parts_.strand.poster()](JobTicket::Outcome outcome) {
            post([this, number, outcome = std::move(outcome)]() mutable {
              if (*number != 0) jobs_.end(*number, std::move(outcome));
            });
          }};
}

void JobDesk::close() {
  if (std::exchange(closed_, true)) return;
  if (child_) child_->kill();
  renders_.waiting.clear();
  scans_.waiting.clear();
  for (auto& [key, all] : std::exchange(starting_, {}))
    for (const auto& done : all) done(ending());
  jobs_.close();
}

bool JobDesk::idle() {
  constexpr std::chrono::milliseconds kNow{0};
  return render_worker_.wait_idle(kNow) && jobs_.saved();
}

}  // namespace continuo::control
