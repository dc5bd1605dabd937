// Jobs over the real daemon: an upload as a job of its own call, by every way that it can end; watches; roles.
#include "continuo/v1/job.grpc.pb.h"
#include "tests/integration/media_client.hpp"

namespace continuo {
namespace {

using State = v1::Job;

bool over(const v1::Job& job) { return !job.ended_utc().empty(); }

struct JobDaemon : MediaDaemon {
  std::unique_ptr<v1::JobService::Stub> jobs = v1::JobService::NewStub(client.channel);

  /// The newest of this kind, once there is one and it is so far.
  v1::Job newest(v1::Job::Kind kind, const std::function<bool(const v1::Job&)>& so_far) const {
    for (;;) {
      v1::ListJobsResponse response;
      REQUIRE(jobs->ListJobs(Call(), v1::ListJobsRequest(), &response).ok());
      for (const v1::Job& job : response.jobs()) {
        if (job.kind() != kind) continue;
        if (so_far(job)) return job;
        break;
      }
    }
  }
  grpc::Status cancel(std::uint64_t id) const {
    v1::CancelJobRequest request;
    request.set_job_id(id);
    v1::Job job;
    return jobs->CancelJob(Call(), request, &job);
  }
  [[nodiscard]] std::int64_t held(const v1::UploadMediaRequest& begin) const {
    v1::GetUploadRequest request;
    request.set_path(begin.begin().path());
    request.set_total_bytes(begin.begin().total_bytes());
    request.set_sha256(begin.begin().sha256());
    v1::GetUploadResponse response;
    do {
      REQUIRE(media->GetUpload(Call(), request, &response).ok());
    } while (response.active());
    return response.received_bytes();
  }
};

TEST_CASE("an upload is a job while it lasts, and its end is the call's") {
  const JobDaemon d;
  const std::string content = noise(3 * kPiece);
  const v1::UploadMediaRequest begin = begin_of("m:a.bin", content);
  v1::UploadMediaRequest data;
  data.set_data(content.substr(0, kPiece));
  const auto third = [](const v1::Job& job) { return job.progress() > 0.3; };
  SUBCASE("done") {
    REQUIRE(put(*d.media, begin, content).ok());
    const v1::Job job = d.newest(State::KIND_UPLOAD, over);
    CHECK(job.state() == State::STATE_DONE);
    CHECK(job.bytes() == static_cast<std::int64_t>(content.size()));
    CHECK(job.subject() == "m:a.bin");
    CHECK_FALSE(job.origin().identity().empty());
    CHECK(reason_of(d.cancel(job.job_id())).reason == "JOB_ENDED");
  }
  SUBCASE("cancelled by somebody else") {
    Call call;
    v1::UploadMediaResponse response;
    const auto writer = d.media->UploadMedia(&call, &response);
    REQUIRE(writer->Write(begin));
    REQUIRE(writer->Write(data));
    const v1::Job job = d.newest(State::KIND_UPLOAD, third);
    CHECK(job.state() == State::STATE_RUNNING);
    REQUIRE(d.cancel(job.job_id()).ok());
    const grpc::Status status = writer->Finish();
    CHECK(status.error_code() == grpc::StatusCode::ABORTED);
    CHECK(reason_of(status).reason == "CANCELLED");
    CHECK(d.newest(State::KIND_UPLOAD, over).state() == State::STATE_CANCELLED);
    CHECK(d.held(begin) == static_cast<std::int64_t>(kPiece));
    CHECK_FALSE(fs::exists(d.files.path() / "a.bin"));
  }
  SUBCASE("its client vanishes") {
    Call call;
    v1::UploadMediaResponse response;
    const auto writer = d.media->UploadMedia(&call, &response);
    REQUIRE(writer->Write(begin));
    REQUIRE(writer->Write(data));
    static_cast<void>(d.newest(State::KIND_UPLOAD, third));
    call.TryCancel();
    static_cast<void>(writer->Finish());
    CHECK(d.newest(State::KIND_UPLOAD, over).state() == State::STATE_CANCELLED);
    // What GetUpload tells of, and nothing else.
    CHECK(d.held(begin) == static_cast<std::int64_t>(kPiece));
    int files = 0;
    for (const auto& file : fs::directory_iterator(d.files.path())) {
      CHECK(file.path().filename().string().ends_with(".upload"));
      ++files;
    }
    CHECK(files == 1);
    REQUIRE(put(*d.media, begin_of("m:a.bin", content, static_cast<std::int64_t>(kPiece)), content).ok());
    CHECK(read_whole(d.files.path() / "a.bin") == content);
  }
  SUBCASE("it is not what was announced") {
    v1::UploadMediaRequest wrong = begin;
    wrong.mutable_begin()->set_sha256(std::string(64, '0'));
    const grpc::Status status = put(*d.media, wrong, content);
    REQUIRE_FALSE(status.ok());
    const v1::Job job = d.newest(State::KIND_UPLOAD, over);
    CHECK(job.state() == State::STATE_FAILED);
    CHECK(job.reason() == reason_of(status).reason);
  }
}

TEST_CASE("a load is a job from its first message on, which others may end, and its place is free with its answer") {
  const JobDaemon d;
  const auto sessions = v1::SessionService::NewStub(d.client.channel);
  v1::LoadSessionRequest half;
  half.set_json("{\"format\": 1,");
  v1::LoadSessionResponse response;
  Call call;
  const auto writer = sessions->LoadSession(&call, &response);
  REQUIRE(writer->Write(half));
  const v1::Job job =
      d.newest(State::KIND_LOAD, [](const v1::Job& each) { return each.state() == State::STATE_RUNNING; });
  // Beside it there is room for one: each follows the answer of the one before.
  for (int i = 0; i < 50; ++i) {
    Call other;
    v1::LoadSessionRequest whole;
    whole.set_json("{\"format\": 1}");
    whole.set_dry_run(true);
    const auto second = sessions->LoadSession(&other, &response);
    REQUIRE(second->Write(whole));
    REQUIRE(second->WritesDone());
    REQUIRE(second->Finish().ok());
  }
  SUBCASE("cancelled") {
    REQUIRE(d.cancel(job.job_id()).ok());
    const grpc::Status status = writer->Finish();
    CHECK(status.error_code() == grpc::StatusCode::ABORTED);
    CHECK(reason_of(status).reason == "CANCELLED");
  }
  SUBCASE("its client goes away") {
    call.TryCancel();
    CHECK(writer->Finish().error_code() == grpc::StatusCode::CANCELLED);
  }
  CHECK(d.newest(State::KIND_LOAD, over).state() == State::STATE_CANCELLED);
}

TEST_CASE("a watch of one job ends behind its end, and of all begins with those of now") {
  const JobDaemon d;
  write_sound(d.files.path() / "a.wav");
  v1::StartScanRequest request;
  request.set_path("m:");
  v1::Job job;
  REQUIRE(d.jobs->StartScan(Call(), request, &job).ok());
  v1::WatchJobsRequest watch;
  watch.set_job_id(job.job_id());
  {
    Call call;
    const auto reader = d.jobs->WatchJobs(&call, watch);
    v1::Job last;
    while (reader->Read(&last)) {
    }
    CHECK(reader->Finish().ok());
    CHECK(last.state() == State::STATE_DONE);
    CHECK(last.scan().files() == 1);
  }
  {
    Call call;
    const auto reader = d.jobs->WatchJobs(&call, v1::WatchJobsRequest());
    v1::Job first;
    REQUIRE(reader->Read(&first));
    CHECK(first.job_id() == job.job_id());
    v1::Job second;
    REQUIRE(d.jobs->StartScan(Call(), request, &second).ok());
    REQUIRE(reader->Read(&first));
    CHECK(first.job_id() == second.job_id());
    call.TryCancel();
    static_cast<void>(reader->Finish());
  }
  watch.set_job_id(4711);
  Call call;
  const auto reader = d.jobs->WatchJobs(&call, watch);
  CHECK_FALSE(reader->Read(&job));
  CHECK(reason_of(reader->Finish()).reason == "UNKNOWN_JOB");
}

TEST_CASE("requests of a wrong shape are refused") {
  const JobDaemon d;
  v1::Job job;
  v1::StartRenderRequest render;
  render.set_file("m:a.wav");
  render.set_client(std::string(201, 'x'));
  CHECK(reason_of(d.jobs->StartRender(Call(), render, &job)).field == "client");
  render.clear_client();
  render.set_request_id(std::string(65, 'x'));
  CHECK(reason_of(d.jobs->StartRender(Call(), render, &job)).field == "request_id");
  v1::GetJobRequest get;
  get.set_job_id(4711);
  const grpc::Status unknown = d.jobs->GetJob(Call(), get, &job);
  CHECK(unknown.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(reason_of(unknown).reason == "UNKNOWN_JOB");
  CHECK(d.cancel(4711).error_code() == grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace continuo
