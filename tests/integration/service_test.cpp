// The API over a real daemon: every service, every way of saying no, and clients that misbehave.
#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "continuo/v1/device.grpc.pb.h"
#include "continuo/v1/meter.grpc.pb.h"
#include "continuo/v1/session.grpc.pb.h"
#include "continuo/v1/system.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/integration/daemon.hpp"

namespace continuo {
namespace {

struct Reason {
  std::string reason;
  std::string field;
};

Reason reason_of(const grpc::Status& status) {
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

v1::Operation add_track(const std::string& id) {
  v1::Operation operation;
  auto& node = *operation.mutable_add_node()->mutable_node()->mutable_fields();
  node["id"].set_string_value(id);
  node["type"].set_string_value("track");
  return operation;
}

v1::Operation set_gain(const std::string& path, double gain_db) {
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

TEST_CASE("an edit becomes sound, is seen by a watcher, and is in the session") {
  const Daemon daemon;
  Client client(daemon);
  Call call;
  auto watch = client.sessions->Watch(&call, {});
  v1::WatchResponse seen;
  do REQUIRE(watch->Read(&seen));
  while (seen.kind_case() != v1::WatchResponse::kSnapshotEnd);

  v1::ApplyRequest request;
  *request.add_operations() = add_track("vox");
  *request.add_operations() = set_gain("vox", -6);
  request.set_client("the test");
  const auto [status, response] = client.apply(request);
  REQUIRE_MESSAGE(status.ok(), status.error_message());
  CHECK(response.outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK(response.has_engine_frame());
  CHECK(response.revision().number() > seen.snapshot_end().revision().number());

  std::set<v1::WatchResponse::KindCase> kinds;
  while (kinds.size() < 2) {
    REQUIRE(watch->Read(&seen));
    if (seen.kind_case() == v1::WatchResponse::kHeartbeat) continue;
    kinds.insert(seen.kind_case());
    if (seen.kind_case() == v1::WatchResponse::kChange) {
      CHECK(seen.change().operations_size() == 2);
      CHECK(seen.change().origin().client() == "the test");
    } else {
      CHECK(seen.applied().engine_frame() == response.engine_frame());
    }
  }
  const std::string text = client.session();
  CHECK(text.find("\"vox\"") != std::string::npos);
  CHECK(text.find("-6") != std::string::npos);

  v1::ListParamsRequest list;
  list.set_path("vox");
  v1::ListParamsResponse params;
  REQUIRE(client.sessions->ListParams(Call(), list, &params).ok());
  CHECK(params.type() == "track");
  v1::ListTypesResponse types;
  REQUIRE(client.sessions->ListTypes(Call(), {}, &types).ok());
  CHECK(types.types_size() >= 8);
}

TEST_CASE("a session loads whole or not at all, and sound goes on") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  const std::string before = client.session();
  const std::int64_t frame = client.engine_frame();

  const std::vector<std::pair<std::string, std::vector<std::string>>> bad = {
      {"truncated", {before.substr(0, before.size() / 2)}},
      {"nothing", {""}},
      {"random bytes", {std::string("\x00\xFF\x80{\"a", 6)}},
      {"unknown field", {R"({"format": 1, "nodes": [{"id": "a", "type": "track", "colour": "red"}]})"}},
      {"Infinity", {R"({"format": 1, "nodes": [{"id": "a", "type": "track", "params": {"gain_db": Infinity}}]})"}},
      {"out of range", {R"({"format": 1, "nodes": [{"id": "a", "type": "track", "params": {"gain_db": 1000}}]})"}},
      {"newer", {R"({"format": 2})"}},
      {"twice", {before, before}},
  };
  for (const auto& [name, chunks] : bad) {
    CAPTURE(name);
    v1::LoadSessionResponse response;
    const grpc::Status status = client.load(chunks, &response);
    CAPTURE(status.error_message());
    const bool refused = status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
                         status.error_code() == grpc::StatusCode::FAILED_PRECONDITION;
    CHECK(refused);
    CHECK_FALSE(reason_of(status).reason.empty());
    CHECK(client.session() == before);
  }
  CHECK(client.engine_frame() > frame);

  // In pieces of one byte, as if it came from afar.
  std::vector<std::string> pieces;
  for (const char c : before) pieces.emplace_back(1, c);
  v1::LoadSessionResponse response;
  const grpc::Status status = client.load(pieces, &response);
  REQUIRE_MESSAGE(status.ok(), status.error_message());
  CHECK(client.session() == before);
}

TEST_CASE("a session over 64 MiB is refused while it comes") {
  const Daemon daemon;
  Client client(daemon);
  v1::LoadSessionResponse response;
  const grpc::Status status = client.load(std::vector<std::string>(65, std::string(1u << 20, ' ')), &response);
  CHECK(status.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
  CHECK(reason_of(status).reason == "SESSION_TOO_LARGE");
}

TEST_CASE("what an edit must not hold is refused with its place, and nothing of it is applied") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  const std::string before = client.session();

  v1::ApplyRequest request;
  *request.add_operations() = set_gain("vox", -3);
  *request.add_operations() = set_gain("vox", -3);
  grpc::StatusCode code = grpc::StatusCode::INVALID_ARGUMENT;
  Reason want;
  SUBCASE("NaN") {
    *request.mutable_operations(1) = set_gain("vox", std::nan(""));
    want = {"NOT_FINITE", "operations[1].set_params.values.gain_db"};
  }
  SUBCASE("an operation from a newer client") {
    request.mutable_operations(1)->Clear();
    want = {"EMPTY_ONEOF", "operations[1]"};
  }
  SUBCASE("an unknown enum number") {
    request.set_wait(static_cast<v1::Wait>(77));
    want = {"UNKNOWN_ENUM", "wait"};
  }
  SUBCASE("no operation") {
    request.clear_operations();
    want = {"OUT_OF_RANGE", "operations"};
  }
  SUBCASE("out of range") {
    *request.mutable_operations(1) = set_gain("vox", 1000);
    want = {"OUT_OF_RANGE", "operations[1].set_params.values.gain_db"};
  }
  SUBCASE("unknown node") {
    *request.mutable_operations(1) = set_gain("nobody", 0);
    code = grpc::StatusCode::NOT_FOUND;
    want = {"UNKNOWN_NODE", "operations[1].set_params.path"};
  }
  const grpc::Status status = client.apply(request).first;
  CAPTURE(status.error_message());
  CHECK(status.error_code() == code);
  CHECK(reason_of(status).reason == want.reason);
  CHECK(reason_of(status).field == want.field);
  CHECK(client.session() == before);

  // A dry run reports the same in its body.
  request.set_dry_run(true);
  const auto [dry, response] = client.apply(request);
  REQUIRE(dry.ok());
  CHECK(response.outcome() == v1::ApplyResponse::OUTCOME_INVALID);
  REQUIRE(response.problems_size() >= 1);
  CHECK(response.problems(0).field() == want.field);
  CHECK(response.problems(0).reason() == want.reason);
}

TEST_CASE("meters come at their rate, and state what they cover") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  Call call;
  v1::WatchMetersRequest request;
  request.set_rate_hz(20);
  request.set_inputs(true);
  auto reader = client.meters->WatchMeters(&call, request);
  v1::MeterFrame frame;
  REQUIRE(reader->Read(&frame));
  REQUIRE(frame.layout_size() >= 2);
  CHECK(frame.layout(0).node() == "in");
  std::int64_t last = frame.engine_frame();
  for (int i = 0; i < 5; ++i) {
    REQUIRE(reader->Read(&frame));
    CHECK(frame.engine_frame() > last);
    CHECK(frame.engine_frame() - last == frame.covers_frames());
    last = frame.engine_frame();
  }
  call.TryCancel();

  Call wrong;
  request.set_rate_hz(7);
  auto refused = client.meters->WatchMeters(&wrong, request);
  CHECK_FALSE(refused->Read(&frame));
  CHECK(reason_of(refused->Finish()).field == "rate_hz");
}

/// Run by the test below in a process of its own, and killed there.
TEST_CASE("helper: a client in the middle of everything" * doctest::skip()) {
  const char* address = std::getenv("CONTINUO_TEST_ADDRESS");
  REQUIRE(address != nullptr);
  Client client(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  Call watching;
  auto watch = client.sessions->Watch(&watching, {});
  v1::WatchResponse seen;
  REQUIRE(watch->Read(&seen));
  Call metering;
  auto meters = client.meters->WatchMeters(&metering, {});
  v1::MeterFrame frame;
  REQUIRE(meters->Read(&frame));
  Call loading;
  v1::LoadSessionResponse response;
  auto upload = client.sessions->LoadSession(&loading, &response);
  v1::LoadSessionRequest chunk;
  chunk.set_json(R"({"format": 1, "nodes": [{"id": "half", "type": "track"}]})");  // whole, but the stream is not
  REQUIRE(upload->Write(chunk));
  Call beeping;
  v1::IdentifyRequest identify;
  identify.set_channel(1);
  identify.set_seconds(60);
  v1::IdentifyResponse identified;
  grpc::CompletionQueue queue;
  auto call = client.devices->AsyncIdentify(&beeping, identify, &queue);
  grpc::Status status;
  call->Finish(&identified, &status, nullptr);
  std::puts("in the middle");
  std::fflush(stdout);
  for (;;) pause();
}

TEST_CASE("clients that are killed in the middle of everything leave the daemon well, and nothing of theirs behind") {
  const Daemon daemon;
  Client client(daemon.channel());
  REQUIRE(client.apply(add_track("vox")).first.ok());
  const std::string before = client.session();
  setenv("CONTINUO_TEST_ADDRESS", daemon.address.c_str(), 1);
  for (int i = 0; i < 5; ++i) {
    Child killed({"/proc/self/exe", "--no-skip", "--test-case=helper: a client in the middle of everything"});
    std::string line;
    do {
      line = killed.read_line();
      REQUIRE_FALSE(line.empty());
    } while (line != "in the middle");
    killed.signal(SIGKILL);
    CHECK(killed.wait() == -SIGKILL);
    CHECK(client.session() == before);
  }
  // Nobody is left who beeps: one channel at a time may, and this is free again.
  v1::IdentifyRequest identify;
  identify.set_channel(2);
  identify.set_seconds(0.1);
  v1::IdentifyResponse identified;
  const grpc::Status status = client.devices->Identify(Call(), identify, &identified);
  CHECK_MESSAGE(status.ok(), status.error_message());
  CHECK(client.apply(set_gain("vox", -1)).first.ok());
}

TEST_CASE("a client that watches and does not read is cut off from nothing, and holds up nobody") {
  const Daemon daemon;
  Client lazy(daemon);
  Client client(daemon);
  Call call;
  auto watch = lazy.sessions->Watch(&call, {});
  REQUIRE(client.apply(add_track("vox")).first.ok());
  for (int i = 0; i < 3000; ++i) {
    v1::ApplyRequest request;
    v1::Operation label;
    label.mutable_set_label()->set_path("vox");
    label.mutable_set_label()->set_label(std::string(900, static_cast<char>('a' + i % 26)));
    for (int n = 0; n < 10; ++n) *request.add_operations() = label;
    request.set_wait(v1::WAIT_COMMITTED);
    REQUIRE(client.apply(request).first.ok());
  }
  // Awake again, it gets to the state of now: by changes, or by a snapshot that says so.
  v1::GetSessionResponse now;
  Call get;
  auto reader = client.sessions->GetSession(&get, {});
  REQUIRE(reader->Read(&now));
  v1::WatchResponse seen;
  v1::Revision reached;
  while (reached.number() < now.revision().number()) {
    REQUIRE(watch->Read(&seen));
    if (seen.has_change()) reached = seen.change().revision();
    if (seen.has_snapshot_end()) reached = seen.snapshot_end().revision();
  }
  CHECK(reached.number() == now.revision().number());
}

TEST_CASE("every method refuses a client whose role does not reach it") {
  const std::map<std::string, int> roles = {{"viewer", v1::ROLE_VIEWER}, {"operator", v1::ROLE_OPERATOR}};
  for (const auto& [name, role] : roles) {
    const Daemon daemon({"--role", name});
    grpc::GenericStub stub(daemon.channel());
    int refused = 0;
    for (const auto* file : {v1::GetSessionRequest::descriptor()->file(), v1::WatchMetersRequest::descriptor()->file(),
                             v1::GetInfoRequest::descriptor()->file(), v1::ListDevicesRequest::descriptor()->file()}) {
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
