// StreamParams on the wire: what ends a stream, what does not, and a client that reads nothing.
#include <string>
#include <thread>
#include <vector>

#include "continuo/v1/param.grpc.pb.h"
#include "tests/integration/client.hpp"

using namespace continuo;

namespace {

struct Stream {
  Call call;
  std::unique_ptr<v1::ParamService::Stub> stub;
  std::unique_ptr<grpc::ClientReaderWriter<v1::StreamParamsRequest, v1::StreamParamsResponse>> stream;

  explicit Stream(const Daemon& daemon)
      : stub(v1::ParamService::NewStub(daemon.channel())), stream(stub->StreamParams(&call)) {}

  bool write(const v1::StreamParamsRequest& request) { return stream->Write(request); }
  std::vector<std::uint32_t> bind(const std::vector<std::string>& names) {
    v1::StreamParamsRequest request;
    for (const std::string& name : names) request.mutable_bind()->add_params(name);
    request.mutable_bind()->set_client("fader");
    write(request);
    v1::StreamParamsResponse response;
    do {
      if (!stream->Read(&response)) return {};
    } while (!response.has_bound());
    return {response.bound().handles().begin(), response.bound().handles().end()};
  }
  /// The last report, and the end.
  std::pair<grpc::Status, v1::StreamParamsResponse::Report> end() {
    stream->WritesDone();
    v1::StreamParamsResponse response;
    v1::StreamParamsResponse::Report last;
    while (stream->Read(&response)) {
      if (response.has_report()) last = response.report();
    }
    return {stream->Finish(), last};
  }
};

v1::StreamParamsRequest values(const std::vector<std::pair<std::uint32_t, double>>& list, std::uint64_t sequence = 0) {
  v1::StreamParamsRequest request;
  auto& changes = *request.mutable_changes();
  for (const auto& [handle, value] : list) {
    changes.add_handles(handle);
    changes.add_values(value);
  }
  changes.set_sequence(sequence);
  return request;
}

double gain_of(Client& client, const std::string& path) {
  Call call;
  v1::ListParamsRequest request;
  request.set_path(path);
  v1::ListParamsResponse params;
  REQUIRE(client.sessions->ListParams(&call, request, &params).ok());
  for (const auto& param : params.params())
    if (param.spec().name() == "gain_db") return param.value().number_value();
  return 0.0;
}

}  // namespace

TEST_CASE("a stream that its client ends is OK once all of it is in the sound, with a last report") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  Stream one(daemon);
  const auto handles = one.bind({"vox.gain_db", "vox.pan"});
  REQUIRE(handles.size() == 2);
  for (std::uint64_t i = 1; i <= 5000; ++i)
    REQUIRE(one.write(values({{0, -0.001 * static_cast<double>(i)}, {1, 0.5}, {1, 5.0}}, i)));
  const auto [status, report] = one.end();
  CHECK(status.ok());
  CHECK(report.received() == 15'000);
  CHECK(report.refused() == 5000);
  CHECK(report.refused_reason() == "OUT_OF_RANGE");
  CHECK(report.coalesced() > 0);
  CHECK(report.applied_sequence() == 5000);
  CHECK(report.engine_frame() > 0);
  CHECK(gain_of(client, "vox") == doctest::Approx(-5.0));
}

TEST_CASE("what makes no sense ends the stream and says why") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  const auto refused = [&](const v1::StreamParamsRequest& request) {
    Stream one(daemon);
    REQUIRE(one.bind({"vox.gain_db"}).size() == 1);
    one.write(request);
    const auto [status, report] = one.end();
    return std::pair(status.error_code(), reason_of(status).reason);
  };
  using Refused = std::pair<grpc::StatusCode, std::string>;
  CHECK(refused(values({{1, -3}})) == Refused{grpc::INVALID_ARGUMENT, "UNKNOWN_HANDLE"});
  CHECK(refused({}) == Refused{grpc::INVALID_ARGUMENT, "EMPTY_ONEOF"});
  auto request = values({{0, -3}});
  request.mutable_changes()->add_values(-4);
  CHECK(refused(request) == Refused{grpc::INVALID_ARGUMENT, "UNEQUAL_LENGTHS"});
  request = values({{0, -3}});
  REQUIRE(request.MergeFromString("\xA0\x06\x01"));  // field 100 of the message
  CHECK(refused(request) == Refused{grpc::INVALID_ARGUMENT, "UNKNOWN_FIELD"});
  request.Clear();
  request.mutable_bind()->add_params("vox.channels");
  CHECK(refused(request) == Refused{grpc::FAILED_PRECONDITION, "STRUCTURAL"});
  request.Clear();
  request.mutable_bind()->set_client(std::string(201, 'x'));
  CHECK(refused(request) == Refused{grpc::INVALID_ARGUMENT, "OUT_OF_RANGE"});
  // None of it did any harm.
  Stream one(daemon);
  REQUIRE(one.bind({"vox.gain_db"}).size() == 1);
  one.write(values({{0, -3}}));
  CHECK(one.end().first.ok());
}

TEST_CASE("a load ends the stream, and so does the daemon's end") {
  Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  Stream one(daemon);
  REQUIRE(one.bind({"vox.gain_db"}).size() == 1);
  v1::LoadSessionResponse loaded;
  REQUIRE(client.load({R"({"format":1})"}, &loaded).ok());
  const grpc::Status aborted = one.end().first;
  CHECK(aborted.error_code() == grpc::ABORTED);
  CHECK(reason_of(aborted).reason == "EPOCH_CHANGED");
  REQUIRE(client.apply(add_track("vox")).first.ok());
  Stream two(daemon);
  REQUIRE(two.bind({"vox.gain_db"}).size() == 1);
  two.write(values({{0, -3}}));
  daemon.child.signal(SIGTERM);
  v1::StreamParamsResponse response;
  while (two.stream->Read(&response)) {
  }
  CHECK(two.stream->Finish().error_code() == grpc::UNAVAILABLE);
  CHECK(daemon.child.wait() == 0);
}

TEST_CASE("a client that reads no reports goes on being heard") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  Stream deaf(daemon);
  REQUIRE(deaf.bind({"vox.gain_db"}).size() == 1);
  for (int i = 1; i <= 20'000; ++i) REQUIRE(deaf.write(values({{0, -0.001 * i}})));
  v1::StreamParamsRequest gesture;
  gesture.mutable_gesture();
  REQUIRE(deaf.write(gesture));
  const auto [status, report] = deaf.end();
  CHECK(status.ok());
  CHECK(report.received() == 20'000);
  CHECK(gain_of(client, "vox") == doctest::Approx(-20.0));
}

TEST_CASE("a client that goes without a word leaves its last value") {
  const Daemon daemon;
  Client client(daemon);
  REQUIRE(client.apply(add_track("vox")).first.ok());
  {
    Stream one(daemon);
    REQUIRE(one.bind({"vox.gain_db"}).size() == 1);
    REQUIRE(one.write(values({{0, -7}}, 1)));
    v1::StreamParamsResponse response;
    while (response.report().applied_sequence() != 1) REQUIRE(one.stream->Read(&response));
    one.call.TryCancel();
    CHECK(one.end().first.error_code() == grpc::CANCELLED);
  }
  CHECK(gain_of(client, "vox") == doctest::Approx(-7.0));
}
