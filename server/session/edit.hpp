// THREAD: any, one at a time - operations on a document: all of them or none
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"
#include "server/session/document.hpp"

namespace continuo::session {

/// Where new uids come from: below 2^53, never used again (the engine reserves them on disk in blocks).
using UidSource = std::function<rt::Uid()>;

/// A parameter that moves without a new plan.
struct ParamChange {
  rt::Uid node = 0;
  std::string path;
  std::string param;
  double value = 0.0;  // in the parameter's scale: what rt::Param holds
  int rt_index = -1;
  double ramp_ms = 0.0;
};

/// What a list of document operations did.
struct EditResult {
  bool changed = false;                 // the document differs: a new revision
  bool structural = false;              // a new plan is needed
  bool cues = false;                    // the cue list differs
  std::vector<ParamChange> params;      // in order
  std::vector<v1::Operation> accepted;  // as given, with uids filled in and JSON in canonical form
};

/// `restore`: operations of inverse_of() (take_back.hpp). The uids that they carry are kept, and a parameter's own
/// value is set whatever its automation lane says. Never for what a client sent.
enum class EditMode : std::uint8_t { client, restore };

/// Applies the document operations of `operations` (add_node, remove_node, move_node, connect, disconnect, set_params,
/// set_automation, clear_automation, set_label, queue_*) to `document`, in order, and validates the whole afterwards;
/// the others (transport, recorders) are checked for shape and that the nodes they name exist. On an error `document`
/// is unusable: apply to a copy. The error's field names the operation and member:
/// "operations[3].set_params.values.gain_db".
[[nodiscard]] Result<EditResult> apply_operations(Document& document,
                                                  const google::protobuf::RepeatedPtrField<v1::Operation>& operations,
                                                  const UidSource& new_uid, EditMode mode = EditMode::client);

/// Ids, types, parameters, depth, counts, endpoints, channel maps, cycles (named by their nodes). `field_prefix` begins
/// the error's field: "nodes[2].params.gain_db".
[[nodiscard]] Result<> validate(const Document& document, const std::string& field_prefix = "");

}  // namespace continuo::session
