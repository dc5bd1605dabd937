// THREAD: any - what the tests of edits share: a mixer, edits that must pass, edits that must not
#pragma once

#include <doctest/doctest.h>

#include "server/session/edit.hpp"
#include "tests/server/session/builders.hpp"

namespace continuo::session::test {

inline Document mixer() {
  return document(
      "{'nodes': [{'id': 'a', 'type': 'track', 'children': [{'id': 'p', 'type': 'player', 'params': {'mode': 'free'}}, "
      "{'id': 'tl', 'type': 'player'}, "
      "{'id': 'rec', 'type': 'recorder'}]}, {'id': 'b', 'type': 'track'}, {'id': 'verb', 'type': 'bus'}, {'id': 'g', "
      "'type': 'container'}, "
      "{'id': 'osc', 'type': 'oscillator'}], 'connections': [{'from': 'a', 'to': 'verb'}, {'from': 'b', 'to': 'out'}, "
      "{'from': 'verb', 'to': 'out'}]}");
}

// Refused, and nothing of it is in the document.
inline void refuses(const char* list, const char* reason, const char* field,
                    ErrorKind kind = ErrorKind::invalid_argument) {
  CAPTURE(list);
  Document document = mixer();
  const Document before = document;
  const Result<EditResult> result = edit(document, list, counter(1000));
  REQUIRE_FALSE(result);
  INFO(result.error().message);
  CHECK(result.error().reason == reason);
  CHECK(result.error().field == field);
  CHECK(result.error().kind == kind);
  CHECK(document == before);
}

inline EditResult applies(Document& document, const char* list) {
  CAPTURE(list);
  Result<EditResult> result = edit(document, list, counter(1000));
  if (!result) FAIL(result.error().field << ": " << result.error().message);
  CHECK(validate(document));
  return *result;
}

}  // namespace continuo::session::test
