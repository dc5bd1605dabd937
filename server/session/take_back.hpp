// THREAD: any, one at a time - undo: the operations that put back what a transaction changed, and nothing else
#pragma once

#include <string>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"
#include "server/session/document_change.hpp"
#include "server/session/outline.hpp"

namespace continuo::session {

/// What `now` is without `change`: each field that the change touched as it was before it, all others as they are.
/// ABORTED, CHANGED_SINCE, where such a field no longer has the value that the change gave it; the error names it.
[[nodiscard]] Result<Outline> without(const Document& now, const DocumentChange& change);

/// Operations that make `target` of `now`, uids and orders included: for apply_operations() with EditMode::restore.
/// Nothing where `target` is no document.
[[nodiscard]] Result<google::protobuf::RepeatedPtrField<v1::Operation>> operations_between(const Document& now,
                                                                                           const Outline& target);

/// Its part for one node, of one type before and after: all but id, place and connections.
void add_value_steps(const std::string& path, const DocNode& now, const DocNode& target,
                     google::protobuf::RepeatedPtrField<v1::Operation>& out);

/// Both: the inverse of a change, for the document of now.
[[nodiscard]] Result<google::protobuf::RepeatedPtrField<v1::Operation>> inverse_of(const Document& now,
                                                                                   const DocumentChange& change);

}  // namespace continuo::session
