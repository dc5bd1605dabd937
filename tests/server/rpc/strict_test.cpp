#include "server/rpc/strict.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/unknown_field_set.h>

#include <limits>

#include "continuo/v1/device.pb.h"
#include "continuo/v1/edit.pb.h"
#include "continuo/v1/lease.pb.h"
#include "continuo/v1/session.pb.h"

namespace continuo::rpc {
namespace {

/// As a newer client would send it: a field that no version has yet.
void add_unknown(google::protobuf::Message& message) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(12345, 1);
}

v1::Operation good_operation() {
  v1::Operation operation;
  auto& set = *operation.mutable_set_params();
  set.set_path("vox");
  (*set.mutable_values())["gain_db"].set_number_value(-6);
  return operation;
}

void refuse(const google::protobuf::Message& message, const std::string& reason, const std::string& field) {
  // As it comes from the wire.
  std::unique_ptr<google::protobuf::Message> received(message.New());
  REQUIRE(received->ParseFromString(message.SerializeAsString()));
  const Result<> result = check_strict(*received);
  REQUIRE_FALSE(result);
  CAPTURE(result.error().message);
  CHECK(result.error().kind == ErrorKind::invalid_argument);
  CHECK(result.error().reason == reason);
  CHECK(result.error().field == field);
}

TEST_CASE("what this version knows passes") {
  v1::ApplyRequest request;
  *request.add_operations() = good_operation();
  auto& node = *request.add_operations()->mutable_add_node()->mutable_node()->mutable_fields();
  node["id"].set_string_value("a");
  node["empty"].mutable_struct_value();
  node["none"].set_null_value(google::protobuf::NULL_VALUE);
  node["list"].mutable_list_value()->add_values()->set_bool_value(false);
  request.add_operations()->mutable_play();
  request.mutable_when()->mutable_now();
  request.set_wait(v1::WAIT_COMMITTED);
  CHECK(check_strict(request));
  CHECK(check_strict(v1::ApplyRequest()));
}

TEST_CASE("an unknown field is refused at any depth, and named") {
  v1::ApplyRequest request;
  *request.add_operations() = good_operation();
  SUBCASE("top") {
    add_unknown(request);
    refuse(request, "UNKNOWN_FIELD", "");
  }
  SUBCASE("operation") {
    add_unknown(*request.mutable_operations(0)->mutable_set_params());
    refuse(request, "UNKNOWN_FIELD", "operations[0].set_params");
  }
  SUBCASE("map value") {
    auto& value = (*request.mutable_operations(0)->mutable_set_params()->mutable_values())["gain_db"];
    add_unknown(value);
    refuse(request, "UNKNOWN_FIELD", "operations[0].set_params.values.gain_db");
  }
  SUBCASE("deep in the JSON of a node") {
    auto& node = *request.add_operations()->mutable_add_node()->mutable_node();
    auto& child = *(*node.mutable_fields())["children"].mutable_list_value()->add_values()->mutable_struct_value();
    add_unknown((*child.mutable_fields())["params"]);
    (*child.mutable_fields())["params"].set_number_value(1);
    refuse(request, "UNKNOWN_FIELD", "operations[1].add_node.node.children[0].params");
  }
  SUBCASE("an empty message") {
    add_unknown(*request.mutable_when()->mutable_now());
    refuse(request, "UNKNOWN_FIELD", "when.now");
  }
}

TEST_CASE("an operation or a time from a newer client is not taken for nothing") {
  v1::ApplyRequest request;
  *request.add_operations() = good_operation();
  SUBCASE("operation") {
    request.add_operations();
    refuse(request, "EMPTY_ONEOF", "operations[1]");
  }
  SUBCASE("operation with its unknown member") {
    add_unknown(*request.add_operations());
    refuse(request, "UNKNOWN_FIELD", "operations[1]");
  }
  SUBCASE("when") {
    request.mutable_when();
    refuse(request, "EMPTY_ONEOF", "when");
  }
  SUBCASE("value") {
    (*request.mutable_operations(0)->mutable_set_params()->mutable_values())["pan"];
    refuse(request, "EMPTY_ONEOF", "operations[0].set_params.values.pan");
  }
}

TEST_CASE("enum numbers that are unknown or UNSPECIFIED are refused") {
  v1::ApplyRequest request;
  *request.add_operations() = good_operation();
  request.set_wait(static_cast<v1::Wait>(99));
  refuse(request, "UNKNOWN_ENUM", "wait");
  request.set_wait(v1::WAIT_UNSPECIFIED);
  refuse(request, "UNSPECIFIED_ENUM", "wait");
}

TEST_CASE("NaN and Infinity are refused wherever a number may be") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {kInfinity, -kInfinity, kNan}) {
    v1::ApplyRequest request;
    *request.add_operations() = good_operation();
    SUBCASE("parameter") {
      (*request.mutable_operations(0)->mutable_set_params()->mutable_values())["gain_db"].set_number_value(value);
      refuse(request, "NOT_FINITE", "operations[0].set_params.values.gain_db");
    }
    SUBCASE("optional") {
      request.add_operations()->mutable_connect()->set_gain_db(value);
      refuse(request, "NOT_FINITE", "operations[1].connect.gain_db");
    }
    SUBCASE("oneof") {
      request.mutable_when()->set_after_seconds(value);
      refuse(request, "NOT_FINITE", "when.after_seconds");
    }
    SUBCASE("list") {
      auto& node = *request.add_operations()->mutable_add_node()->mutable_node()->mutable_fields();
      node["x"].mutable_list_value()->add_values()->set_number_value(0);
      node["x"].mutable_list_value()->add_values()->set_number_value(value);
      refuse(request, "NOT_FINITE", "operations[1].add_node.node.x[1]");
    }
    SUBCASE("device") {
      v1::UseDeviceRequest use;
      use.set_sample_rate_hz(value);
      refuse(use, "NOT_FINITE", "sample_rate_hz");
    }
  }
}

TEST_CASE("a text has a bound, a session's bytes have not") {
  v1::ApplyRequest request;
  *request.add_operations() = good_operation();
  request.set_client(std::string(kMaxText, 'a'));
  CHECK(check_strict(request));
  request.mutable_client()->push_back('a');
  refuse(request, "TEXT_TOO_LONG", "client");

  request.clear_client();
  request.add_operations()->mutable_play()->add_players(std::string(kMaxText + 1, 'a'));
  refuse(request, "TEXT_TOO_LONG", "operations[1].play.players[0]");

  v1::LoadSessionRequest load;
  load.set_json(std::string(kMaxText + 1, ' '));
  CHECK(check_strict(load));
}

TEST_CASE("what a client says of itself shows as it is written") {
  v1::ApplyRequest request;
  *request.add_operations() = good_operation();
  for (const char* good :
       {"", "desk 2", "P\xC3\xBClt \xE2\x80\x93 links", "\xE2\x80\x8F\xD7\xA9", "\xF0\x9F\x8E\x9A"}) {
    request.set_client(good);
    CHECK(check_strict(request));
  }
  for (const char* bad : {"a\nb", "\t", "a\x1B[2J", "\x7F",
                          "\xC2\x9B"
                          "2J",
                          "a\xE2\x80\xAE"
                          "b",
                          "\xE2\x80\xAA", "\xE2\x80\xA8", "\xE2\x81\xA6", "\xE2\x81\xA9z"}) {
    CAPTURE(bad);
    request.set_client(bad);
    refuse(request, "BAD_TEXT", "client");
    v1::AcquireLeaseRequest lease;
    lease.set_note(bad);
    refuse(lease, "BAD_TEXT", "note");
    v1::CancelScheduledRequest cancel;
    cancel.set_client(bad);
    refuse(cancel, "BAD_TEXT", "client");
  }
}

TEST_CASE("what is nested as deep as the wire allows is walked to its end") {
  v1::ApplyRequest request;
  auto* level = request.add_operations()->mutable_add_node()->mutable_node();
  int depth = 0;
  for (; depth < 28; ++depth) level = (*level->mutable_fields())["c"].mutable_struct_value();
  add_unknown(*level);
  std::string place = "operations[0].add_node.node";
  for (int i = 0; i < depth; ++i) place += ".c";
  refuse(request, "UNKNOWN_FIELD", place);
}

}  // namespace
}  // namespace continuo::rpc
