// What a role does not reach, method by method.
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <map>

#include "continuo/v1/event.pb.h"
#include "continuo/v1/job.pb.h"
#include "continuo/v1/lease.pb.h"
#include "continuo/v1/media.pb.h"
#include "continuo/v1/param.pb.h"
#include "tests/integration/client.hpp"

namespace continuo {
namespace {

TEST_CASE("every method refuses a client whose role does not reach it") {
  const std::map<std::string, int> roles = {{"viewer", v1::ROLE_VIEWER}, {"operator", v1::ROLE_OPERATOR}};
  for (const auto& [name, role] : roles) {
    const Daemon daemon({"--role", name});
    grpc::GenericStub stub(daemon.channel());
    int refused = 0;
    for (const auto* file : {v1::GetSessionRequest::descriptor()->file(), v1::WatchMetersRequest::descriptor()->file(),
                             v1::GetInfoRequest::descriptor()->file(), v1::ListDevicesRequest::descriptor()->file(),
                             v1::ListMediaRequest::descriptor()->file(), v1::ListEventsRequest::descriptor()->file(),
                             v1::ListJobsRequest::descriptor()->file(), v1::ListLeasesRequest::descriptor()->file(),
                             v1::StreamParamsRequest::descriptor()->file()}) {
      for (int m = 0; m < file->service(0)->method_count(); ++m) {
        const auto* method = file->service(0)->method(m);
        if (method->options().GetExtension(v1::role) <= role) continue;
        ++refused;
        CAPTURE(method->full_name());
        Call call;
        grpc::CompletionQueue queue;
        auto stream = stub.PrepareCall(&call, "/" + file->service(0)->full_name() + "/" + method->name(), &queue);
        void* tag = nullptr;
        bool ok = false;
        stream->StartCall(nullptr);
        REQUIRE(queue.Next(&tag, &ok));
        stream->WriteLast(grpc::ByteBuffer(nullptr, 0), {}, nullptr);
        REQUIRE(queue.Next(&tag, &ok));
        grpc::Status status;
        stream->Finish(&status, nullptr);
        REQUIRE(queue.Next(&tag, &ok));
        CHECK(status.error_code() == grpc::StatusCode::PERMISSION_DENIED);
        CHECK(reason_of(status).reason == "ROLE");
      }
    }
    CHECK(refused >= 2);
    Client client(daemon);
    const grpc::Status status = client.apply(add_track("vox")).first;
    CHECK(status.error_code() == grpc::StatusCode::PERMISSION_DENIED);
    if (role == v1::ROLE_OPERATOR) CHECK(reason_of(status).field == "operations[0]");
  }
}

}  // namespace
}  // namespace continuo
