#include <cmath>

#include "server/session/json_writer.hpp"
#include "server/session/names.hpp"
#include "server/session/queue.hpp"
#include "server/session/session_file.hpp"
#include "server/session/session_read.hpp"

namespace continuo::session {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;

// A Struct as JSON text, for the one strict reader to read. Fails on what JSON cannot say.
class StructText {
 public:
  StructText(std::string& out, std::string field) : out_(out), field_(std::move(field)) {}

  Result<> write(const Struct& object, std::size_t depth) {
    if (depth > JsonReader::kMaxNesting) return bad("TOO_DEEP", field_, "nested more than 100 deep");
    out_ += '{';
    for (const auto& [name, value] : object.fields()) {
      if (out_.back() != '{') out_ += ',';
      out_ += json_string(name) + ":";
      if (const Result<> written = write(value, depth, "." + field_name(name)); !written) return written.error();
    }
    out_ += '}';
    return {};
  }

 private:
  Result<> write(const google::protobuf::Value& value, std::size_t depth, const std::string& step) {
    const std::size_t length = field_.size();
    field_ += step;
    Result<> done;
    switch (value.kind_case()) {
      case google::protobuf::Value::kStructValue:
        done = write(value.struct_value(), depth + 1);
        break;
      case google::protobuf::Value::kListValue:
        done = write(value.list_value(), depth + 1);
        break;
      case google::protobuf::Value::kNullValue:
        out_ += "null";
        break;
      case google::protobuf::Value::kNumberValue:
      case google::protobuf::Value::kBoolValue:
      case google::protobuf::Value::kStringValue:
      case google::protobuf::Value::KIND_NOT_SET: {
        const Result<Value> plain = from_proto(value, field_);
        if (!plain) return plain.error();
        out_ += json_value(*plain);
      }
    }
    field_.resize(length);
    return done;
  }

  Result<> write(const ListValue& list, std::size_t depth) {
    if (depth > JsonReader::kMaxNesting) return bad("TOO_DEEP", field_, "nested more than 100 deep");
    out_ += '[';
    for (int i = 0; i < list.values_size(); ++i) {
      if (i > 0) out_ += ',';
      const Result<> written = write(list.values(i), depth, "[" + std::to_string(i) + "]");
      if (!written) return written.error();
    }
    out_ += ']';
    return {};
  }

  std::string& out_;
  std::string field_;
};

}  // namespace

google::protobuf::Value to_proto(const Value& value) {
  google::protobuf::Value out;
  if (const auto* number = std::get_if<double>(&value)) out.set_number_value(*number);
  if (const auto* on = std::get_if<bool>(&value)) out.set_bool_value(*on);
  if (const auto* text = std::get_if<std::string>(&value)) out.set_string_value(*text);
  return out;
}

Result<Value> from_proto(const google::protobuf::Value& value, const std::string& field) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      if (!std::isfinite(value.number_value()))
        return bad("NOT_FINITE", field, "only plain finite numbers are allowed");
      return Value(value.number_value() + 0.0);  // -0 and 0 are one value
    case google::protobuf::Value::kBoolValue:
      return Value(value.bool_value());
    case google::protobuf::Value::kStringValue:
      return Value(value.string_value());
    case google::protobuf::Value::kNullValue:
    case google::protobuf::Value::kStructValue:
    case google::protobuf::Value::kListValue:
      break;
    case google::protobuf::Value::KIND_NOT_SET:
      return bad("EMPTY_VALUE", field, "the value is empty");
  }
  return bad("WRONG_KIND", field, "a parameter's value is a number, true, false or a text");
}

Result<DocNode> node_from_struct(const Struct& object, const std::string& field, const UidSource& new_uid,
                                 EditMode mode) {
  std::string text;
  if (const Result<> written = StructText(text, field).write(object, 1); !written) return written.error();
  JsonReader json(text, field, false);
  SessionReader reader{json, new_uid};
  reader.keep_uids = mode == EditMode::restore;
  DocNode node;
  if (!reader.read_node(node, 1)) return json.error();
  return node;
}

Struct node_to_struct(const DocNode& node) {
  Struct out;
  auto& fields = *out.mutable_fields();
  fields["id"].set_string_value(node.id);
  if (!node.label.empty()) fields["label"].set_string_value(node.label);
  fields["type"].set_string_value(node.type);
  if (node.uid != 0) fields["uid"].set_number_value(static_cast<double>(node.uid));
  for (const auto& [name, value] : node.params) {
    (*fields["params"].mutable_struct_value()->mutable_fields())[name] = to_proto(value);
  }
  for (const auto& [param, lane] : node.lanes) {
    auto& members = *(*fields["automation"].mutable_struct_value()->mutable_fields())[param].mutable_struct_value();
    if (!lane.on) (*members.mutable_fields())["on"].set_bool_value(false);
    auto& points = *(*members.mutable_fields())["points"].mutable_list_value();
    for (const LanePoint& point : *lane.points) {
      auto& out_point = *points.add_values()->mutable_struct_value()->mutable_fields();
      out_point["frame"].set_number_value(static_cast<double>(point.frame));
      out_point["value"].set_number_value(point.value);
      if (point.curve != LaneCurve::linear) out_point["curve"].set_string_value(to_string(point.curve));
    }
  }
  for (const QueueItem& item : node.queue) {
    auto& list = *fields["queue"].mutable_list_value();
    auto& members = *list.add_values()->mutable_struct_value()->mutable_fields();
    members["uid"].set_number_value(static_cast<double>(item.uid));
    members["file"].set_string_value(item.file);
    if (item.in_frame != 0) members["in_frame"].set_number_value(static_cast<double>(item.in_frame));
    if (item.out_frame != 0) members["out_frame"].set_number_value(static_cast<double>(item.out_frame));
    if (item.loops != 1) members["loops"].set_number_value(item.loops);
    if (item.gain_db != 0.0) members["gain_db"].set_number_value(item.gain_db);
    if (item.fade_in_ms != 0.0) members["fade_in_ms"].set_number_value(item.fade_in_ms);
    if (item.fade_out_ms != 0.0) members["fade_out_ms"].set_number_value(item.fade_out_ms);
    if (item.fade_in_curve != QueueCurve::linear)
      members["fade_in_curve"].set_string_value(to_string(item.fade_in_curve));
    if (item.fade_out_curve != QueueCurve::linear)
      members["fade_out_curve"].set_string_value(to_string(item.fade_out_curve));
    if (item.crossfade_ms != 0.0) members["crossfade_ms"].set_number_value(item.crossfade_ms);
    if (item.crossfade_curve != QueueCurve::linear)
      members["crossfade_curve"].set_string_value(to_string(item.crossfade_curve));
  }
  for (const DocNode& child : node.children) {
    *fields["children"].mutable_list_value()->add_values()->mutable_struct_value() = node_to_struct(child);
  }
  return out;
}

}  // namespace continuo::session
