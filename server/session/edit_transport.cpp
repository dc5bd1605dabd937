#include <set>

#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {
namespace {

using Names = google::protobuf::RepeatedPtrField<std::string>;

// Every name is a node that `fits`; none twice. `wanted` ends the sentence "... is a gain: ".
template <class Fits>
Result<> check_names(const Document& document, const Names& names, const std::string& field, const char* wanted,
                     Fits&& fits) {
  std::set<std::string_view> seen;
  for (int i = 0; i < names.size(); ++i) {
    const std::string where = field + "[" + std::to_string(i) + "]";
    const DocNode* node = find_node(document, names[i]);
    if (node == nullptr) return no_node(names[i], where);
    if (!fits(*node)) return bad("WRONG_NODE", where, quoted(names[i]) + " is a " + node->type + ": " + wanted);
    if (!seen.insert(names[i]).second) return bad("DUPLICATE_NODE", where, quoted(names[i]) + " is named twice");
  }
  return {};
}

Result<> check_players(const Document& document, const Names& names, const std::string& field) {
  return check_names(document, names, field + ".players", "only a player with mode \"free\" has a transport of its own",
                     [](const DocNode& node) { return node.type == "player" && text_of(node, "mode") == "free"; });
}

Result<> check_recorders(const Document& document, const Names& names, const std::string& field) {
  return check_names(document, names, field + ".nodes", "recorders, tracks, buses, \"in\" and \"out\" can be recorded",
                     [](const DocNode& node) {
                       const TypeRole role = find_type(node.type)->role;
                       return node.type == "recorder" || is_strip(role) || role == TypeRole::device_in ||
                              role == TypeRole::device_out;
                     });
}

}  // namespace

Result<> check_transport(const Document& document, const v1::Operation& op, const std::string& field) {
  constexpr std::size_t kMaxPath = 4096;
  switch (op.kind_case()) {
    case v1::Operation::kPlay:
      return check_players(document, op.play().players(), field + ".play");
    case v1::Operation::kStop:
      return check_players(document, op.stop().players(), field + ".stop");
    case v1::Operation::kLocate:
      if (op.locate().timeline_frame() >= 0) return {};
      return bad("OUT_OF_RANGE", field + ".locate.timeline_frame", "timeline_frame must be 0 or more");
    case v1::Operation::kRecordStart: {
      const v1::RecordStart& start = op.record_start();
      const std::string where = field + ".record_start";
      if (start.has_frames() && start.frames() <= 0)
        return bad("OUT_OF_RANGE", where + ".frames", "frames must be 1 or more");
      if (start.has_stop_timeline_frame() && start.stop_timeline_frame() < 0)
        return bad("OUT_OF_RANGE", where + ".stop_timeline_frame", "stop_timeline_frame must be 0 or more");
      if (start.has_file() && start.nodes_size() > 1) {
        return bad("WRONG_FIELD", where + ".file",
                   "one file cannot take several nodes: leave it out, or name one node");
      }
      if (start.has_file() && start.file().empty())
        return bad("MISSING_FIELD", where + ".file", "the file's name is empty");
      if (const Result<> text = check_text(start.file(), kMaxPath, where + ".file"); !text) return text.error();
      const bool named = start.format() != v1::TAKE_FORMAT_UNSPECIFIED && v1::TakeFormat_IsValid(start.format());
      if (start.has_format() && !named)
        return bad("OUT_OF_RANGE", where + ".format", "format must be one that has a name");
      if (start.has_split_seconds() && !(start.split_seconds() >= 1.0 && start.split_seconds() <= 86'400.0))
        return bad("OUT_OF_RANGE", where + ".split_seconds", "split_seconds must be 1 to 86400");
      constexpr std::uint64_t kMinPart = 1'000'000, kMaxPart = std::uint64_t{1} << 50;
      if (start.has_split_bytes() && (start.split_bytes() < kMinPart || start.split_bytes() > kMaxPart))
        return bad("OUT_OF_RANGE", where + ".split_bytes", "split_bytes must be 1000000 to 2^50");
      return check_recorders(document, start.nodes(), where);
    }
    default:
      return check_recorders(document, op.record_stop().nodes(), field + ".record_stop");
  }
}

}  // namespace continuo::session
