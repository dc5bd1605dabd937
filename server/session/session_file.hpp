// THREAD: any, one at a time - the session file: JSON of the proto message Session, versioned
#pragma once

#include <string>
#include <string_view>

#include "continuo/v1/session.pb.h"
#include "server/base/result.hpp"
#include "server/session/document.hpp"
#include "server/session/edit.hpp"

namespace continuo::session {

inline constexpr std::uint32_t kSessionFormat = 1;
inline constexpr std::size_t kMaxSessionBytes = std::size_t{64} << 20;

/// Strict: an unknown field, an unknown enum number, a duplicate key, NaN, Infinity, a truncated text, a newer format,
/// too deep a tree: INVALID_ARGUMENT with the field ("nodes[2].params.gain_db") or the line. Nothing is half done.
[[nodiscard]] Result<Document> parse_session(std::string_view json, const UidSource& new_uid);

/// The same bytes for the same document, on every run: maps in order, defaults left out, two-space indent, final
/// newline.
[[nodiscard]] std::string print_session(const Document& document);

/// The JSON of one node, as AddNode carries it; strict like parse_session.
[[nodiscard]] Result<DocNode> node_from_struct(const google::protobuf::Struct& json, const std::string& field,
                                               const UidSource& new_uid, EditMode mode = EditMode::client);
[[nodiscard]] google::protobuf::Struct node_to_struct(const DocNode& node);
[[nodiscard]] google::protobuf::Value to_proto(const Value& value);
[[nodiscard]] Result<Value> from_proto(const google::protobuf::Value& value, const std::string& field);

}  // namespace continuo::session
