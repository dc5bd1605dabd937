#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "server/base/check.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {
namespace {

constexpr std::size_t kMaxText = 4096;

std::string shown(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string range_of(const ParamSpec& spec) {
  std::string text = shown(spec.min) + " to " + shown(spec.max);
  if (!spec.unit.empty()) text.append(" ").append(spec.unit);
  return text;
}

Result<Value> check_number(const ParamSpec& spec, const Value& value, const std::string& field) {
  const std::string name(spec.name);
  const bool whole = spec.kind == ParamKind::integer;
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) {
    return bad("WRONG_KIND", field, name + " must be a " + (whole ? "whole number, " : "number, ") + range_of(spec));
  }
  if (!std::isfinite(*number)) return bad("NOT_FINITE", field, name + " must be finite: " + range_of(spec));
  if (whole && *number != std::floor(*number)) {
    return bad("WRONG_KIND", field, name + " must be a whole number, not " + shown(*number));
  }
  if (*number < spec.min || *number > spec.max) {
    return bad("OUT_OF_RANGE", field, name + " must be " + range_of(spec) + ", not " + shown(*number));
  }
  return Value(*number + 0.0);  // -0 and 0 are one value
}

Result<Value> check_choice(const ParamSpec& spec, const Value& value, const std::string& field) {
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && std::find(spec.choices.begin(), spec.choices.end(), *text) != spec.choices.end()) return value;
  std::string message = std::string(spec.name) + " must be one of";
  for (const std::string_view choice : spec.choices) message += " \"" + std::string(choice) + "\"";
  if (const auto* number = std::get_if<double>(&value)) message += ", not " + shown(*number);
  if (text == nullptr) return bad("WRONG_KIND", field, message);
  return bad("BAD_CHOICE", field, message + ", not " + quoted(*text));
}

const ParamSpec& spec_of(const DocNode& node, std::string_view param) {
  const TypeSpec* type = find_type(node.type);
  const ParamSpec* spec = type == nullptr ? nullptr : type->find(param);
  CONTINUO_CHECK(spec != nullptr, "only parameters of the node's own type are asked for");
  return *spec;
}

}  // namespace

Value as_choice(const ParamSpec& spec, Value value) {
  const auto* number = std::get_if<double>(&value);
  if (spec.kind != ParamKind::choice || number == nullptr) return value;
  const auto choice = std::find(spec.choices.begin(), spec.choices.end(), shown(*number + 0.0));
  if (choice == spec.choices.end()) return value;
  return std::string(*choice);
}

Result<Value> check_value(const ParamSpec& spec, const Value& value, const std::string& field) {
  switch (spec.kind) {
    case ParamKind::number:
    case ParamKind::integer:
      return check_number(spec, value, field);
    case ParamKind::choice:
      return check_choice(spec, value, field);
    case ParamKind::boolean:
      if (std::holds_alternative<bool>(value)) return value;
      return bad("WRONG_KIND", field, std::string(spec.name) + " must be true or false");
    case ParamKind::text:
    case ParamKind::file:
      break;
  }
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return bad("WRONG_KIND", field, std::string(spec.name) + " must be a text");
  if (const Result<> checked = check_text(*text, kMaxText, field); !checked) return checked.error();
  if (spec.check != nullptr && !text->empty()) {
    if (const Result<> checked = spec.check(*text); !checked)
      return bad("BAD_TEXT", field, std::string(spec.name) + ": " + checked.error().message);
  }
  return value;
}

Value value_of(const DocNode& node, const ParamSpec& spec) {
  const auto found = node.params.find(std::string(spec.name));
  return found == node.params.end() ? spec.default_value : found->second;
}

double number_of(const DocNode& node, std::string_view param) {
  const ParamSpec& spec = spec_of(node, param);
  const Value value = value_of(node, spec);
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* on = std::get_if<bool>(&value)) return *on ? 1.0 : 0.0;
  const auto choice = std::find(spec.choices.begin(), spec.choices.end(), *std::get_if<std::string>(&value));
  CONTINUO_CHECK(choice != spec.choices.end(), "values are checked before they enter a document");
  return static_cast<double>(choice - spec.choices.begin());
}

std::string text_of(const DocNode& node, std::string_view param) {
  const Value value = value_of(node, spec_of(node, param));
  const auto* text = std::get_if<std::string>(&value);
  CONTINUO_CHECK(text != nullptr, "only texts are asked for as texts");
  return *text;
}

}  // namespace continuo::session
