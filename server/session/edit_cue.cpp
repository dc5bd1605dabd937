#include <algorithm>
#include <set>
#include <utility>

#include "server/session/cue.hpp"
#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"

namespace continuo::session {
namespace {

using Cues = std::vector<DocCue>;

/// The place named by `before` or `after`, else the end.
template <class Op>
Result<std::size_t> place_of(const Cues& cues, const Op& op, const std::string& field) {
  if (op.has_before() && op.has_after()) return bad("WRONG_FIELD", field + ".after", "before or after, not both");
  if (!op.has_before() && !op.has_after()) return cues.size();
  const auto index = op.has_before() ? index_of_cue(cues, op.before(), field + ".before")
                                     : index_of_cue(cues, op.after(), field + ".after");
  if (!index) return index.error();
  return *index + (op.has_after() ? 1u : 0u);
}

Result<std::size_t> named(const Cues& cues, bool has, const v1::CueRef& ref, const std::string& field) {
  if (!has) return bad("MISSING_FIELD", field, "no cue is named");
  return index_of_cue(cues, ref, field);
}

Error taken(const std::string& name, const std::string& field) {
  return make_error(ErrorKind::already_exists, "DUPLICATE_CUE", field, "there is a cue " + quoted(name) + " already");
}

void changed(Editing& edit, bool differs) {
  edit.cues_touched = true;
  edit.result.cues = edit.result.cues || differs;
  edit.result.changed = edit.result.changed || differs;
}

/// What comes in from a client.
Result<> check_given(const Editing& edit, const DocCue& cue, const std::string& field) {
  if (const Result<> good = check_cue(cue, field); !good) return good;
  return check_cue_targets(edit.document, cue, field);
}

}  // namespace

Result<> cue_insert(Editing& edit, const v1::CueInsert& op, const std::string& field) {
  Cues& cues = edit.document.cues.edit();
  if (op.cues().empty()) return bad("MISSING_FIELD", field + ".cues", "no cue is given");
  if (cues.size() + static_cast<std::size_t>(op.cues_size()) > kMaxCues)
    return bad("TOO_MANY", field + ".cues", "a session has at most " + std::to_string(kMaxCues) + " cues");
  const Result<std::size_t> place = place_of(cues, op, field);
  if (!place) return place.error();
  v1::CueInsert accepted = op;
  std::set<std::string_view> names;
  for (const DocCue& cue : cues) names.insert(cue.name);
  Cues fresh;
  for (int i = 0; i < op.cues_size(); ++i) {
    const std::string where = field + ".cues[" + std::to_string(i) + "]";
    DocCue& cue = fresh.emplace_back();
    cue.name = op.cues(i).name();
    cue.label = op.cues(i).label();
    cue.operations = make_cue_operations(op.cues(i).operations());
    if (const Result<> good = check_given(edit, cue, where); !good) return good;
    if (!names.insert(op.cues(i).name()).second) return taken(cue.name, where + ".name");
    cue.uid = edit.new_uid();
    *accepted.mutable_cues(i) = cue_to_proto(cue);
  }
  cues.insert(cues.begin() + static_cast<std::ptrdiff_t>(*place), fresh.begin(), fresh.end());
  *edit.result.accepted.emplace_back().mutable_cue_insert() = std::move(accepted);
  changed(edit, true);
  return {};
}

Result<> cue_remove(Editing& edit, const v1::CueRemove& op, const std::string& field) {
  Cues& cues = edit.document.cues.edit();
  if (op.all() != op.cues().empty()) return bad("WRONG_FIELD", field + ".cues", "cues, or all: one of the two");
  std::set<rt::Uid> gone;
  for (int i = 0; i < op.cues_size(); ++i) {
    const std::string where = field + ".cues[" + std::to_string(i) + "]";
    const Result<std::size_t> index = index_of_cue(cues, op.cues(i), where);
    if (!index) return index.error();
    if (!gone.insert(cues[*index].uid).second) return bad("DUPLICATE_CUE", where, "the cue is named twice");
  }
  const std::size_t before = cues.size();
  std::erase_if(cues, [&](const DocCue& cue) { return op.all() || gone.contains(cue.uid); });
  *edit.result.accepted.emplace_back().mutable_cue_remove() = op;
  changed(edit, cues.size() != before);
  return {};
}

Result<> cue_move(Editing& edit, const v1::CueMove& op, const std::string& field) {
  Cues& cues = edit.document.cues.edit();
  const Result<std::size_t> from = named(cues, op.has_cue(), op.cue(), field + ".cue");
  if (!from) return from.error();
  const Result<std::size_t> place = place_of(cues, op, field);
  if (!place) return place.error();
  if ((op.has_before() && *place == *from) || (op.has_after() && *place == *from + 1))
    return bad("WRONG_FIELD", field + (op.has_before() ? ".before" : ".after"), "a cue has no place beside itself");
  const auto at = [&](std::size_t i) { return cues.begin() + static_cast<std::ptrdiff_t>(i); };
  const bool stays = *place == *from || *place == *from + 1;
  if (*place > *from)
    std::rotate(at(*from), at(*from + 1), at(*place));
  else
    std::rotate(at(*place), at(*from), at(*from + 1));
  *edit.result.accepted.emplace_back().mutable_cue_move() = op;
  changed(edit, !stays);
  return {};
}

Result<> cue_set(Editing& edit, const v1::CueSet& op, const std::string& field) {
  Cues& cues = edit.document.cues.edit();
  const Result<std::size_t> index = named(cues, op.has_cue(), op.cue(), field + ".cue");
  if (!index) return index.error();
  const v1::Cue& values = op.values();
  if (values.name().empty() && values.operations().empty() && !op.has_label())
    return bad("MISSING_FIELD", field + ".values", "nothing is set");
  if (!values.label().empty()) return bad("WRONG_FIELD", field + ".values.label", "a label is set by label");
  DocCue cue = cues[*index];
  if (op.has_label()) cue.label = op.label();
  if (!values.name().empty()) cue.name = values.name();
  if (!values.operations().empty()) cue.operations = make_cue_operations(values.operations());
  if (const Result<> good = check_cue(cue, field + ".values"); !good) return good;
  if (!values.operations().empty()) {
    if (const Result<> good = check_cue_targets(edit.document, cue, field + ".values"); !good) return good;
  }
  const auto same = find_cue(cues, cue.name);
  if (same && *same != *index) return taken(cue.name, field + ".values.name");
  const bool differs = !(cue == cues[*index]);
  cues[*index] = std::move(cue);
  *edit.result.accepted.emplace_back().mutable_cue_set() = op;
  changed(edit, differs);
  return {};
}

Result<> check_cue_next(Editing& edit, const v1::CueNext& op, const std::string& field) {
  if (op.has_cue()) {
    if (const auto index = index_of_cue(edit.document.cues, op.cue(), field + ".cue"); !index) return index.error();
  } else if (edit.document.cues.empty()) {
    return make_error(ErrorKind::failed_precondition, "NO_CUES", field, "the session has no cues");
  }
  *edit.result.accepted.emplace_back().mutable_cue_next() = op;
  return {};
}

Result<> check_go(Editing& edit, const v1::Go& op, const std::string& field) {
  const Cues& cues = edit.document.cues;
  if (edit.cues_touched)
    return bad("WRONG_FIELD", field, "a cue is fired by a transaction of its own: not beside edits of the cue list");
  if (cues.empty()) return make_error(ErrorKind::failed_precondition, "NO_CUES", field, "the session has no cues");
  for (const auto& [has, ref, name] :
       {std::tuple{op.has_expected(), &op.expected(), ".expected"}, std::tuple{op.has_cue(), &op.cue(), ".cue"}}) {
    if (!has) continue;
    if (const auto index = index_of_cue(cues, *ref, field + name); !index) return index.error();
  }
  *edit.result.accepted.emplace_back().mutable_go() = op;
  return {};
}

}  // namespace continuo::session
