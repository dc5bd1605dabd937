#include "server/session/cue.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "server/session/names.hpp"
#include "server/session/warnings.hpp"

namespace continuo::session {
namespace {

bool is_cue_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

bool fits_into_a_cue(v1::Operation::KindCase kind) {
  switch (kind) {
    case v1::Operation::kSetParams:
    case v1::Operation::kSetAutomation:
    case v1::Operation::kClearAutomation:
    case v1::Operation::kPlay:
    case v1::Operation::kStop:
    case v1::Operation::kLocate:
    case v1::Operation::kRecordStart:
    case v1::Operation::kRecordStop:
    case v1::Operation::kQueueInsert:
    case v1::Operation::kQueueRemove:
    case v1::Operation::kQueueMove:
    case v1::Operation::kQueueSet:
    case v1::Operation::kSkip:
      return true;
    default:
      return false;
  }
}

/// Every path that an operation of a cue names.
void for_each_path(v1::Operation& op, const std::function<void(std::string&)>& visit) {
  const auto all = [&](google::protobuf::RepeatedPtrField<std::string>& paths) {
    for (std::string& path : paths) visit(path);
  };
  switch (op.kind_case()) {
    case v1::Operation::kSetParams:
      return visit(*op.mutable_set_params()->mutable_path());
    case v1::Operation::kSetAutomation:
      return visit(*op.mutable_set_automation()->mutable_path());
    case v1::Operation::kClearAutomation:
      return visit(*op.mutable_clear_automation()->mutable_path());
    case v1::Operation::kPlay:
      return all(*op.mutable_play()->mutable_players());
    case v1::Operation::kStop:
      return all(*op.mutable_stop()->mutable_players());
    case v1::Operation::kRecordStart:
      return all(*op.mutable_record_start()->mutable_nodes());
    case v1::Operation::kRecordStop:
      return all(*op.mutable_record_stop()->mutable_nodes());
    case v1::Operation::kQueueInsert:
      return visit(*op.mutable_queue_insert()->mutable_path());
    case v1::Operation::kQueueRemove:
      return visit(*op.mutable_queue_remove()->mutable_path());
    case v1::Operation::kQueueMove:
      return visit(*op.mutable_queue_move()->mutable_path());
    case v1::Operation::kQueueSet:
      return visit(*op.mutable_queue_set()->mutable_path());
    case v1::Operation::kSkip:
      return visit(*op.mutable_skip()->mutable_path());
    default:
      return;
  }
}

Result<> check_ref(bool has_uid, const std::string& field) {
  if (!has_uid) return {};
  return bad("UID_IN_A_CUE", field + ".uid",
             "a queue's uids are new with each load: in a cue its items are named by number, or as current");
}

/// No item of a queue by its uid.
Result<> check_refs(const v1::Operation& op, const std::string& field) {
  const auto place = [&](const auto& of, const std::string& where) {
    if (const Result<> good = check_ref(of.before().has_uid(), where + ".before"); !good) return good;
    return check_ref(of.after().has_uid(), where + ".after");
  };
  switch (op.kind_case()) {
    case v1::Operation::kQueueInsert:
      return place(op.queue_insert(), field + ".queue_insert");
    case v1::Operation::kQueueMove:
      if (const Result<> good = place(op.queue_move(), field + ".queue_move"); !good) return good;
      return check_ref(op.queue_move().item().has_uid(), field + ".queue_move.item");
    case v1::Operation::kQueueSet:
      return check_ref(op.queue_set().item().has_uid(), field + ".queue_set.item");
    case v1::Operation::kQueueRemove:
      for (int i = 0; i < op.queue_remove().items_size(); ++i) {
        const std::string where = field + ".queue_remove.items[" + std::to_string(i) + "]";
        if (const Result<> good = check_ref(op.queue_remove().items(i).has_uid(), where); !good) return good;
      }
      return {};
    case v1::Operation::kSkip:
      return check_ref(op.skip().item().has_uid(), field + ".skip.item");
    default:
      return {};
  }
}

}  // namespace

bool operator==(const DocCue& a, const DocCue& b) {
  return a.uid == b.uid && a.name == b.name && a.label == b.label &&
         (a.operations == b.operations || a.operations->lines == b.operations->lines);
}

std::shared_ptr<const CueOperations> make_cue_operations(Operations list) {
  auto made = std::make_shared<CueOperations>();
  for (v1::Operation& operation : list) {
    // Items that it will insert get their uids when it is fired.
    if (operation.has_queue_insert())
      for (v1::QueueItem& item : *operation.mutable_queue_insert()->mutable_items()) item.clear_uid();
    made->lines.push_back(operation_json(operation));
    made->bytes += made->lines.back().size();
  }
  made->list = std::move(list);
  return made;
}

bool is_cue_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), is_cue_char);
}

Result<> check_cue(const DocCue& cue, const std::string& field) {
  if (!is_cue_name(cue.name))
    return bad("BAD_CUE_NAME", field + ".name",
               quoted(cue.name) + " is no cue's name: 1 to 63 letters, digits, '.', '-' or '_', as in 12.5 or intro");
  if (const Result<> text = check_text(cue.label, kMaxLabel, field + ".label"); !text) return text.error();
  const Operations& list = cue.operations->list;
  if (list.empty()) return bad("MISSING_FIELD", field + ".operations", "a cue has at least one operation");
  if (static_cast<std::size_t>(list.size()) > kMaxCueOperations)
    return bad("TOO_MANY", field + ".operations",
               "a cue has at most " + std::to_string(kMaxCueOperations) + " operations");
  for (int i = 0; i < list.size(); ++i) {
    const std::string where = field + ".operations[" + std::to_string(i) + "]";
    if (list[i].kind_case() == v1::Operation::KIND_NOT_SET)
      return bad("EMPTY_OPERATION", where, "the operation is empty, or from a newer version");
    if (!fits_into_a_cue(list[i].kind_case()))
      return bad("NOT_IN_A_CUE", where,
                 "a cue plays, stops, locates, sets, automates, edits queues and records: it builds nothing, and fires "
                 "no cue");
    if (const Result<> refs = check_refs(list[i], where); !refs) return refs;
  }
  return {};
}

Result<> check_cues(const std::vector<DocCue>& cues, const std::string& field) {
  if (cues.size() > kMaxCues)
    return bad("TOO_MANY", field, "a session has at most " + std::to_string(kMaxCues) + " cues");
  std::set<std::string_view> names;
  std::size_t operations = 0, bytes = 0;
  for (std::size_t i = 0; i < cues.size(); ++i) {
    if (!names.insert(cues[i].name).second)
      return make_error(ErrorKind::already_exists, "DUPLICATE_CUE", field + "[" + std::to_string(i) + "].name",
                        "there are two cues " + quoted(cues[i].name));
    operations += cues[i].operations->lines.size();
    bytes += cues[i].operations->bytes;
  }
  if (operations > kMaxAllCueOperations)
    return bad("TOO_MANY", field,
               "the cues of a session have at most " + std::to_string(kMaxAllCueOperations) + " operations");
  if (bytes > kMaxCueBytes)
    return bad("TOO_MANY", field,
               "the cues of a session have at most " + std::to_string(kMaxCueBytes >> 20) + " MiB as text");
  return {};
}

void for_each_cue_file(const DocCue& cue, const std::function<void(const std::string&)>& visit) {
  for (const v1::Operation& op : cue.operations->list) {
    for (const v1::QueueItem& item : op.queue_insert().items()) visit(item.file());
    if (op.has_queue_set() && !op.queue_set().values().file().empty()) visit(op.queue_set().values().file());
    const auto file = op.set_params().values().find("file");
    if (file != op.set_params().values().end() && !file->second.string_value().empty())
      visit(file->second.string_value());
  }
}

void rename_in_cues(Document& document, const std::string& from, const std::string& to) {
  for (std::size_t place = 0; place < document.cues.size(); ++place) {
    const DocCue& cue = document.cues[place];
    std::optional<Operations> renamed;
    for (int i = 0; i < cue.operations->list.size(); ++i) {
      v1::Operation copy = cue.operations->list[i];
      bool differs = false;
      for_each_path(copy, [&](std::string& path) {
        if (!is_at_or_below(path, from)) return;
        path.replace(0, from.size(), to);
        differs = true;
      });
      if (!differs) continue;
      if (!renamed) renamed = cue.operations->list;
      *renamed->Mutable(i) = std::move(copy);
    }
    if (renamed) document.cues.edit()[place].operations = make_cue_operations(std::move(*renamed));
  }
}

std::optional<std::size_t> find_cue(const std::vector<DocCue>& cues, rt::Uid uid) {
  const auto found = std::ranges::find(cues, uid, &DocCue::uid);
  return found == cues.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - cues.begin()));
}
std::optional<std::size_t> find_cue(const std::vector<DocCue>& cues, std::string_view name) {
  const auto found = std::ranges::find(cues, name, &DocCue::name);
  return found == cues.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - cues.begin()));
}

Result<std::size_t> index_of_cue(const std::vector<DocCue>& cues, const v1::CueRef& ref, const std::string& field) {
  if (ref.ref_case() == v1::CueRef::REF_NOT_SET)
    return bad("MISSING_FIELD", field, "a cue is named by its name or its uid");
  const auto found = ref.has_uid() ? find_cue(cues, ref.uid()) : find_cue(cues, ref.name());
  if (found) return *found;
  return make_error(ErrorKind::not_found, "UNKNOWN_CUE", field,
                    "there is no cue " + (ref.has_uid() ? std::to_string(ref.uid()) : quoted(ref.name())));
}

v1::Cue cue_to_proto(const DocCue& cue) {
  v1::Cue out;
  out.set_uid(cue.uid);
  out.set_name(cue.name);
  out.set_label(cue.label);
  *out.mutable_operations() = cue.operations->list;
  return out;
}

Expanded expand_cues(const Document& document, const Operations& operations) {
  Expanded result;
  for (int i = 0; i < operations.size(); ++i) {
    *result.operations.Add() = operations[i];
    result.places.push_back({i, -1, {}});
    if (!operations[i].has_go() || !operations[i].go().has_cue()) continue;
    const auto index = index_of_cue(document.cues, operations[i].go().cue(), "");
    if (!index) continue;
    const DocCue& cue = document.cues[*index];
    for (int j = 0; j < cue.operations->list.size(); ++j) {
      *result.operations.Add() = cue.operations->list[j];
      result.places.push_back({i, j, cue.name});
    }
  }
  return result;
}

std::string Expanded::field_of(const std::string& field) const {
  constexpr std::string_view kHead = "operations[";
  const std::size_t end = field.find(']');
  if (!field.starts_with(kHead) || end == std::string::npos) return field;
  std::size_t index = 0;
  for (std::size_t i = kHead.size(); i < end; ++i) {
    if (field[i] < '0' || field[i] > '9' || index > places.size()) return field;
    index = index * 10 + static_cast<std::size_t>(field[i] - '0');
  }
  if (index >= places.size()) return field;
  const Place& place = places[index];
  const std::string head = std::string(kHead) + std::to_string(place.index) + "]";
  if (place.in_cue < 0) return head + field.substr(end + 1);
  return head + ".go.cue(" + place.cue + ").operations[" + std::to_string(place.in_cue) + "]" + field.substr(end + 1);
}

std::vector<std::string> broken_cues(const Document& before, const Document& after, std::size_t most) {
  std::vector<std::string> lines;
  for (const DocCue& cue : after.cues) {
    if (lines.size() == most) break;
    const Result<> now = check_cue_targets(after, cue, "");
    const std::string why = now ? missing_item(after, cue) : now.error().message;
    if (why.empty()) continue;
    if (const auto same = find_cue(before.cues, cue.uid)) {
      const DocCue& old = before.cues[*same];
      if (!check_cue_targets(before, old, "") || (now && !missing_item(before, old).empty())) continue;
    }
    lines.push_back("cue " + cue.name + " cannot be fired: " + why);
  }
  return lines;
}

}  // namespace continuo::session
