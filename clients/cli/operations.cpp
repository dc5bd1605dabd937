#include "clients/cli/operations.hpp"

#include <google/protobuf/util/json_util.h>

#include "clients/cli/failure.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {

NodePath split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  NodePath split;
  if (slash != std::string_view::npos) split.parent = path.substr(0, slash);
  split.id = path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  if (split.id.empty() || (slash != std::string_view::npos && split.parent.empty())) {
    throw Failure(kUsage, "BAD_PATH", std::string(path),
                  "'" + std::string(path) + "' is not a path; write ids joined by '/', as in vox/eq1");
  }
  return split;
}

v1::Node track_node(const std::string& id, const std::string& label, const std::string& media) {
  v1::Node track;
  track.set_id(id);
  track.set_type("track");
  track.set_label(label);
  if (!media.empty()) {
    v1::Node& player = *track.add_children();
    player.set_id("player");
    player.set_type("player");
    (*player.mutable_params())["file"].set_string_value(media);
  }
  return track;
}

google::protobuf::Struct node_struct(const v1::Node& node) {
  google::protobuf::Struct json;
  auto& fields = *json.mutable_fields();
  fields["id"].set_string_value(node.id());
  fields["type"].set_string_value(node.type());
  if (!node.label().empty()) fields["label"].set_string_value(node.label());
  if (node.params_size() > 0) {
    auto& params = *fields["params"].mutable_struct_value()->mutable_fields();
    for (const auto& [name, value] : node.params()) params[name] = value;
  }
  if (node.children_size() > 0) {
    auto& children = *fields["children"].mutable_list_value();
    for (const v1::Node& child : node.children()) *children.add_values()->mutable_struct_value() = node_struct(child);
  }
  return json;
}

void add_node(v1::ApplyRequest& request, const std::string& parent, const v1::Node& node, const std::string& before) {
  v1::AddNode& add = *request.add_operations()->mutable_add_node();
  add.set_parent(parent);
  *add.mutable_node() = node_struct(node);
  if (!before.empty()) add.set_before(before);
}

void add_connect(v1::ApplyRequest& request, const std::string& from, const std::string& to) {
  v1::Connect& connect = *request.add_operations()->mutable_connect();
  connect.set_from(from);
  connect.set_to(to);
}

TrackSource track_source(const std::filesystem::path& file, const std::string& media, std::set<std::string>& taken) {
  const std::string name = printable(file.stem().string());
  std::string id = id_from_file(file, taken);
  return {id, name == id ? "" : name, media};  // a label only where it says more than the id
}

std::vector<TrackSource> track_sources(const std::vector<std::filesystem::path>& files, const MediaRoots& roots,
                                       std::set<std::string> taken) {
  taken.insert({"in", "out"});  // the device's nodes
  std::vector<TrackSource> sources;
  for (const auto& file : files) {
    sources.push_back(track_source(file, media_name(roots, file), taken));
  }
  return sources;
}

v1::Session parse_session(const std::string& json) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;  // read only: a newer daemon's fields are none of our business
  v1::Session session;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &session, options);
  if (!status.ok())
    throw Failure(kFault, "BAD_SESSION", "", "cannot read the daemon's session: " + std::string(status.message()));
  return session;
}

const v1::Node* find_node(const v1::Session& session, std::string_view path) {
  const google::protobuf::RepeatedPtrField<v1::Node>* level = &session.nodes();
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view id = path.substr(0, slash);
    const v1::Node* found = nullptr;
    for (const v1::Node& node : *level) {
      if (node.id() == id) found = &node;
    }
    if (found == nullptr || slash == std::string_view::npos) return found;
    level = &found->children();
    path.remove_prefix(slash + 1);
  }
}

google::protobuf::Value local_value(Context& context, const std::string& param, const std::string& text) {
  google::protobuf::Value value = parse_value(text);
  if (param != "file") return value;
  const std::string file = value.has_string_value() ? value.string_value() : text;  // a file may be called 12 or true
  value.set_string_value(file);
  std::error_code error;
  if (file.empty() || !std::filesystem::is_regular_file(file, error)) return value;
  const MediaRoots roots = context.connection().media_roots();
  if (!names_root(roots, file)) value.set_string_value(media_name(roots, file));
  return value;
}

void tell_json(const Context& context, const google::protobuf::Message& message) {
  if (context.json) print_line(to_json_line(message));
}

v1::ApplyResponse apply_and_tell(Context& context, const v1::ApplyRequest& request, const std::string& said) {
  const bool for_sound = !(request.has_wait() && request.wait() == v1::WAIT_COMMITTED);
  return tell_outcome(context, context.connection().apply(request), for_sound, said);
}

v1::ApplyResponse tell_outcome(Context& context, v1::ApplyResponse response, bool for_sound, const std::string& said) {
  tell_json(context, response);
  if (!context.json) {
    for (const std::string& warning : response.warnings()) note("warning: " + warning);
  }
  if (response.outcome() == v1::ApplyResponse::OUTCOME_INVALID) {
    if (response.problems_size() == 0) throw Failure(kBadData, "INVALID", "", "the transaction would be refused");
    for (int i = 1; i < response.problems_size(); ++i) {
      const auto& problem = response.problems(i);
      note(one_line(Failure(kBadData, problem.reason(), problem.field(), problem.message())));
    }
    const auto& first = response.problems(0);
    throw Failure(kBadData, first.reason(), first.field(), first.message());
  }
  if (response.outcome() == v1::ApplyResponse::OUTCOME_COMMITTED && !context.json && for_sound) {
    note("accepted, but not in the sound yet: does the device stand still? see 'continuo status'");
  }
  if (response.outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED) {
    const std::string id = std::to_string(response.transaction_id());
    if (!context.json) note("scheduled as transaction " + id + "; 'continuo cancel " + id + "' takes it back");
    return response;
  }
  if (!context.json && !said.empty() && on_terminal()) print_line(said);
  return response;
}

}  // namespace continuo::cli
