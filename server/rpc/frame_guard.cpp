#include "server/rpc/frame_guard.hpp"

#include <algorithm>

namespace continuo::rpc {
namespace {

enum Type : unsigned char { kData = 0, kHeaders = 1, kSettings = 4, kContinuation = 9 };
constexpr unsigned char kEndHeaders = 0x4;
constexpr unsigned char kAck = 0x1;

}  // namespace

bool FrameGuard::pass(std::string_view bytes) noexcept {
  if (why_ != nullptr) return false;
  const std::size_t greeting = std::min(bytes.size(), kGreeting.size() - greeted_);
  if (bytes.substr(0, greeting) != kGreeting.substr(greeted_, greeting)) return refuse("it does not speak HTTP/2");
  greeted_ += greeting;
  bytes.remove_prefix(greeting);
  while (!bytes.empty()) {
    if (body_left_ > 0) {
      const std::size_t taken = std::min(bytes.size(), body_left_);
      body_left_ -= taken;
      bytes.remove_prefix(taken);
      continue;
    }
    head_[head_bytes_++] = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (head_bytes_ < sizeof head_) continue;
    head_bytes_ = 0;
    if (!begin_frame()) return false;
  }
  return true;
}

bool FrameGuard::begin_frame() noexcept {
  const std::size_t length = std::size_t{head_[0]} << 16 | std::size_t{head_[1]} << 8 | head_[2];
  const unsigned char type = head_[3];
  const unsigned char flags = head_[4];
  const std::uint32_t stream =
      (std::uint32_t{head_[5]} << 24 | std::uint32_t{head_[6]} << 16 | std::uint32_t{head_[7]} << 8 | head_[8]) &
      0x7FFFFFFFu;
  body_left_ = length;
  if (in_headers_ != (type == kContinuation)) return refuse("its headers are not in one piece");
  if (type == kHeaders || type == kContinuation) {
    if (type == kContinuation) {
      if (stream != headers_of_) return refuse("its headers are not in one piece");
      if (++continuations_ > kMaxContinuations) return refuse("its headers have too many pieces");
    } else {
      headers_of_ = stream;
      block_bytes_ = 0;
      continuations_ = 0;
      if (!acknowledged_ && ++requests_ > kMaxEarlyRequests)
        return refuse("it opens requests without end, and does not acknowledge the settings");
    }
    block_bytes_ += length;
    if (block_bytes_ > kMaxHeaderBlock) return refuse("its headers are too large");
    in_headers_ = (flags & kEndHeaders) == 0;
    return true;
  }
  if (type != kData && length > kMaxControlFrame) return refuse("a frame of it is too large");
  if (type == kSettings && (flags & kAck) != 0) acknowledged_ = true;
  return true;
}

}  // namespace continuo::rpc
