#include "server/render/patch.hpp"

#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "server/session/edit.hpp"
#include "server/session/json_reader.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/validate.hpp"

namespace continuo::render {
namespace {

using session::ParamKind;

Error usage(std::string_view text, const char* form) {
  return make_error(ErrorKind::invalid_argument, "BAD_ASSIGNMENT", std::string(text),
                    "\"" + std::string(text) + "\" is not " + form);
}

Error unknown_node(const std::string& path) {
  return make_error(ErrorKind::not_found, "UNKNOWN_NODE", path, "no node \"" + path + "\" in the session");
}

std::optional<double> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return {};
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

/// A text in quotes; what begins with a quote and is no JSON string is taken as it is.
std::string unquoted(std::string_view text) {
  session::JsonReader reader(text, "", false);
  std::string read;
  const bool quoted = text.starts_with('"') && reader.string(read) && reader.end();
  return quoted ? read : std::string(text);
}

session::Value value_for(const session::ParamSpec& spec, std::string_view text) {
  const bool wants_text =
      spec.kind == ParamKind::text || spec.kind == ParamKind::file || spec.kind == ParamKind::choice;
  if (wants_text) return unquoted(text);
  if (text == "true" || text == "false") return text == "true";
  if (const auto parsed = number(text)) return *parsed;
  return unquoted(text);
}

/// Every media name of the session.
std::set<std::string> media_names(const session::Document& document) {
  std::set<std::string> names;
  session::for_each_node(document.nodes, "", [&](const std::string&, const session::DocNode& node) {
    const session::TypeSpec* type = session::find_type(node.type);
    if (type == nullptr) return;
    for (const session::ParamSpec& spec : type->params) {
      if (spec.kind != ParamKind::file) continue;
      if (std::string name = session::text_of(node, spec.name); !name.empty()) names.insert(std::move(name));
    }
  });
  return names;
}

}  // namespace

Result<> set_param(session::Document& document, std::string_view text) {
  const std::size_t equals = text.find('=');
  const auto name = session::split_param(text.substr(0, equals));
  if (equals == std::string_view::npos || !name || name->first.empty() || name->second.empty())
    return usage(text, "NODE.PARAM=VALUE, as in vox.gain_db=-6");
  const auto& [path, param] = *name;
  const std::string field = path + "." + param;
  session::DocNode* node = session::edit_node(document, path);
  if (node == nullptr) return unknown_node(path);
  const session::TypeSpec* type = session::find_type(node->type);
  const session::ParamSpec* spec = type == nullptr ? nullptr : type->find(param);
  if (type != nullptr && spec == nullptr) return session::unknown_param(*type, param, field);
  if (spec == nullptr) return unknown_node(path);
  if (auto free = session::check_not_automated(*node, param, field); !free) return free.error();
  auto value = session::check_value(*spec, value_for(*spec, text.substr(equals + 1)), field);
  if (!value) return value.error();

  const auto before = node->params;
  if (*value == spec->default_value) {
    node->params.erase(param);
  } else {
    node->params[param] = std::move(*value);
  }
  // A structural parameter may break what hangs on it: a channel map, say.
  auto valid = session::validate(document);
  if (valid) return {};
  node->params = before;
  Error error = valid.error();
  error.message = "with " + std::string(text) + ": " + error.message;
  return error;
}

Result<> give_media(const session::Document& document, std::string_view text, GivenFiles& files) {
  if (text.find('=') == std::string_view::npos) return usage(text, "NAME=FILE");
  const std::set<std::string> names = media_names(document);
  // A name may hold a '=' of its own.
  for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    const std::string name(text.substr(0, at));
    if (!names.contains(name)) continue;
    if (at + 1 == text.size()) return usage(text, "NAME=FILE");
    files.media[name] = text.substr(at + 1);
    return {};
  }
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  const std::string name(text.substr(0, text.find('=')));
  return make_error(ErrorKind::not_found, "UNKNOWN_MEDIA", name,
                    "the session names no media \"" + name + "\"; it names " + (known.empty() ? "none" : known));
}

Result<> give_input(session::Document& document, std::string_view text, GivenFiles& files) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size())
    return usage(text, "NODE=FILE, as in vox/player=take.wav");
  const std::string path(text.substr(0, equals));
  const std::string file(text.substr(equals + 1));
  session::DocNode* node = session::edit_node(document, path);
  if (node == nullptr) return unknown_node(path);
  if (node->type == "in") {
    files.device_input = file;
    return {};
  }
  if (node->type != "player") {
    return make_error(ErrorKind::invalid_argument, "NOT_A_PLAYER", path,
                      path + " is a " + node->type + "; a file can be given to a player, or to \"in\"");
  }
  if (session::text_of(*node, "mode") == "free") {
    return make_error(ErrorKind::invalid_argument, "FREE_PLAYER", path,
                      path + " is a free player, and nobody starts it in a render; --set " + path +
                          ".mode=timeline makes it follow the timeline");
  }
  // Its own name: the player's alone, whatever others play.
  const std::string name = "given to " + path;
  node->params["file"] = name;
  files.media[name] = file;
  return {};
}

}  // namespace continuo::render
