// THREAD: any, one at a time - the cue list as part of the document: what a cue may hold, and what has become of it
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"
#include "server/session/document.hpp"

namespace continuo::session {

inline constexpr std::size_t kMaxCues = 1000;
inline constexpr std::size_t kMaxCueOperations = 1000;             // of a cue
inline constexpr std::size_t kMaxAllCueOperations = 20'000;        // of a document
inline constexpr std::size_t kMaxCueBytes = std::size_t{4} << 20;  // of a document, as text

using Operations = google::protobuf::RepeatedPtrField<v1::Operation>;

/// A cue's operations and their text, one line each: what makes two of them equal, and what the session file has.
struct CueOperations {
  Operations list;
  std::vector<std::string> lines;
  std::size_t bytes = 0;
};
[[nodiscard]] std::shared_ptr<const CueOperations> make_cue_operations(Operations list);

/// JSON on one line, the same bytes for the same message: fields by their proto names in their order, maps sorted,
/// 64-bit integers as numbers. [cue_json.cpp]
[[nodiscard]] std::string operation_json(const v1::Operation& operation);
[[nodiscard]] Result<v1::Operation> operation_from_json(std::string_view text, const std::string& field);

[[nodiscard]] bool is_cue_name(std::string_view text);
/// Name, label, how many operations, and that each may stand in a cue. `field` names the cue.
[[nodiscard]] Result<> check_cue(const DocCue& cue, const std::string& field);
/// Of all together. `field` names the list.
[[nodiscard]] Result<> check_cues(const std::vector<DocCue>& cues, const std::string& field);

/// What no state of the session could make right: nodes and parameters that are not there, values out of range. The
/// field is "<field>.operations[2].set_params.path".
[[nodiscard]] Result<> check_cue_targets(const Document& document, const DocCue& cue, const std::string& field);

/// Every file that a queue or a player would have from a cue.
void for_each_cue_file(const DocCue& cue, const std::function<void(const std::string& file)>& visit);

/// A node has another path.
void rename_in_cues(Document& document, const std::string& from, const std::string& to);

/// Its index.
[[nodiscard]] std::optional<std::size_t> find_cue(const std::vector<DocCue>& cues, rt::Uid uid);
[[nodiscard]] std::optional<std::size_t> find_cue(const std::vector<DocCue>& cues, std::string_view name);
/// NOT_FOUND, UNKNOWN_CUE.
[[nodiscard]] Result<std::size_t> index_of_cue(const std::vector<DocCue>& cues, const v1::CueRef& ref,
                                               const std::string& field);
[[nodiscard]] v1::Cue cue_to_proto(const DocCue& cue);

/// A list of operations with the operations of the cues that it fires behind each Go that names one.
struct Expanded {
  Operations operations;
  /// Where each came from: its place in the list before, and in the cue that it was fired by.
  struct Place {
    int index = 0;
    int in_cue = -1;
    std::string cue;
  };
  std::vector<Place> places;
  /// "operations[7].play.players[0]", as the sender knows it: "operations[0].go.cue(intro).operations[6].play..."
  [[nodiscard]] std::string field_of(const std::string& field) const;
};
[[nodiscard]] Expanded expand_cues(const Document& document, const Operations& operations);

/// What the edit broke: cues of `after` that name what is not there (nodes, parameters, items of queues), and did not in
/// `before`. One line each.
[[nodiscard]] std::vector<std::string> broken_cues(const Document& before, const Document& after, std::size_t most);

}  // namespace continuo::session
