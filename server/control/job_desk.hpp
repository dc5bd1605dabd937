// THREAD: any calls it, the control strand does it - long work: what is started here, and what tells of itself
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "continuo/v1/job.pb.h"
#include "server/base/result.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_feed.hpp"
#include "server/control/jobs.hpp"
#include "server/control/media_library.hpp"
#include "server/control/render_child.hpp"
#include "server/control/render_work.hpp"
#include "server/control/strand.hpp"
#include "server/control/worker.hpp"

namespace continuo::control {

/// StartRender: [control] take the document -> [disk line] may the file be called so -> [control] a job, in line ->
/// [worker] a process renders into a hidden file -> [control] [disk line] may it still -> [worker] its name ->
/// [control] done. One render and one scan at once; the others wait. Neither holds up the strand, a disk stream or the
/// sound.
class JobDesk {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;

  struct Parts {
    Strand& strand;
    Graph& graph;
    MediaLibrary& library;
    const media::Roots& roots;
    std::function<std::string()> base;  // of the session's media
    std::function<void(v1::Event)> journal;
    std::function<std::int64_t()> utc_ns;
    std::filesystem::path state_folder;
    std::filesystem::path render_program;  // empty: the one beside this program
  };
  explicit JobDesk(Parts parts);
  ~JobDesk() { close(); }

  void start_render(v1::StartRenderRequest request, Done<v1::Job> done, std::string identity = {});
  void start_scan(v1::StartScanRequest request, Done<v1::Job> done, std::string identity = {});
  void list(v1::ListJobsRequest request, Done<v1::ListJobsResponse> done);
  void get(std::uint64_t id, Done<v1::Job> done);
  void watch(std::optional<std::uint64_t> id, Done<std::shared_ptr<JobFeed>> done);
  /// `allowed` judges the kind of what is to be cancelled, on the strand.
  void cancel(v1::CancelJobRequest request, std::function<Result<>(v1::Job::Kind)> allowed, Done<v1::Job> done,
              std::string identity = {});

  /// A call that is a job while it lasts; never refused: where there is no room, nobody lists it. `on_cancel` is called
  /// on the strand and must not block; the call then ends with cancelled_error().
  [[nodiscard]] JobTicket begin(v1::Job::Kind kind, std::string subject, v1::Origin origin,
                                std::function<void()> on_cancel = {});

  /// Control strand: the daemon ends. What is at work is killed, its files are gone within moments.
  void close();
  /// Control strand: it is all over, and on the disk.
  [[nodiscard]] bool idle();

  /// Of the render at work, 0 for none; for tests.
  [[nodiscard]] pid_t render_process() const noexcept { return child_now_.load(std::memory_order_relaxed); }

 private:
  /// One at a time, in the order of their jobs.
  struct Line {
    struct Waiting {
      std::uint64_t id;
      std::function<void()> work;
    };
    std::deque<Waiting> waiting;
    bool busy = false;
  };
  template <class T, class Work>
  void on_strand(Done<T> done, Work work);
  template <class Request>
  bool known(const Request& request, const std::string& identity, const std::string& content, Done<v1::Job>& done);
  void started(const std::pair<std::string, std::string>& key, const Result<v1::Job>& job);
  [[nodiscard]] Result<v1::Job> put_in_line(Line& line, Jobs::Begin begin, std::function<void(std::uint64_t)> work);
  void go_on(Line& line);
  void drop(Line& line, std::uint64_t id);
  void render(std::uint64_t id, const std::shared_ptr<RenderOrder>& order);
  void give_name(std::uint64_t id, const std::shared_ptr<RenderOrder>& order, Rendered rendered);
  void scan(std::uint64_t id, const std::string& path);
  void end(Line& line, std::uint64_t id, JobTicket::Outcome outcome);
  /// Two daemons may share a root: their hidden files have names of their own.
  [[nodiscard]] static std::string tag_of(const std::filesystem::path& state_folder);
  [[nodiscard]] std::string hidden_name(std::uint64_t id) const;
  void clear_up();

  Parts parts_;
  const std::string tag_;  // of this daemon's hidden files
  Jobs jobs_;
  Line renders_;
  Line scans_;
  std::map<std::pair<std::string, std::string>, std::vector<Done<v1::Job>>> starting_;  // by identity and request id
  std::shared_ptr<RenderChild> child_;
  std::atomic<pid_t> child_now_{0};
  bool closed_ = false;
  Worker render_worker_{"continuo-render"};
  Worker scan_worker_{"continuo-scan"};
};

}  // namespace continuo::control
