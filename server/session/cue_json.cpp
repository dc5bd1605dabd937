// Operations as JSON: written in one form for one message, read strictly.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>

#include "server/session/cue.hpp"
#include "server/session/json_reader.hpp"
#include "server/session/json_writer.hpp"
#include "server/session/names.hpp"

namespace continuo::session {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void write(std::string& out, const Message& message);

void write_plain(std::string& out, const google::protobuf::Value& value) {
  using V = google::protobuf::Value;
  switch (value.kind_case()) {
    case V::kNumberValue:
      out += json_number(value.number_value());
      return;
    case V::kBoolValue:
      out += value.bool_value() ? "true" : "false";
      return;
    case V::kStringValue:
      out += json_string(value.string_value());
      return;
    default:
      out += "null";  // no parameter has it: refused when it is fired, as it would be now
  }
}

/// One value of a field; `index` -1: of a field that is not repeated.
void write_value(std::string& out, const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return write(
          out, one ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING:
      out += json_string(one ? reflection.GetString(message, &field)
                             : reflection.GetRepeatedString(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_BOOL:
      out += (one ? reflection.GetBool(message, &field) : reflection.GetRepeatedBool(message, &field, index)) ? "true"
                                                                                                              : "false";
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      out += json_number(one ? reflection.GetDouble(message, &field)
                             : reflection.GetRepeatedDouble(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      out += std::to_string(one ? reflection.GetInt32(message, &field)
                                : reflection.GetRepeatedInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      out += std::to_string(one ? reflection.GetUInt32(message, &field)
                                : reflection.GetRepeatedUInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      out += std::to_string(one ? reflection.GetInt64(message, &field)
                                : reflection.GetRepeatedInt64(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      out += std::to_string(one ? reflection.GetUInt64(message, &field)
                                : reflection.GetRepeatedUInt64(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_ENUM:
      out += json_string(
          (one ? reflection.GetEnum(message, &field) : reflection.GetRepeatedEnum(message, &field, index))->name());
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      out +=
          json_number(one ? reflection.GetFloat(message, &field) : reflection.GetRepeatedFloat(message, &field, index));
      return;
  }
}

void write_map(std::string& out, const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<std::pair<std::string, const Message*>> entries;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, entry.GetDescriptor()->map_key()), &entry);
  }
  std::ranges::sort(entries, {}, &std::pair<std::string, const Message*>::first);
  out += '{';
  for (const auto& [key, entry] : entries) {
    if (out.back() != '{') out += ", ";
    out += json_string(key) + ": ";
    write_value(out, *entry, *entry->GetDescriptor()->map_value(), -1);
  }
  out += '}';
}

void write(std::string& out, const Message& message) {
  if (message.GetDescriptor()->full_name() == "google.protobuf.Value")
    return write_plain(out, static_cast<const google::protobuf::Value&>(message));
  std::vector<const FieldDescriptor*> set;
  message.GetReflection()->ListFields(message, &set);
  out += '{';
  for (const FieldDescriptor* field : set) {
    if (out.back() != '{') out += ", ";
    out += json_string(field->name()) + ": ";
    if (field->is_map()) {
      write_map(out, message, *field);
    } else if (field->is_repeated()) {
      out += '[';
      for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
        if (i > 0) out += ", ";
        write_value(out, message, *field, i);
      }
      out += ']';
    } else {
      write_value(out, message, *field, -1);
    }
  }
  out += '}';
}

/// NaN, Infinity (protobuf's JSON takes them as texts) and empty oneofs.
Result<> check_clean(const Message& message, const std::string& place) {
  const Reflection& reflection = *message.GetReflection();
  const auto* const type = message.GetDescriptor();
  for (int i = 0; i < type->real_oneof_decl_count(); ++i) {
    if (!reflection.HasOneof(message, type->oneof_decl(i)))
      return bad("EMPTY_ONEOF", place, "has no " + type->oneof_decl(i)->name());
  }
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const std::string where = place + "." + field->name();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE && !field->is_repeated() &&
        !std::isfinite(reflection.GetDouble(message, field)))
      return bad("NOT_FINITE", where, "only plain finite numbers are allowed");
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Result<> clean =
          check_clean(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                           : reflection.GetMessage(message, field),
                      field->is_repeated() && !field->is_map() ? where + "[" + std::to_string(i) + "]" : where);
      if (!clean) return clean;
    }
  }
  return {};
}

}  // namespace

std::string operation_json(const v1::Operation& operation) {
  std::string out;
  write(out, operation);
  return out;
}

Result<v1::Operation> operation_from_json(std::string_view text, const std::string& field) {
  v1::Operation operation;
  const auto status = google::protobuf::util::JsonStringToMessage(std::string(text), &operation);
  if (!status.ok()) return bad("BAD_OPERATION", field, quoted(std::string(status.message())));
  if (const Result<> clean = check_clean(operation, field); !clean) return clean.error();
  return operation;
}

}  // namespace continuo::session
