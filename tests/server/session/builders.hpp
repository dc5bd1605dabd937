// THREAD: any - short ways to say documents and operations in tests
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/session/edit.hpp"
#include "server/session/session_file.hpp"

namespace continuo::session::test {

/// Counts from 1, or from where the test says.
inline UidSource counter(rt::Uid first = 1) {
  return [next = first]() mutable { return next++; };
}

/// A document from its JSON, which must be right. Single quotes stand for double ones.
inline std::string json(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '\'' ? '"' : c;
  return out;
}
Document document(std::string_view text);

/// Operations from the JSON of `{"operations": [...]}`'s list; must parse.
google::protobuf::RepeatedPtrField<v1::Operation> operations(std::string_view list);

/// Applies to `document` and gives what came of it; on success `document` is the new one.
Result<EditResult> edit(Document& document, std::string_view list, const UidSource& new_uid);

}  // namespace continuo::session::test
