#include "server/session/cue.hpp"
#include "server/session/session_read.hpp"

namespace continuo::session {

bool SessionReader::read_cues(std::vector<DocCue>& cues) {
  return json.array([&](std::size_t index) {
    if (index >= kMaxCues) return json.fail("TOO_MANY", "a session has at most " + std::to_string(kMaxCues) + " cues");
    return read_cue(cues.emplace_back());
  });
}

bool SessionReader::read_cue(DocCue& cue) {
  cue.uid = new_uid();
  Operations operations;
  const bool read = json.object([&](const std::string& key) {
    std::uint64_t uid = 0;
    if (key == "uid") return read_unsigned(uid, kDeviceOutUid);  // the server's to give: read and left aside
    if (key == "name") return json.string(cue.name);
    if (key == "label") return json.string(cue.label);
    if (key == "operations") return read_operations(operations);
    return unknown_field(key, "name label operations");
  });
  if (read) cue.operations = make_cue_operations(std::move(operations));
  return read;
}

bool SessionReader::read_operations(Operations& operations) {
  return json.array([&](std::size_t index) {
    if (index >= kMaxCueOperations)
      return json.fail("TOO_MANY", "a cue has at most " + std::to_string(kMaxCueOperations) + " operations");
    std::string_view text;
    if (json.peek() != JsonReader::Kind::object) return json.fail("WRONG_KIND", "an operation is an object");
    if (!json.raw(text)) return false;
    Result<v1::Operation> operation = operation_from_json(text, json.field());
    if (!operation) return json.fail(operation.error());
    *operations.Add() = std::move(*operation);
    return true;
  });
}

}  // namespace continuo::session
