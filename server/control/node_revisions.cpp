#include "server/control/node_revisions.hpp"

#include <string>

namespace continuo::control {

void NodeRevisions::begin(std::uint64_t epoch) {
  if (epoch_ == epoch) return;
  epoch_ = epoch;
  edited_ = 0;
  numbers_.clear();
}

void NodeRevisions::changed(const session::DocumentChange& change, const v1::Revision& revision, bool streamed) {
  begin(revision.epoch());
  if (streamed) return;
  edited_ = revision.number();
  for (const rt::Uid uid : change.touched()) numbers_[uid] = revision.number();
  for (const session::DocumentChange::Node& one : change.nodes)
    if (!one.after) numbers_.erase(one.uid);
}

v1::Revision NodeRevisions::of(rt::Uid node, std::uint64_t epoch) const {
  v1::Revision revision;
  revision.set_epoch(epoch);
  const auto found = numbers_.find(node);
  if (epoch == epoch_ && found != numbers_.end()) revision.set_number(found->second);
  return revision;
}

Result<> NodeRevisions::check(const v1::Revision& expected, const v1::Revision& now) const {
  const std::uint64_t edited = epoch_ == now.epoch() ? edited_ : 0;
  if (expected.epoch() == now.epoch() && expected.number() >= edited && expected.number() <= now.number()) return {};
  return make_error(ErrorKind::aborted, "REVISION_CHANGED", "expected_revision",
                    "the session is at revision " + std::to_string(now.number()) +
                        (expected.epoch() == now.epoch() ? "" : " of another epoch") + ": read it again");
}

Result<> NodeRevisions::check_nodes(const v1::ApplyRequest& request, const session::Document& document,
                                    const v1::Revision& now) const {
  for (int i = 0; i < request.expected_nodes_size(); ++i) {
    const v1::NodeRevision& expected = request.expected_nodes(i);
    const std::string field = "expected_nodes[" + std::to_string(i) + "]";
    const session::DocNode* const node = session::find_node(document, expected.path());
    if (node == nullptr) {
      return make_error(ErrorKind::not_found, "UNKNOWN_NODE", field + ".path",
                        "there is no node \"" + expected.path() + "\"");
    }
    const v1::Revision changed = of(node->uid, now.epoch());
    const bool fresh = expected.revision().epoch() == now.epoch() && changed.number() <= expected.revision().number() &&
                       expected.revision().number() <= now.number();
    if (fresh) continue;
    return make_error(ErrorKind::aborted, "REVISION_CHANGED", field + ".revision",
                      "\"" + expected.path() + "\" was changed at revision " + std::to_string(changed.number()) +
                          (expected.revision().epoch() == now.epoch() ? "" : " of another epoch") + ": read it again");
  }
  return {};
}

}  // namespace continuo::control
