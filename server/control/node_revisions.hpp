// THREAD: control - when each node was last changed
#pragma once

#include <cstdint>
#include <unordered_map>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"
#include "server/session/document_change.hpp"

namespace continuo::control {

/// Of one epoch. A node that nobody changed has the revision at which the session came. Values that were streamed do
/// not count: whoever holds a fader does not stand in the way of those who edit. Bound: the nodes of the document.
class NodeRevisions {
 public:
  /// Of the document behind it. `streamed`: the values of a stream, and nothing else.
  void changed(const session::DocumentChange& change, const v1::Revision& revision, bool streamed);
  [[nodiscard]] v1::Revision of(rt::Uid node, std::uint64_t epoch) const;

  /// ABORTED, REVISION_CHANGED, unless nothing but streamed values came since; `now` is the document's.
  [[nodiscard]] Result<> check(const v1::Revision& expected, const v1::Revision& now) const;
  /// The same for each node that the request names. NOT_FOUND, UNKNOWN_NODE.
  [[nodiscard]] Result<> check_nodes(const v1::ApplyRequest& request, const session::Document& document,
                                     const v1::Revision& now) const;

 private:
  void begin(std::uint64_t epoch);
  std::uint64_t epoch_ = 0;
  std::uint64_t edited_ = 0;  // the last revision that counts
  std::unordered_map<rt::Uid, std::uint64_t> numbers_;
};

}  // namespace continuo::control
