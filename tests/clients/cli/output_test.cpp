#include "clients/cli/output.hpp"

#include <doctest/doctest.h>

#include "clients/cli/failure.hpp"
#include "clients/cli/grpc_failure.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/server_address.hpp"
#include "clients/cli/table.hpp"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

using namespace continuo;
using namespace continuo::cli;

TEST_CASE("foreign text cannot steer the terminal") {
  CHECK(printable("a\x1b[2Jb\nc\x7f") == "a?[2Jb c?");
  CHECK(printable("\xC2\x9B"
                  "31m") == "?31m");
  CHECK(printable("K\u00e4se \u00a0") == "K\u00e4se \u00a0");
}

TEST_CASE("what is not UTF-8 is known") {
  for (const std::string text : {"", "a", "K\u00e4se", "\u20ac", "\U0001F3B5", "\x7f"}) CHECK(is_utf8(text));
  for (const std::string text : {"\xff", "\xc3", "a\x80", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80",
                                 "\xf4\x90\x80\x80", "\xe2\x82", "\xf8\x88\x80\x80\x80"}) {
    CAPTURE(text);
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("widths count code points") {
  CHECK(text_width("K\u00e4se") == 4);
  CHECK(fit("K\u00e4se", 6) == "K\u00e4se  ");
  CHECK(fit("K\u00e4se", 2) == "K\u00e4");
  CHECK(fit("", 2) == "  ");
}

TEST_CASE("JSON loses its white space but nothing in strings") {
  CHECK(compact_json("{\n  \"a b\": [1, 2],\n \"q\\\" x\": \"\\\\ \" }\n") == "{\"a b\":[1,2],\"q\\\" x\":\"\\\\ \"}");
  CHECK(json_string("a\"\\\n") == "\"a\\\"\\\\\\u000a\"");
}

TEST_CASE("a message is one line with the proto's names, zeros included") {
  v1::Clock clock;
  clock.set_timeline_frame(5);
  const std::string json = to_json_line(clock);
  CHECK(json.find('\n') == std::string::npos);
  CHECK(json.find("\"timeline_frame\":\"5\"") != std::string::npos);
  CHECK(json.find("\"rolling\":false") != std::string::npos);
}

TEST_CASE("a table is aligned for people and tab-separated for programs") {
  Table table({"NAME", ">FRAMES"});
  table.add({"a", "10"});
  table.add({"long\nname", "5"});
  CHECK(table.text(false, false) == "a\t10\nlong name\t5\n");
  CHECK(table.text(true, false) == "NAME       FRAMES\na              10\nlong name       5\n");
  CHECK(table.text(true, true).starts_with("\x1b[1m"));
}

TEST_CASE("a failure is one line with its reason and field") {
  CHECK(one_line(Failure(kBadData, "OUT_OF_RANGE", "a.gain_db", "too\nloud")) ==
        "too loud (OUT_OF_RANGE, field a.gain_db)");
  CHECK(one_line(Failure(kBadData, "", "f", "no")) == "no (field f)");
  CHECK(one_line(Failure(kBadData, "", "", "")) == "failed");
}

TEST_CASE("every status has its exit code, and details are read") {
  CHECK(exit_code(grpc::StatusCode::INVALID_ARGUMENT, "") == 65);
  CHECK(exit_code(grpc::StatusCode::FAILED_PRECONDITION, "") == 65);
  CHECK(exit_code(grpc::StatusCode::NOT_FOUND, "") == 66);
  CHECK(exit_code(grpc::StatusCode::UNAVAILABLE, "") == 69);
  CHECK(exit_code(grpc::StatusCode::INTERNAL, "") == 70);
  CHECK(exit_code(grpc::StatusCode::UNKNOWN, "") == 70);
  CHECK(exit_code(grpc::StatusCode::ALREADY_EXISTS, "") == 73);
  CHECK(exit_code(grpc::StatusCode::DATA_LOSS, "") == 74);
  CHECK(exit_code(grpc::StatusCode::RESOURCE_EXHAUSTED, "DISK_FULL") == 74);
  CHECK(exit_code(grpc::StatusCode::RESOURCE_EXHAUSTED, "QUEUE_FULL") == 75);
  CHECK(exit_code(grpc::StatusCode::ABORTED, "") == 75);
  CHECK(exit_code(grpc::StatusCode::DEADLINE_EXCEEDED, "") == 75);
  CHECK(exit_code(grpc::StatusCode::PERMISSION_DENIED, "") == 77);
  CHECK(exit_code(grpc::StatusCode::UNAUTHENTICATED, "") == 77);

  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  info.set_reason("OUT_OF_RANGE");
  details.add_details()->PackFrom(info);
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("operations[3].set_params.values.gain_db");
  details.add_details()->PackFrom(bad);
  const Failure failure =
      to_failure(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "gain_db is -150 to 24", details.SerializeAsString()),
                 "unix:/x");
  CHECK(failure.exit_code == kBadData);
  CHECK(failure.reason == "OUT_OF_RANGE");
  CHECK(failure.field == "operations[3].set_params.values.gain_db");
  CHECK(failure.message == "gain_db is -150 to 24");
  // Details that are none do no harm; a silent server is named with the remedy.
  CHECK(to_failure(grpc::Status(grpc::StatusCode::NOT_FOUND, "x", "\xff\xff"), "").exit_code == kNoInput);
  CHECK(to_failure(grpc::Status(grpc::StatusCode::UNAVAILABLE, "connect"), "unix:/x").message.find("unix:/x") !=
        std::string::npos);
}

TEST_CASE("the flag wins over the environment, and both over the sockets") {
  AddressSources sources{"unix:/a.sock", "localhost:1", "/run/user/7", 7};
  CHECK(find_server(sources) == "unix:/a.sock");
  sources.flag = "/b.sock";
  CHECK(find_server(sources) == "unix:/b.sock");
  sources.flag = "unix:///c.sock";
  CHECK(find_server(sources) == "unix:/c.sock");
  sources.flag = "[::1]:4000";
  CHECK(find_server(sources) == "[::1]:4000");
  sources.flag.clear();
  CHECK(find_server(sources) == "localhost:1");
  for (const std::string text : {"nonsense", "unix:", "host:", ":1", "host:port", "http://x"}) {
    CAPTURE(text);
    sources.flag = text;
    CHECK_THROWS_AS((void)find_server(sources), Failure);
  }
  CHECK(default_sockets(sources) == std::vector<std::string>{"/run/user/7/continuo/continuo.sock",
                                                             "/tmp/continuo-7/continuo.sock",
                                                             "/run/continuo/continuo.sock"});
}

TEST_CASE("a node becomes the struct that AddNode carries") {
  const auto json = node_struct(track_node("vox", "Lead", "m:a.wav"));
  CHECK(json.fields().at("id").string_value() == "vox");
  CHECK(json.fields().at("label").string_value() == "Lead");
  const auto& player = json.fields().at("children").list_value().values(0).struct_value().fields();
  CHECK(player.at("type").string_value() == "player");
  CHECK(player.at("params").struct_value().fields().at("file").string_value() == "m:a.wav");
  CHECK_FALSE(node_struct(track_node("vox", "", "")).fields().contains("children"));
}

TEST_CASE("a path divides at its last slash") {
  CHECK(split_path("vox").parent.empty());
  CHECK(split_path("a/b/c").parent == "a/b");
  CHECK(split_path("a/b/c").id == "c");
  for (const std::string text : {"", "/", "a/", "/a"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)split_path(text), Failure);
  }
}

TEST_CASE("nodes are found by path, and a newer daemon's fields are passed over") {
  const v1::Session session =
      parse_session(R"({"future": 1, "nodes": [{"id": "a", "type": "container", "children": [{"id": "b"}]}]})");
  REQUIRE(find_node(session, "a/b") != nullptr);
  CHECK(find_node(session, "a")->type() == "container");
  CHECK(find_node(session, "b") == nullptr);
  CHECK(find_node(session, "a/b/c") == nullptr);
  CHECK(find_node(session, "") == nullptr);
  CHECK_THROWS_AS((void)parse_session("{"), Failure);
}
