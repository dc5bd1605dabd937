#include "clients/cli/value_text.hpp"

#include <doctest/doctest.h>

#include "clients/cli/failure.hpp"

using namespace continuo::cli;

TEST_CASE("the first dot ends the path, so a parameter's name may hold dots") {
  const ParamName name = parse_param_name("vox/eq1.band1.freq_hz");
  CHECK(name.path == "vox/eq1");
  CHECK(name.param == "band1.freq_hz");
  for (const std::string text : {"", "vox", ".gain_db", "vox."}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)parse_param_name(text), Failure);
  }
}

TEST_CASE("the first equals sign divides an assignment") {
  CHECK(split_assignment("a.gain_db=-6") == std::pair<std::string, std::string>{"a.gain_db", "-6"});
  CHECK(split_assignment("file=a=b.wav").second == "a=b.wav");
  CHECK(split_assignment("label=").second.empty());
  CHECK_THROWS_AS((void)split_assignment("gain_db"), Failure);
  CHECK_THROWS_AS((void)split_assignment("=5"), Failure);
}

TEST_CASE("numbers, switches and text are told apart") {
  CHECK(parse_value("-6").number_value() == -6.0);
  CHECK(parse_value("+1.5e2").number_value() == 150.0);
  CHECK(parse_value(".5").number_value() == 0.5);
  CHECK(parse_value("true").bool_value());
  CHECK(parse_value("false").has_bool_value());
  CHECK(parse_value("\"12\"").string_value() == "12");
  CHECK(parse_value("").string_value().empty());
  for (const std::string text :
       {"nan", "inf", "-inf", "Infinity", "1e999", "0x10", "1,5", "--6", "6dB", "sine", "True", "-", "1-2"}) {
    CAPTURE(text);
    CHECK(parse_value(text).string_value() == text);
  }
}

TEST_CASE("a value prints as what reads back as itself") {
  for (const std::string text :
       {"-6", "0.1", "true", "false", "sine", "m:a b.wav", "\"12\"", "\"true\"", "1e+30", ""}) {
    CAPTURE(text);
    CHECK(value_text(parse_value(text)) == text);
  }
  google::protobuf::Value quoted;
  quoted.set_string_value("\"x\"");
  CHECK(parse_value(value_text(quoted)).string_value() == "\"x\"");
  CHECK(number_text(-0.1) == "-0.1");
  CHECK(number_text(1e6) == "1000000");
  CHECK(number_text(0.0) == "0");
  CHECK(number_text(1.5e-7) == "1.5e-07");
}

TEST_CASE("a channel map counts from 1") {
  const auto map = parse_channel_map("1:3,2:4");
  REQUIRE(map.size() == 2);
  CHECK(map[0] == std::pair<std::uint32_t, std::uint32_t>{1, 3});
  CHECK(map[1] == std::pair<std::uint32_t, std::uint32_t>{2, 4});
  for (const std::string text : {"", "1", "0:1", "1:0", "1:2,", ",1:2", "1:2:3", "a:b", "-1:2", "1:65536", "1: 2"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)parse_channel_map(text), Failure);
  }
}

TEST_CASE("an output is out:N, from 1") {
  CHECK(parse_output_channel("out:5") == 5);
  CHECK(parse_output_channel("5") == 5);
  for (const std::string text : {"", "out", "out:", "out:0", "in:1", "out:-1", "out:1x", "out:99999999999"}) {
    CAPTURE(text);
    CHECK_THROWS_AS((void)parse_output_channel(text), Failure);
  }
}

TEST_CASE("a level may carry its unit") {
  CHECK(parse_db("-6", "--gain") == -6.0);
  CHECK(parse_db("-6dB", "--gain") == -6.0);
  CHECK(parse_db("-6 dB", "--gain") == -6.0);
  CHECK_THROWS_AS((void)parse_db("loud", "--gain"), Failure);
  CHECK_THROWS_AS((void)parse_db("nan", "--gain"), Failure);
  CHECK_THROWS_AS((void)parse_db("", "--gain"), Failure);
}
