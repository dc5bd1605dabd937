// THREAD: any - every node type that a session can name: its parameters and how the engine makes it
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"
#include "server/session/document.hpp"

namespace continuo::session {

enum class ParamKind { number, integer, boolean, choice, text, file };
enum class ParamScale { linear, decibel, logarithmic };

struct ParamSpec {
  std::string_view name{};  // carries the unit: "gain_db"
  ParamKind kind = ParamKind::number;
  double min = 0.0;
  double max = 0.0;
  Value default_value = 0.0;
  ParamScale scale = ParamScale::linear;
  double smoothing_ms = 0.0;  // of a change without a ramp of its own
  bool structural = false;    // a change rebuilds the plan or the node
  std::string_view unit{};
  std::string_view description{};
  std::vector<std::string_view> choices{};
  int rt_index = -1;                                   // index in rt::Node::params; -1: not a value of the audio thread
  Result<> (*check)(std::string_view text) = nullptr;  // of a text that is not empty: the error's message says why not
};

enum class TypeRole { container, track, bus, device_in, device_out, processor, source, sink, feedback };

/// It has a chain and a fader.
[[nodiscard]] constexpr bool is_strip(TypeRole role) noexcept {
  return role == TypeRole::track || role == TypeRole::bus;
}

struct TypeSpec {
  std::string_view name{};
  std::string_view description{};
  TypeRole role = TypeRole::processor;
  bool has_children = false;
  bool creatable = true;
  std::vector<ParamSpec> params{};
  [[nodiscard]] const ParamSpec* find(std::string_view param) const;
};

/// The one type of TypeRole::feedback.
inline constexpr std::string_view kFeedbackType = "feedback";

/// All types, by name in order.
[[nodiscard]] std::span<const TypeSpec> node_types();
[[nodiscard]] const TypeSpec* find_type(std::string_view name);

/// A choice that was given as the number that its text says (24 for "24") as that text; anything else as it is.
[[nodiscard]] Value as_choice(const ParamSpec& spec, Value value);

/// Kind, range, finite; the error's message names the parameter and what is allowed. `field` goes into the error.
[[nodiscard]] Result<Value> check_value(const ParamSpec& spec, const Value& value, const std::string& field);

/// The value that was set, else the default.
[[nodiscard]] Value value_of(const DocNode& node, const ParamSpec& spec);
[[nodiscard]] double number_of(const DocNode& node, std::string_view param);  // booleans as 0 or 1, choices as index
[[nodiscard]] std::string text_of(const DocNode& node, std::string_view param);

}  // namespace continuo::session
