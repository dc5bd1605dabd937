// What the desk has done: lines of renders and scans, and the files that they leave.
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>

#include "server/control/job_desk.hpp"
#include "server/media/scan.hpp"

namespace continuo::control {
namespace {

v1::Job scan_result(const media::ScanReport& report) {
  v1::Job job;
  v1::ScanResult& result = *job.mutable_scan();
  result.set_files(report.files);
  result.set_seconds(report.seconds);
  result.set_bytes(report.bytes);
  result.set_broken_count(report.broken_count);
  for (const auto& one : report.broken) {
    auto& broken = *result.add_broken();
    broken.set_file(one.file);
    broken.set_reason(one.reason);
    broken.set_message(one.message);
  }
  return job;
}

}  // namespace

std::string JobDesk::tag_of(const std::filesystem::path& state_folder) {
  utsname machine{};
  ::uname(&machine);
  std::error_code error;
  const auto folder = std::filesystem::weakly_canonical(state_folder, error);
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : std::string(machine.nodename) + ":" + (error ? state_folder : folder).string())
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::string JobDesk::hidden_name(std::uint64_t id) const {
  return ".continuo-" + tag_ + "-" + std::to_string(id) + ".render";
}

/// What a killed daemon's renders left.
void JobDesk::clear_up() {
  for (const v1::Job& job : jobs_.take_cut_off()) {
    if (job.kind() != v1::Job::KIND_RENDER) continue;
    render_worker_.post([roots = parts_.roots, name = job.subject(), hidden = hidden_name(job.job_id())] {
      media::HiddenFile::remove_left(roots, name, hidden);
    });
  }
}

Result<v1::Job> JobDesk::put_in_line(Line& line, Jobs::Begin begin, std::function<void(std::uint64_t)> work) {
  begin.waiting = line.busy;
  auto number = std::make_shared<std::uint64_t>(0);
  begin.on_cancel = [this, &line, number] { drop(line, *number); };
  const auto id = jobs_.try_begin(std::move(begin));
  if (!id) return id.error();
  *number = *id;
  line.waiting.push_back({*id, [work = std::move(work), id = *id] { work(id); }});
  go_on(line);
  return jobs_.get(*id);
}

void JobDesk::go_on(Line& line) {
  if (line.busy || line.waiting.empty() || closed_) return;
  line.busy = true;
  const Line::Waiting next = std::move(line.waiting.front());
  line.waiting.pop_front();
  jobs_.run(next.id);
  next.work();
}

/// It is to end: at once where it waits, else as soon as whoever works on it looks.
void JobDesk::drop(Line& line, std::uint64_t id) {
  const auto found = std::ranges::find(line.waiting, id, &Line::Waiting::id);
  if (found != line.waiting.end()) {
    line.waiting.erase(found);
    jobs_.end(id, cancelled_error());
  } else if (&line == &renders_ && child_) {
    closed_ ? child_->kill() : child_->cancel();
  }
}

void JobDesk::end(Line& line, std::uint64_t id, JobTicket::Outcome outcome) {
  jobs_.end(id, std::move(outcome));
  line.busy = false;
  go_on(line);
}

void JobDesk::render(std::uint64_t id, const std::shared_ptr<RenderOrder>& order) {
  order->hidden = hidden_name(id);
  child_ = std::make_shared<RenderChild>();
  render_worker_.post([this, id, order, child = child_, state = jobs_.state_of(id), post = parts_.strand.poster()] {
    auto rendered = render_aside(*order, *child, [&](double part) {
      child_now_.store(child->process(), std::memory_order_relaxed);
      state->progress.store(part, std::memory_order_relaxed);
    });
    child_now_.store(0, std::memory_order_relaxed);
    order->document.reset();
    post([this, id, order, rendered = std::move(rendered)]() mutable {
      child_.reset();
      if (!rendered) return end(renders_, id, rendered.error());
      give_name(id, order, *std::move(rendered));
    });
  });
}

/// Much may have happened meanwhile: a take of that name, a session that plays what is to be replaced.
void JobDesk::give_name(std::uint64_t id, const std::shared_ptr<RenderOrder>& order, Rendered rendered) {
  if (closed_) return;  // and the file goes
  parts_.library.check_place(
      order->request.file(), order->request.overwrite(),
      [this, id, rendered = std::move(rendered), post = parts_.strand.poster()](const Result<std::monostate>& free) {
        post([this, id, free, rendered]() mutable {
          const auto state = jobs_.state_of(id);
          const JobTicket ticket(state, {});
          if (!free || !ticket.try_commit()) {
            render_worker_.post([file = std::move(rendered.file)] {});  // which unlinks it
            return end(renders_, id, free ? cancelled_error() : free.error());
          }
          render_worker_.post([this, id, rendered = std::move(rendered), again = parts_.strand.poster()] {
            const Result<> named = rendered.file->publish();
            again([this, id, named, result = rendered.result] {
              end(renders_, id, named ? JobTicket::Outcome(result) : JobTicket::Outcome(named.error()));
            });
          });
        });
      });
}

void JobDesk::scan(std::uint64_t id, const std::string& path) {
  scan_worker_.post([this, id, path, roots = parts_.roots, state = jobs_.state_of(id), post = parts_.strand.poster()] {
    const auto report = media::scan_folder(roots, path, [&](std::int64_t behind, std::int64_t all) {
      const double part = all > 0 ? static_cast<double>(behind) / static_cast<double>(all) : 0.0;
      state->progress.store(part, std::memory_order_relaxed);
      return state->phase.load(std::memory_order_acquire) != JobState::Phase::cancelling;
    });
    post([this, id, report] {
      end(scans_, id, report ? JobTicket::Outcome(scan_result(*report)) : JobTicket::Outcome(report.error()));
    });
  });
}

}  // namespace continuo::control
