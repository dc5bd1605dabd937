#include "server/rpc/frame_guard.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

namespace continuo::rpc {
namespace {

const std::string kGreeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum Type : char { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kContinuation = 9 };
constexpr char kAck = 1, kEndHeaders = 4;

std::string frame(char type, char flags, std::uint32_t stream, std::size_t length) {
  std::string text{static_cast<char>(length >> 16), static_cast<char>(length >> 8), static_cast<char>(length), type,
                   flags};
  for (const int shift : {24, 16, 8, 0}) text += static_cast<char>(stream >> shift);
  return text + std::string(length, 'x');
}
std::string begin() { return kGreeting + frame(kSettings, 0, 0, 36) + frame(kSettings, kAck, 0, 0); }
bool passes(const std::string& bytes) { return FrameGuard().pass(bytes); }

TEST_CASE("what gRPC clients send passes, in pieces of any size") {
  std::string all = begin();
  for (std::uint32_t stream = 1; stream < 2001; stream += 2) {
    all += frame(kHeaders, kEndHeaders, stream, 300) + frame(kData, 1, stream, 5000) + frame(kPing, 0, 0, 8);
    all += frame(kHeaders, 0, stream, 16'384) + frame(kContinuation, kEndHeaders, stream, 16'384);
    all += frame(kReset, 0, stream, 4);
  }
  all += frame(kData, 0, 1, (1u << 24) - 1);  // large, and bounded by the flow control
  for (const std::size_t piece : {all.size(), std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    FrameGuard guard;
    CHECK_FALSE(guard.greeted());
    bool passed = true;
    for (std::size_t at = 0; at < all.size() && passed; at += piece)
      passed = guard.pass(std::string_view(all).substr(at, piece));
    CHECK(passed);
    CHECK(guard.greeted());
    CHECK(guard.why() == nullptr);
  }
}

TEST_CASE("what does not begin as HTTP/2 is cut off, also in the middle of the greeting") {
  CHECK_FALSE(passes("GET / HTTP/1.1\r\n"));
  CHECK_FALSE(passes("PRI * HTTP/2.1"));
  FrameGuard guard;
  CHECK(guard.pass("PRI * HT"));
  CHECK_FALSE(guard.pass("XX"));
  CHECK_FALSE(guard.pass(""));  // it stays so
  CHECK(std::strlen(guard.why()) > 0);
}

TEST_CASE("headers: their size, their pieces, and that nothing comes in between") {
  const std::string large = frame(kHeaders, 0, 1, 1);
  CHECK(passes(begin() + frame(kHeaders, 0, 1, 16'384) +
               frame(kContinuation, kEndHeaders, 1, FrameGuard::kMaxHeaderBlock - 16'384)));
  CHECK_FALSE(passes(begin() + frame(kHeaders, 0, 1, 16'384) +
                     frame(kContinuation, kEndHeaders, 1, FrameGuard::kMaxHeaderBlock - 16'383)));
  CHECK_FALSE(passes(begin() + frame(kHeaders, kEndHeaders, 1, FrameGuard::kMaxHeaderBlock + 1)));
  std::string pieces = begin() + frame(kHeaders, 0, 1, 0);
  for (int i = 0; i < FrameGuard::kMaxContinuations; ++i) pieces += frame(kContinuation, 0, 1, 0);
  CHECK(passes(pieces));
  CHECK_FALSE(passes(pieces + frame(kContinuation, 0, 1, 0)));
  CHECK_FALSE(passes(begin() + large + frame(kPing, 0, 0, 8)));
  CHECK_FALSE(passes(begin() + large + frame(kHeaders, kEndHeaders, 3, 8)));
  CHECK_FALSE(passes(begin() + large + frame(kContinuation, kEndHeaders, 3, 8)));
  CHECK_FALSE(passes(begin() + frame(kContinuation, kEndHeaders, 1, 8)));
  CHECK_FALSE(passes(begin() + frame(kHeaders, kEndHeaders, 1, 8) + frame(kContinuation, 0, 1, 8)));
}

TEST_CASE("requests before the settings are acknowledged are counted, later ones are gRPC's to bound") {
  std::string early = kGreeting + frame(kSettings, 0, 0, 0);
  for (int i = 0; i < FrameGuard::kMaxEarlyRequests; ++i)
    early += frame(kHeaders, kEndHeaders, static_cast<std::uint32_t>(2 * i + 1), 10);
  const std::string one = frame(kHeaders, kEndHeaders, 9999, 10);
  CHECK(passes(early));
  CHECK_FALSE(passes(early + one));
  CHECK_FALSE(passes(early + frame(kSettings, 0, 0, 0) + one));  // settings of its own are no answer to ours
  CHECK(passes(early + frame(kSettings, kAck, 0, 0) + one + one));
}

TEST_CASE("frames that are small by nature have to be") {
  CHECK(passes(begin() + frame(kSettings, 0, 0, FrameGuard::kMaxControlFrame)));
  CHECK_FALSE(passes(begin() + frame(kSettings, 0, 0, FrameGuard::kMaxControlFrame + 1)));
  CHECK_FALSE(passes(begin() + frame(77, 0, 0, FrameGuard::kMaxControlFrame + 1)));
}

}  // namespace
}  // namespace continuo::rpc
