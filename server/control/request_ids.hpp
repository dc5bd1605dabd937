// THREAD: any, one at a time - the request ids as a file: which transactions were done, and in which session text
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"
#include "server/control/request_log.hpp"

namespace continuo::control {

/// A session text, and how many documents there had been with it: what was done up to then is in it.
struct SavedText {
  std::string sha256;  // empty: there is none
  std::uint64_t stand = 0;
};

/// "request-ids" in the state folder. It is written before the session, whole or not at all; it names the text that is
/// on the disk by then and the one that comes there next, so that it agrees with either.
struct RequestIds {
  static constexpr std::size_t kMaxBytes = std::size_t{8} << 20;  // of its entries; the oldest go

  SavedText before;
  SavedText next;
  std::vector<KeptRequest> entries;  // the oldest first

  /// What counts once `sha256` (empty: none) is the session again: what changed no document, and what is in that text.
  [[nodiscard]] std::vector<KeptRequest> counting(const std::string& sha256) &&;
};

[[nodiscard]] std::string sha256_of(std::string_view text);
[[nodiscard]] std::string print_request_ids(const RequestIds& ids);
/// DATA_LOSS for what is none, is cut off, or has a wrong bit.
[[nodiscard]] Result<RequestIds> parse_request_ids(std::string_view bytes);

}  // namespace continuo::control
