// THREAD: any - what the tests of session files share: a session, and texts that must be refused
#pragma once

#include <doctest/doctest.h>

#include "server/session/session_file.hpp"
#include "tests/server/session/builders.hpp"

namespace continuo::session::test {

inline const char* const kMixer = R"({
  "format": 1,
  "name": "Evening \"two\"",
  "sample_rate_hz": 48000,
  "nodes": [
    {
      "id": "vox",
      "label": "Vocals",
      "type": "track",
      "params": {"gain_db": -6.5, "mute": true, "pan": 0.1},
      "children": [
        {
          "id": "p",
          "type": "player",
          "params": {"file": "music:a.wav", "start_s": 1.5}
        }
      ]
    },
    {
      "id": "verb",
      "type": "bus"
    }
  ],
  "connections": [
    {"from": "vox:pre", "to": "verb", "gain_db": -12},
    {"from": "vox", "to": "out:3", "channels": [{"from": 1, "to": 2}]},
    {"from": "in:2", "to": "vox"}
  ]
}
)";

inline Error refused(std::string_view text) {
  const Result<Document> parsed = parse_session(text, counter());
  if (parsed) FAIL("was accepted: " << text.substr(0, 200));
  CHECK_FALSE(parsed.error().message.empty());
  return parsed.error();
}
inline Error refused_json(std::string_view text) { return refused(json(text)); }

inline bool says(const Error& error, const char* reason, const char* field) {
  INFO(error.reason << " " << error.field << ": " << error.message);
  CHECK(error.reason == reason);
  CHECK(error.field == field);
  CHECK(error.kind == ErrorKind::invalid_argument);
  return error.reason == reason && error.field == field;
}

}  // namespace continuo::session::test
