// THREAD: any - the operations that commands are made of, and how a transaction is sent and told
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cli/context.hpp"
#include "continuo/v1/edit.pb.h"
#include "continuo/v1/session.pb.h"

namespace continuo::cli {

/// "band/vox" -> {"band", "vox"}. EX_USAGE for an empty path.
struct NodePath {
  std::string parent;
  std::string id;
};
[[nodiscard]] NodePath split_path(std::string_view path);

/// A track with a player for `media` ("root:relative"), or without one where it is empty.
[[nodiscard]] v1::Node track_node(const std::string& id, const std::string& label, const std::string& media);
/// The node as AddNode carries it.
[[nodiscard]] google::protobuf::Struct node_struct(const v1::Node& node);

void add_node(v1::ApplyRequest& request, const std::string& parent, const v1::Node& node,
              const std::string& before = "");
void add_connect(v1::ApplyRequest& request, const std::string& from, const std::string& to);

/// A file that becomes a track.
struct TrackSource {
  std::string id;
  std::string label;
  std::string media;
};
[[nodiscard]] TrackSource track_source(const std::filesystem::path& file, const std::string& media,
                                       std::set<std::string>& taken);
/// Ids unique among themselves and not in `taken`; the labels are the file names without their endings,
/// where that is not the id.
[[nodiscard]] std::vector<TrackSource> track_sources(const std::vector<std::filesystem::path>& files,
                                                     const MediaRoots& roots, std::set<std::string> taken = {});

/// The daemon's session, as far as this program knows its fields.
[[nodiscard]] v1::Session parse_session(const std::string& json);
[[nodiscard]] const v1::Node* find_node(const v1::Session& session, std::string_view path);

/// A parameter's value as typed. For a parameter called "file", a local file becomes the daemon's name of it; what is
/// no local file goes as it is, for it may be relative to the session.
[[nodiscard]] google::protobuf::Value local_value(Context& context, const std::string& param, const std::string& text);

/// One operation as the command that would make it.
[[nodiscard]] std::string operation_text(const v1::Operation& operation);

/// Sends it and tells the outcome: the answer with --json, a note on stderr where it is not in the sound yet,
/// EX_DATAERR for a dry run that would be refused. `said` is for a person at a terminal; empty: nothing.
v1::ApplyResponse apply_and_tell(Context& context, const v1::ApplyRequest& request, const std::string& said);
/// The telling alone. `for_sound`: the caller waited for the sound.
v1::ApplyResponse tell_outcome(Context& context, v1::ApplyResponse response, bool for_sound, const std::string& said);

/// With --json: one line. Else nothing.
void tell_json(const Context& context, const google::protobuf::Message& message);

}  // namespace continuo::cli
