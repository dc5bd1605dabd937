// THREAD: test - a client of the test's daemon: every service, and what a refusal says
#pragma once

#include <doctest/doctest.h>
#include <grpcpp/channel.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "continuo/v1/device.grpc.pb.h"
#include "continuo/v1/meter.grpc.pb.h"
#include "continuo/v1/session.grpc.pb.h"
#include "continuo/v1/system.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/integration/daemon.hpp"

namespace continuo {

struct Reason {
  std::string reason;
  std::string field;
};

inline Reason reason_of(const grpc::Status& status) {
  google::rpc::Status details;
  Reason reason;
  if (!details.ParseFromString(status.error_details())) return reason;
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::BadRequest request;
    if (any.UnpackTo(&info)) reason.reason = info.reason();
    if (any.UnpackTo(&request) && request.field_violations_size() > 0)
      reason.field = request.field_violations(0).field();
  }
  return reason;
}

inline v1::Operation add_track(const std::string& id) {
  v1::Operation operation;
  auto& node = *operation.mutable_add_node()->mutable_node()->mutable_fields();
  node["id"].set_string_value(id);
  node["type"].set_string_value("track");
  return operation;
}

inline v1::Operation set_gain(const std::string& path, double gain_db) {
  v1::Operation operation;
  operation.mutable_set_params()->set_path(path);
  (*operation.mutable_set_params()->mutable_values())["gain_db"].set_number_value(gain_db);
  return operation;
}

struct Client {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SessionService::Stub> sessions = v1::SessionService::NewStub(channel);
  std::unique_ptr<v1::MeterService::Stub> meters = v1::MeterService::NewStub(channel);
  std::unique_ptr<v1::SystemService::Stub> system = v1::SystemService::NewStub(channel);
  std::unique_ptr<v1::DeviceService::Stub> devices = v1::DeviceService::NewStub(channel);

  explicit Client(std::shared_ptr<grpc::Channel> c) : channel(std::move(c)) {}
  explicit Client(const Daemon& daemon) : Client(daemon.channel()) {}

  std::pair<grpc::Status, v1::ApplyResponse> apply(const v1::ApplyRequest& request) {
    Call call;
    v1::ApplyResponse response;
    grpc::Status status = sessions->Apply(&call, request, &response);
    return {std::move(status), std::move(response)};
  }
  std::pair<grpc::Status, v1::ApplyResponse> apply(const v1::Operation& operation) {
    v1::ApplyRequest request;
    *request.add_operations() = operation;
    return apply(request);
  }
  grpc::Status load(const std::vector<std::string>& chunks, v1::LoadSessionResponse* response) {
    Call call;
    auto writer = sessions->LoadSession(&call, response);
    for (const std::string& chunk : chunks) {
      v1::LoadSessionRequest request;
      request.set_json(chunk);
      if (!writer->Write(request)) break;
    }
    writer->WritesDone();
    return writer->Finish();
  }
  std::string session() {
    Call call;
    auto reader = sessions->GetSession(&call, {});
    std::string text;
    v1::GetSessionResponse chunk;
    while (reader->Read(&chunk)) text += chunk.json();
    REQUIRE(reader->Finish().ok());
    return text;
  }
  std::int64_t engine_frame() {
    Call call;
    v1::Clock clock;
    REQUIRE(system->GetClock(&call, {}, &clock).ok());
    return clock.engine_frame();
  }
};

}  // namespace continuo
