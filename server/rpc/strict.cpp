#include "server/rpc/strict.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <cmath>
#include <vector>

namespace continuo::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

Error wrong(const char* reason, const std::string& place, const std::string& why) {
  return make_error(ErrorKind::invalid_argument, reason, place, (place.empty() ? "the request" : place) + " " + why);
}

std::string join(const std::string& place, const std::string& name) {
  if (place.empty() || name.empty() || name.front() == '[') return place + name;
  return place + "." + name;
}

/// How a step into `field` reads. The JSON carriers (Struct, Value, ListValue) are not there for a person:
/// "params.gain_db", not "fields.params.struct_value.fields.gain_db.number_value".
std::string step(const FieldDescriptor& field) {
  const std::string& owner = field.containing_type()->full_name();
  const bool carrier =
      owner == "google.protobuf.Struct" || owner == "google.protobuf.Value" || owner == "google.protobuf.ListValue";
  return carrier ? "" : field.name();
}

Result<> check_text(const std::string& text, const std::string& place) {
  if (text.size() <= kMaxText) return {};
  return wrong("TEXT_TOO_LONG", place, "is longer than " + std::to_string(kMaxText) + " bytes");
}

Result<> check_number(double value, const std::string& place) {
  if (std::isfinite(value)) return {};
  return wrong("NOT_FINITE", place, "is not a finite number");
}

Result<> check_enum(const FieldDescriptor& field, int value, const std::string& place) {
  // JSON's null is the one member of its enum, and is 0.
  if (field.enum_type()->full_name() == "google.protobuf.NullValue" && value == 0) return {};
  if (field.enum_type()->FindValueByNumber(value) == nullptr) {
    return wrong("UNKNOWN_ENUM", place,
                 "has the number " + std::to_string(value) + ", which this version does not know");
  }
  if (value == 0) return wrong("UNSPECIFIED_ENUM", place, "is set to " + field.enum_type()->value(0)->name());
  return {};
}

Result<> check_single(const Message& message, const FieldDescriptor& field, const std::string& place) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return check_strict(reflection.GetMessage(message, &field), place);
    case FieldDescriptor::CPPTYPE_ENUM:
      return check_enum(field, reflection.GetEnumValue(message, &field), place);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return check_number(reflection.GetDouble(message, &field), place);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return check_number(reflection.GetFloat(message, &field), place);
    case FieldDescriptor::CPPTYPE_STRING: {
      if (field.type() == FieldDescriptor::TYPE_BYTES) return {};
      std::string scratch;
      return check_text(reflection.GetStringReference(message, &field, &scratch), place);
    }
    default:
      return {};
  }
}

/// "values.gain_db" of a map's entry; the maps of the API have text keys.
Result<> check_entry(const Message& entry, const std::string& place) {
  const Reflection& reflection = *entry.GetReflection();
  const FieldDescriptor& key = *entry.GetDescriptor()->map_key();
  const FieldDescriptor& value = *entry.GetDescriptor()->map_value();
  std::string name = "?";
  if (key.cpp_type() == FieldDescriptor::CPPTYPE_STRING) name = reflection.GetString(entry, &key);
  if (Result<> good = check_text(name, place); !good) return good;
  return check_single(entry, value, join(place, name));
}

Result<> check_repeated(const Message& message, const FieldDescriptor& field, const std::string& place) {
  const Reflection& reflection = *message.GetReflection();
  const int count = reflection.FieldSize(message, &field);
  for (int i = 0; i < count; ++i) {
    if (field.is_map()) {
      if (Result<> good = check_entry(reflection.GetRepeatedMessage(message, &field, i), place); !good) return good;
      continue;
    }
    const std::string here = place + "[" + std::to_string(i) + "]";
    Result<> good;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_MESSAGE:
        good = check_strict(reflection.GetRepeatedMessage(message, &field, i), here);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        good = check_enum(field, reflection.GetRepeatedEnumValue(message, &field, i), here);
        break;
      case FieldDescriptor::CPPTYPE_DOUBLE:
        good = check_number(reflection.GetRepeatedDouble(message, &field, i), here);
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        good = check_number(reflection.GetRepeatedFloat(message, &field, i), here);
        break;
      case FieldDescriptor::CPPTYPE_STRING: {
        if (field.type() == FieldDescriptor::TYPE_BYTES) break;
        std::string scratch;
        good = check_text(reflection.GetRepeatedStringReference(message, &field, i, &scratch), here);
        break;
      }
      default:
        break;
    }
    if (!good) return good;
  }
  return {};
}

}  // namespace

Result<> check_strict(const Message& message, const std::string& place) {
  const Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();

  const auto& unknown = reflection.GetUnknownFields(message);
  if (!unknown.empty()) {
    return wrong("UNKNOWN_FIELD", place,
                 "holds field number " + std::to_string(unknown.field(0).number()) + " of " + type.full_name() +
                     ", which this version does not know: a newer daemon may");
  }
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    if (!reflection.HasOneof(message, type.oneof_decl(i))) {
      const std::string& name = type.oneof_decl(i)->name();
      return wrong("EMPTY_ONEOF", place,
                   "has no " + name + ": it is empty, or what it asks for is newer than this daemon");
    }
  }
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    const std::string here = join(place, step(*field));
    Result<> good = field->is_repeated() ? check_repeated(message, *field, here) : check_single(message, *field, here);
    if (!good) return good;
  }
  return {};
}

}  // namespace continuo::rpc
