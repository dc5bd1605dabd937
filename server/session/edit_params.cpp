#include <cmath>
#include <utility>

#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_file.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

constexpr double kMaxRampMs = 600000.0;

}  // namespace

Result<> set_params(Editing& edit, const v1::SetParams& op, const std::string& field) {
  DocNode* node = edit_node(edit.document, op.path());
  if (node == nullptr) return no_node(op.path(), field + ".path");
  if (op.values().empty()) return bad("MISSING_FIELD", field + ".values", "no parameter is named");
  if (op.has_ramp_ms() && !std::isfinite(op.ramp_ms()))
    return bad("NOT_FINITE", field + ".ramp_ms", "ramp_ms must be finite");
  if (op.has_ramp_ms() && (op.ramp_ms() < 0.0 || op.ramp_ms() > kMaxRampMs)) {
    return bad("OUT_OF_RANGE", field + ".ramp_ms", "ramp_ms must be 0 to 600000 ms");
  }
  const TypeSpec& type = *find_type(node->type);
  v1::SetParams accepted = op;
  for (const auto& [name, given] : std::map(op.values().begin(), op.values().end())) {
    const std::string where = field + ".values." + field_name(name);
    const ParamSpec* spec = type.find(name);
    if (spec == nullptr) return unknown_param(type, name, where);
    if (edit.mode == EditMode::client) {
      if (const Result<> free = check_not_automated(*node, name, where); !free) return free.error();
    }
    const Result<Value> plain = from_proto(given, where);
    if (!plain) return plain.error();
    const Result<Value> value = check_value(*spec, as_choice(*spec, *plain), where);
    if (!value) return value.error();
    (*accepted.mutable_values())[name] = to_proto(*value);
    const bool differs = value_of(*node, *spec) != *value;
    if (*value == spec->default_value) {
      node->params.erase(name);
    } else {
      node->params[name] = *value;
    }
    edit.result.changed = edit.result.changed || differs;
    edit.result.structural = edit.result.structural || (differs && spec->structural);
    const double ramp_ms = op.has_ramp_ms() ? op.ramp_ms() : spec->smoothing_ms;
    if (name == "mute" || name == "solo") {
      edit.audible_touched = true;
      if (name == "mute")
        edit.muted.insert(op.path());
      else
        edit.solo_touched = true;
      edit.audible_ramp_ms = ramp_ms;
    }
    if (spec->rt_index < 0) continue;
    edit.result.params.push_back({.node = node->uid,
                                  .path = op.path(),
                                  .param = name,
                                  .value = number_of(*node, name),
                                  .rt_index = spec->rt_index,
                                  .ramp_ms = ramp_ms});
  }
  *edit.result.accepted.emplace_back().mutable_set_params() = std::move(accepted);
  return {};
}

}  // namespace continuo::session
