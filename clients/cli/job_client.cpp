#include "clients/cli/job_client.hpp"

#include <exception>
#include <utility>

#include "clients/cli/channel.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/unary_call.hpp"
#include "continuo/v1/job.grpc.pb.h"

namespace continuo::cli {
namespace {

constexpr std::uint32_t kPage = 200;

}  // namespace

struct JobClient::Impl : Way {
  std::unique_ptr<v1::JobService::Stub> stub;
};

JobClient::JobClient(std::string address, std::chrono::milliseconds timeout)
    : impl_(std::make_unique<Impl>(Impl{{address, timeout}, v1::JobService::NewStub(make_channel(address))})) {}
JobClient::~JobClient() = default;

v1::Job JobClient::start_render(v1::StartRenderRequest request) {
  request.set_client(client_name());
  return impl_->call(*impl_->stub, &v1::JobService::Stub::StartRender, request);
}

v1::Job JobClient::start_scan(v1::StartScanRequest request) {
  request.set_client(client_name());
  return impl_->call(*impl_->stub, &v1::JobService::Stub::StartScan, request);
}

v1::Job JobClient::cancel(std::uint64_t id) {
  v1::CancelJobRequest request;
  request.set_job_id(id);
  request.set_client(client_name());
  return impl_->call(*impl_->stub, &v1::JobService::Stub::CancelJob, request);
}

v1::Job JobClient::get(std::uint64_t id) {
  v1::GetJobRequest request;
  request.set_job_id(id);
  return impl_->call(*impl_->stub, &v1::JobService::Stub::GetJob, request);
}

void JobClient::list(const std::function<void(const v1::Job&)>& on_job) {
  v1::ListJobsRequest request;
  request.set_page_size(kPage);
  do {
    const v1::ListJobsResponse page = impl_->call(*impl_->stub, &v1::JobService::Stub::ListJobs, request);
    for (const v1::Job& job : page.jobs()) on_job(job);
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
}

bool JobClient::watch(std::optional<std::uint64_t> id, const std::function<void(const v1::Job&)>& on_job) {
  grpc::ClientContext context;
  const Interrupt::Scope scope([&context] { context.TryCancel(); });
  v1::WatchJobsRequest request;
  if (id) request.set_job_id(*id);
  const auto reader = impl_->stub->WatchJobs(&context, request);
  v1::Job job;
  std::exception_ptr failed;
  while (reader->Read(&job)) {
    try {
      on_job(job);
    } catch (...) {
      failed = std::current_exception();
      context.TryCancel();
      break;
    }
  }
  const grpc::Status status = reader->Finish();
  if (failed) std::rethrow_exception(failed);
  if (scope.happened() && !status.ok()) return false;
  impl_->check(status);
  return true;
}

}  // namespace continuo::cli
