// THREAD: any, one at a time - JSON -> document, one schema: the proto messages Session, Node and Connection
#pragma once

#include "server/base/result.hpp"
#include "server/session/document.hpp"
#include "server/session/edit.hpp"
#include "server/session/json_reader.hpp"

namespace continuo::session {

/// What the reading of a whole session or of one node has in common. Shapes and limits only: what the values mean is
/// validate()'s (edit.hpp). Values that equal their default are left out, so that a document has one form.
struct SessionReader {
  JsonReader& json;
  const UidSource& new_uid;
  bool keep_uids = false;  // that the text has
  std::size_t nodes = 0;
  std::size_t lanes = 0;
  std::size_t lane_points = 0;

  [[nodiscard]] bool read_session(Document& document);
  [[nodiscard]] bool read_node(DocNode& node, std::size_t depth);

 private:
  [[nodiscard]] bool read_nodes(NodeList& list, std::size_t depth);
  [[nodiscard]] bool read_params(std::map<std::string, Value>& params);
  [[nodiscard]] bool read_value(Value& value);
  [[nodiscard]] bool read_lanes(std::map<std::string, DocLane>& lanes);
  [[nodiscard]] bool read_lane(DocLane& lane);
  [[nodiscard]] bool read_point(LanePoint& point);
  [[nodiscard]] bool read_queue(std::vector<QueueItem>& queue);
  [[nodiscard]] bool read_item(QueueItem& item);
  [[nodiscard]] bool read_cues(std::vector<DocCue>& cues);
  [[nodiscard]] bool read_cue(DocCue& cue);
  [[nodiscard]] bool read_operations(google::protobuf::RepeatedPtrField<v1::Operation>& operations);
  [[nodiscard]] bool read_connection(DocConnection& connection);
  [[nodiscard]] bool read_endpoint(Endpoint& endpoint, bool is_source);
  [[nodiscard]] bool read_channels(DocConnection& connection);
  [[nodiscard]] bool read_uid(rt::Uid& uid);
  [[nodiscard]] bool read_unsigned(std::uint64_t& value, std::uint64_t max);
  bool unknown_field(const std::string& key, const char* known);
};

/// Choices as texts; without the parameters that have their default value.
void tidy_params(DocNode& node);

}  // namespace continuo::session
