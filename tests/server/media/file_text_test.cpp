// Text out of files and folders, fit to be shown.
#include "server/media/file_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace continuo::media {
namespace {

TEST_CASE("readable text has a question mark for what would not show as it is written") {
  for (const char* text : {"a b", "\xC3\xA9", "\xC2\xA0", "\xE2\x80\xA7", "\xE2\x80\xAF", "\xE2\x81\xA5",
                           "\xE2\x81\xAA", "\xE3\x80\xAE", "\xF0\x9F\x8E\xB5", ""}) {
    CAPTURE(std::string(text));
    CHECK(readable(text) == text);
  }
  // Controls (U+0000 on, U+007F to U+009F), ends of lines and turns of direction (U+2028 on, U+2066 on), no UTF-8.
  for (const char* bad : {"\n", "\x1B", "\x7F", "\xC2\x80", "\xC2\x9F", "\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x81\xA6",
                          "\xE2\x81\xA9", "\xFF"}) {
    CAPTURE(std::string(bad));
    CHECK(readable("x" + std::string(bad) + "y") == "x?y");
  }
}

}  // namespace
}  // namespace continuo::media
