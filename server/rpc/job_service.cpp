#include "continuo/v1/job.grpc.pb.h"
#include "server/control/job_desk.hpp"
#include "server/control/text_check.hpp"
#include "server/rpc/access.hpp"
#include "server/rpc/apply_shape.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"
#include "server/rpc/unary.hpp"

namespace continuo::rpc {
namespace {

class JobSource final : public StreamSource<v1::Job> {
 public:
  explicit JobSource(std::shared_ptr<control::JobFeed> feed) : feed_(std::move(feed)) {}
  Next next(std::function<void()> wake) override {
    control::JobFeed::Next found = feed_->next(std::move(wake));
    Next out{std::move(found.message), std::nullopt};
    if (found.end) out.end = *found.end ? grpc::Status::OK : to_status(found.end->error());
    return out;
  }

 private:
  std::shared_ptr<control::JobFeed> feed_;
};

/// The call that starts one of this kind: whoever may make it may end it.
std::string_view method_of(v1::Job::Kind kind) {
  switch (kind) {
    case v1::Job::KIND_RENDER:
      return "continuo.v1.JobService.StartRender";
    case v1::Job::KIND_SCAN:
      return "continuo.v1.JobService.StartScan";
    case v1::Job::KIND_LOAD:
      return "continuo.v1.SessionService.LoadSession";
    case v1::Job::KIND_CALIBRATE:
      return "continuo.v1.DeviceService.Calibrate";
    case v1::Job::KIND_UPLOAD:
      return "continuo.v1.MediaService.UploadMedia";
    default:
      return "";  // nobody may
  }
}

template <class Request>
Result<> check_shape(const Request& request) {
  if (Result<> good = check_strict(request); !good) return good;
  if constexpr (requires { request.client(); }) {
    if (Result<> good = control::check_text(request.client(), "client"); !good) return good;
  }
  if constexpr (requires { request.request_id(); }) {
    if (request.request_id().size() > kMaxRequestId)
      return make_error(ErrorKind::invalid_argument, "OUT_OF_RANGE", "request_id",
                        "request_id is longer than " + std::to_string(kMaxRequestId) + " bytes");
  }
  return {};
}

class JobService final : public v1::JobService::CallbackService {
 public:
  JobService(control::Engine& engine, Door& door) : desk_(engine.jobs()), door_(door) {}

  grpc::ServerUnaryReactor* StartRender(grpc::CallbackServerContext* context, const v1::StartRenderRequest* request,
                                        v1::Job* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = may(*context, reactor, "continuo.v1.JobService.StartRender", *request))
      desk_.start_render(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* StartScan(grpc::CallbackServerContext* context, const v1::StartScanRequest* request,
                                      v1::Job* response) override {
    auto* reactor = context->DefaultReactor();
    if (const auto caller = may(*context, reactor, "continuo.v1.JobService.StartScan", *request))
      desk_.start_scan(*request, reply_to(reactor, response), caller->name);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context, const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override {
    auto* reactor = context->DefaultReactor();
    if (may(*context, reactor, "continuo.v1.JobService.ListJobs", *request))
      desk_.list(*request, reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context, const v1::GetJobRequest* request,
                                   v1::Job* response) override {
    auto* reactor = context->DefaultReactor();
    if (may(*context, reactor, "continuo.v1.JobService.GetJob", *request))
      desk_.get(request->job_id(), reply_to(reactor, response));
    return reactor;
  }

  grpc::ServerWriteReactor<v1::Job>* WatchJobs(grpc::CallbackServerContext* context,
                                               const v1::WatchJobsRequest* request) override {
    auto [stream, allowed, caller] = enter_stream<v1::Job>(
        door_, *context, "continuo.v1.JobService.WatchJobs",
        request->has_job_id() ? Gate::Lasts::until_it_is_told : Gate::Lasts::until_the_client_goes);
    grpc::ServerWriteReactor<v1::Job>* const reactor = stream.get();
    if (!allowed) return reactor;
    if (const Result<> good = check_strict(*request); !good) {
      stream->refuse(to_status(good.error()));
      return reactor;
    }
    using Found = std::shared_ptr<control::JobFeed>;
    desk_.watch(
        request->has_job_id() ? std::optional(request->job_id()) : std::nullopt,
        begin_with<Found>(std::move(stream), [](Found feed) { return std::make_unique<JobSource>(std::move(feed)); }));
    return reactor;
  }

  grpc::ServerUnaryReactor* CancelJob(grpc::CallbackServerContext* context, const v1::CancelJobRequest* request,
                                      v1::Job* response) override {
    auto* reactor = context->DefaultReactor();
    const auto caller = may(*context, reactor, "continuo.v1.JobService.CancelJob", *request);
    if (!caller) return reactor;
    const auto allowed = [who = *caller](v1::Job::Kind kind) { return check_method(who, method_of(kind)); };
    desk_.cancel(*request, allowed, reply_to(reactor, response), caller->name);
    return reactor;
  }

 private:
  template <class Request>
  [[nodiscard]] std::optional<Caller> may(const grpc::ServerContextBase& context, grpc::ServerUnaryReactor* reactor,
                                          std::string_view method, const Request& request) const {
    return enter(door_, context, reactor, method, request, check_shape<Request>);
  }

  control::JobDesk& desk_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_job_service(control::Engine& engine, Door& door) {
  return std::make_unique<JobService>(engine, door);
}

}  // namespace continuo::rpc
