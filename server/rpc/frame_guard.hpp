// THREAD: any, one at a time - what a client may send before anybody knows who it is: the frames of HTTP/2, counted
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace continuo::rpc {

/// gRPC 1.51 keeps whatever a client sends as the headers of a request until they end, and takes as many requests as
/// come before the client has acknowledged its settings: gigabytes, from anyone who gets a connection. This reads along
/// (RFC 9113, section 4.1: the nine bytes before each frame) and says when a client goes further than any gRPC client
/// does. It decodes nothing, and keeps nothing of what it has seen but a few numbers.
class FrameGuard {
 public:
  static constexpr std::size_t kMaxHeaderBlock = 64u << 10;  // HEADERS and CONTINUATION of one request
  static constexpr int kMaxContinuations = 32;               // of one request: empty ones cost, too
  static constexpr std::size_t kMaxControlFrame = 4u << 10;  // of any but HEADERS, CONTINUATION and DATA
  static constexpr int kMaxEarlyRequests = 100;              // before the server's settings are acknowledged

  /// What came next, in pieces of any size. False from then on where it went too far: why() tells.
  [[nodiscard]] bool pass(std::string_view bytes) noexcept;
  [[nodiscard]] const char* why() const noexcept { return why_; }
  /// It has begun as HTTP/2 does.
  [[nodiscard]] bool greeted() const noexcept { return greeted_ == kGreeting.size(); }

 private:
  static constexpr std::string_view kGreeting = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  [[nodiscard]] bool begin_frame() noexcept;
  [[nodiscard]] bool refuse(const char* why) noexcept {
    why_ = why;
    return false;
  }

  const char* why_ = nullptr;
  std::size_t greeted_ = 0;
  unsigned char head_[9] = {};
  std::size_t head_bytes_ = 0;
  std::size_t body_left_ = 0;
  bool in_headers_ = false;  // a block has begun and not ended
  std::uint32_t headers_of_ = 0;
  std::size_t block_bytes_ = 0;
  int continuations_ = 0;
  bool acknowledged_ = false;
  int requests_ = 0;  // until then
};

}  // namespace continuo::rpc
