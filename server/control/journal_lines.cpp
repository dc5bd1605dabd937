#include "server/control/journal_lines.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>

namespace continuo::control {
namespace {

constexpr int kNamed = 3;
constexpr std::size_t kMaxText = 300;

using google::protobuf::FieldDescriptor;

/// The first of these that the operation has: it says what it is about.
std::string subject_of(const google::protobuf::Message& operation) {
  for (const char* name : {"path", "param", "node", "from", "name", "file", "parent"}) {
    const FieldDescriptor* const field = operation.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) continue;
    std::string text = operation.GetReflection()->GetString(operation, field);
    if (!text.empty()) return " " + text;
  }
  return "";
}

std::string text_of(const v1::Operation& operation) {
  const auto* reflection = operation.GetReflection();
  const auto* kind = reflection->GetOneofFieldDescriptor(operation, v1::Operation::descriptor()->oneof_decl(0));
  if (kind == nullptr) return "nothing";
  std::string text = kind->name() + subject_of(reflection->GetMessage(operation, kind));
  if (operation.has_add_node()) {
    const auto& fields = operation.add_node().node().fields();
    if (const auto id = fields.find("id"); id != fields.end()) text += " " + id->second.string_value();
  }
  if (operation.has_set_params()) {
    const auto& values = operation.set_params().values();
    if (values.size() == 1) text += "." + values.begin()->first;
  }
  return text;
}

v1::Event edit(const v1::Change& change) {
  v1::Event event;
  event.set_kind(v1::Event::KIND_EDIT);
  event.set_message(operations_text(change.operations()));
  *event.mutable_origin() = change.origin();
  event.set_transaction_id(change.transaction_id());
  *event.mutable_revision() = change.revision();
  return event;
}

v1::Event take(const v1::WatchResponse::TakeEvent& told) {
  using Told = v1::WatchResponse::TakeEvent;
  v1::Event event;
  event.set_kind(v1::Event::KIND_TAKE);
  event.set_cause(Told::Kind_Name(told.kind()).substr(5));  // without KIND_
  const bool well = told.kind() == Told::KIND_CLOSED;
  const bool lost = told.kind() == Told::KIND_FAILED;
  event.set_severity(well ? v1::Event::SEVERITY_INFO : lost ? v1::Event::SEVERITY_ERROR : v1::Event::SEVERITY_WARNING);
  std::string text = told.message();
  if (text.empty()) text = told.has_take() ? told.take().file() : "takes";
  event.set_message(text);
  return event;
}

const char* what_became(v1::LeaseEvent::Kind kind) {
  switch (kind) {
    case v1::LeaseEvent::KIND_ACQUIRED:
      return "taken";
    case v1::LeaseEvent::KIND_RELEASED:
      return "given back";
    case v1::LeaseEvent::KIND_ENDED:
      return "over";
    case v1::LeaseEvent::KIND_BROKEN:
      return "broken";
    default:
      return "gone with what it was of";
  }
}

v1::Event lease(const v1::LeaseEvent& told) {
  v1::Event event;
  event.set_kind(v1::Event::KIND_LEASE);
  event.set_cause(v1::LeaseEvent::Kind_Name(told.kind()).substr(5));  // without KIND_
  const v1::Lease& lease = told.lease();
  event.set_message("lease " + std::to_string(lease.lease_id()) + " of " +
                    (lease.path().empty() ? "the whole session" : lease.path()) + " " + what_became(told.kind()) +
                    (lease.note().empty() ? "" : ": " + lease.note()));
  // Who did it: the holder, unless its time did, or somebody else.
  if (told.kind() == v1::LeaseEvent::KIND_BROKEN)
    *event.mutable_origin() = told.origin();
  else if (told.kind() == v1::LeaseEvent::KIND_ACQUIRED || told.kind() == v1::LeaseEvent::KIND_RELEASED)
    *event.mutable_origin() = lease.holder();
  return event;
}

}  // namespace

std::string operations_text(const google::protobuf::RepeatedPtrField<v1::Operation>& operations) {
  std::string text;
  for (int i = 0; i < std::min(operations.size(), kNamed); ++i)
    text += (text.empty() ? "" : ", ") + text_of(operations[i]);
  if (text.size() > kMaxText) {
    // Never inside a character.
    std::size_t end = kMaxText;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u) --end;
    text.resize(end);
    text += "...";
  }
  if (operations.size() > kNamed) text += " and " + std::to_string(operations.size() - kNamed) + " more";
  return text;
}

bool values_only(const google::protobuf::RepeatedPtrField<v1::Operation>& operations) {
  return !operations.empty() &&
         std::ranges::all_of(operations, [](const v1::Operation& operation) { return operation.has_set_params(); });
}

std::optional<v1::Event> event_of(const v1::WatchResponse& message) {
  v1::Event event;
  switch (message.kind_case()) {
    case v1::WatchResponse::kChange:
      return edit(message.change());
    case v1::WatchResponse::kTake:
      return take(message.take());
    case v1::WatchResponse::kScheduled:
      event.set_kind(v1::Event::KIND_SCHEDULE);
      event.set_cause("SCHEDULED");
      event.set_message("for later: " + operations_text(message.scheduled().operations()));
      event.set_transaction_id(message.scheduled().transaction_id());
      *event.mutable_origin() = message.scheduled().origin();
      return event;
    case v1::WatchResponse::kCancelled:
      event.set_kind(v1::Event::KIND_SCHEDULE);
      event.set_cause(message.cancelled().reason());
      event.set_message(message.cancelled().message());
      event.set_transaction_id(message.cancelled().transaction_id());
      *event.mutable_origin() = message.cancelled().origin();
      return event;
    case v1::WatchResponse::kCue:
      if (message.cue().kind() != v1::WatchResponse::CueEvent::KIND_FIRED) return std::nullopt;
      event.set_kind(v1::Event::KIND_CUE);
      event.set_message("cue " + message.cue().name());
      event.set_transaction_id(message.cue().transaction_id());
      return event;
    case v1::WatchResponse::kLease:
      return lease(message.lease());
    default:
      return std::nullopt;
  }
}

v1::Event refusal_of(const Error& error, const std::string& what, v1::Origin origin) {
  v1::Event event;
  event.set_kind(v1::Event::KIND_REFUSAL);
  event.set_severity(v1::Event::SEVERITY_WARNING);
  event.set_cause(error.reason);
  event.set_message(what + ": " + error.message + (error.field.empty() ? "" : " (" + error.field + ")"));
  *event.mutable_origin() = std::move(origin);
  return event;
}

namespace {

v1::Event job_event(const v1::Job& job, const char* cause, const std::string& what) {
  static const std::string kKinds[] = {"job", "render", "scan", "load", "calibration", "upload"};
  const auto kind = static_cast<std::size_t>(job.kind());
  v1::Event event;
  event.set_kind(v1::Event::KIND_JOB);
  event.set_severity(v1::Event::SEVERITY_INFO);
  event.set_cause(cause);
  event.set_message("job " + std::to_string(job.job_id()) + ", " + kKinds[kind < std::size(kKinds) ? kind : 0] +
                    (job.subject().empty() ? "" : " of " + job.subject()) + ": " + what);
  *event.mutable_origin() = job.origin();
  return event;
}

}  // namespace

std::optional<v1::Event> started_event(const v1::Job& job) {
  if (job.kind() == v1::Job::KIND_LOAD) return std::nullopt;
  return job_event(job, "STARTED", job.state() == v1::Job::STATE_WAITING ? "waits" : "began");
}

std::optional<v1::Event> ended_event(const v1::Job& job) {
  if (job.kind() == v1::Job::KIND_LOAD) return std::nullopt;
  if (job.state() == v1::Job::STATE_DONE) return job_event(job, "DONE", "done");
  if (job.state() == v1::Job::STATE_CANCELLED)
    return job_event(job, "CANCELLED", job.message().empty() ? "cancelled" : job.message());
  v1::Event event = job_event(job, "FAILED", job.message() + " (" + job.reason() + ")");
  event.set_cause(job.reason());
  event.set_severity(v1::Event::SEVERITY_WARNING);
  return event;
}

v1::Event cancel_event(const v1::Job& job, const v1::Origin& who) {
  v1::Event event = job_event(job, "CANCEL_ASKED", "is to end");
  *event.mutable_origin() = who;
  return event;
}

}  // namespace continuo::control
