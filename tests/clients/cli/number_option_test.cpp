// What a number on the command line may be.
#include "clients/cli/number_option.hpp"

#include <doctest/doctest.h>

#include <string>

namespace continuo::cli {
namespace {

TEST_CASE("an option's number is finite, and within its bounds") {
  const CLI::Validator bounded = number_from(0.1, 3600.0);
  for (const char* text : {"0.1", "10", "3600", "1e3"}) {
    CAPTURE(std::string(text));
    CHECK(bounded(text) == "");
  }
  for (const char* text : {"nan", "-nan", "NAN", "inf", "-inf", "1e999", "0", "3601", "loud", "", "5x"}) {
    CAPTURE(std::string(text));
    CHECK(bounded(text) == "'" + std::string(text) + "' is no number from 0.1 to 3600");
  }
  const CLI::Validator any = finite_number();
  for (const char* text : {"-1e300", "0", "1.5"}) CHECK(any(text) == "");
  for (const char* text : {"nan", "-nan", "inf", "-inf", "1e999", "loud"}) {
    CAPTURE(std::string(text));
    CHECK(any(text) == "'" + std::string(text) + "' is no finite number");
  }
}

TEST_CASE("a whole number that does not fit is none") {
  const CLI::Validator any = whole_number();
  for (const char* text : {"0", "7", "18446744073709551615"}) CHECK(any(text) == "");
  for (const char* text : {"18446744073709551616", "99999999999999999999", "-1", "1.0", "0x7", "", "seven"}) {
    CAPTURE(std::string(text));
    CHECK(any(text) == "'" + std::string(text) + "' is no whole number from 0 to 18446744073709551615");
  }
  CHECK(whole_number(1, 5)("5") == "");
  CHECK(whole_number(1, 5)("6") == "'6' is no whole number from 1 to 5");
  CHECK(whole_number(1, 5)("0") != "");
}

}  // namespace
}  // namespace continuo::cli
