// The API over a real daemon: edits, sessions and meters, and every way of saying no.
#include <cmath>
#include <set>

#include "tests/integration/client.hpp"

namespace continuo {
namespace {

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
  for (int moved = 0; moved < 5;) {  // where the clock device had to wait for a busy machine, one has nothing new
    REQUIRE(reader->Read(&frame));
    CHECK(frame.engine_frame() >= last);
    CHECK(frame.engine_frame() - last == frame.covers_frames());
    if (frame.engine_frame() > last) ++moved;
    last = frame.engine_frame();
  }
  call.TryCancel();

  Call wrong;
  request.set_rate_hz(7);
  auto refused = client.meters->WatchMeters(&wrong, request);
  CHECK_FALSE(refused->Read(&frame));
  CHECK(reason_of(refused->Finish()).field == "rate_hz");
}

}  // namespace
}  // namespace continuo
