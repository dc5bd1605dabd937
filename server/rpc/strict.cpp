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

/// What a client says of itself is shown to others as it is: nothing that ends a line, steers a terminal, or turns the
/// direction of what is written behind it.
bool shows_as_written(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto at = [&](std::size_t n) { return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0u; };
    if (at(0) < 0x20 || at(0) == 0x7F) return false;
    if (at(0) == 0xC2 && at(1) >= 0x80 && at(1) <= 0x9F) return false;  // U+0080 to U+009F
    if (at(0) != 0xE2) continue;
    if (at(1) == 0x80 && at(2) >= 0xA8 && at(2) <= 0xAE) return false;  // U+2028 to U+202E
    if (at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9) return false;  // U+2066 to U+2069
  }
  return true;
}

Result<> check_shown(const FieldDescriptor& field, const std::string& text, const std::string& place) {
  if ((field.name() != "client" && field.name() != "note") || shows_as_written(text)) return {};
  return wrong("BAD_TEXT", place, "holds a control character, or one that turns the direction of writing");
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
      const std::string& text = reflection.GetStringReference(message, &field, &scratch);
      if (Result<> shown = check_shown(field, text, place); !shown) return shown;
      return check_text(text, place);
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
