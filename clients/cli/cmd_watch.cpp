// THREAD: any - watch: every change of the session as it happens
#include <CLI/CLI.hpp>

#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/operations.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/value_text.hpp"

namespace continuo::cli {
namespace {

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += " " + name;
  return text;
}

std::string ref_name(const v1::CueRef& ref) { return ref.has_uid() ? std::to_string(ref.uid()) : ref.name(); }
std::string ref_names(const google::protobuf::RepeatedPtrField<v1::CueRef>& refs) {
  std::string text;
  for (const v1::CueRef& ref : refs) text += " " + ref_name(ref);
  return text;
}
std::string cue_names(const google::protobuf::RepeatedPtrField<v1::Cue>& cues) {
  std::string text;
  for (const v1::Cue& cue : cues) text += " " + cue.name();
  return text;
}

void tell_cue(const v1::WatchResponse::CueEvent& event) {
  using Event = v1::WatchResponse::CueEvent;
  using Cues = v1::GetStatusResponse::Cues;
  if (event.kind() == Event::KIND_FIRED) {
    print_line(printable("    cue " + event.name() +
                         format(" sounds from engine frame %lld", static_cast<long long>(event.engine_frame()))));
    return;
  }
  const Cues& cues = event.cues();
  if (!cues.has_next()) return print_line("    no cue is next");
  std::string text = "    cue " + cues.next().name() + " is next";
  if (cues.next_state() == Cues::NEXT_STATE_ARMED) text += ", armed";
  if (cues.next_state() == Cues::NEXT_STATE_PREPARING) text += ", being prepared";
  if (!cues.next_reason().empty())
    text += (cues.next_state() == Cues::NEXT_STATE_BROKEN ? ", broken: " : ", not armed: ") + cues.next_reason();
  print_line(printable(text));
}

}  // namespace

std::string operation_text(const v1::Operation& operation) {
  switch (operation.kind_case()) {
    case v1::Operation::kAddNode: {
      const auto& fields = operation.add_node().node().fields();
      const auto text = [&](const char* name) {
        return fields.contains(name) ? fields.at(name).string_value() : std::string();
      };
      const std::string& parent = operation.add_node().parent();
      return "add " + (parent.empty() ? "" : parent + "/") + text("id") + " " + text("type");
    }
    case v1::Operation::kMoveNode:
      return "move " + operation.move_node().path() +
             (operation.move_node().has_parent()
                  ? " to " + (operation.move_node().parent().empty() ? std::string("the root")
                                                                     : operation.move_node().parent())
                  : "") +
             (operation.move_node().has_before() ? " before " + operation.move_node().before() : "");
    case v1::Operation::kRemoveNode:
      return "remove " + operation.remove_node().path();
    case v1::Operation::kConnect:
      return "connect " + operation.connect().from() + " " + operation.connect().to();
    case v1::Operation::kDisconnect:
      return "disconnect " + operation.disconnect().from() + " " + operation.disconnect().to();
    case v1::Operation::kSetParams: {
      std::string text = "set";
      for (const auto& [name, value] : operation.set_params().values()) {
        text += " " + operation.set_params().path() + "." + name + "=" + value_text(value);
      }
      return text;
    }
    case v1::Operation::kSetAutomation: {
      const v1::SetAutomation& set = operation.set_automation();
      return "automate " + set.path() + "." + set.param() +
             (set.points().empty() ? "" : format(" (%d points)", set.points_size())) +
             (!set.has_on() ? ""
              : set.on()    ? " --on"
                            : " --off");
    }
    case v1::Operation::kClearAutomation:
      return "automate " + operation.clear_automation().path() + "." + operation.clear_automation().param() +
             " --clear";
    case v1::Operation::kSetLabel:
      return "label " + operation.set_label().path() + " '" + operation.set_label().label() + "'";
    case v1::Operation::kPlay:
      return "play" + joined(operation.play().players());
    case v1::Operation::kStop:
      return "stop" + joined(operation.stop().players());
    case v1::Operation::kLocate:
      return "locate " + std::to_string(operation.locate().timeline_frame()) + "f";
    case v1::Operation::kRecordStart:
      return "record start" + joined(operation.record_start().nodes());
    case v1::Operation::kRecordStop:
      return "record stop" + joined(operation.record_stop().nodes());
    case v1::Operation::kQueueInsert:
      return "queue add " + operation.queue_insert().path() +
             format(" (%d items)", operation.queue_insert().items_size());
    case v1::Operation::kQueueRemove:
      return "queue remove " + operation.queue_remove().path() +
             (operation.queue_remove().all() ? std::string(" --all")
                                             : format(" (%d items)", operation.queue_remove().items_size()));
    case v1::Operation::kQueueMove:
      return "queue move " + operation.queue_move().path();
    case v1::Operation::kQueueSet:
      return "queue set " + operation.queue_set().path();
    case v1::Operation::kSkip:
      return (operation.skip().by() < 0 ? "previous " : "next ") + operation.skip().path() +
             (operation.skip().has_by() ? " " + std::to_string(std::abs(operation.skip().by())) : " (to an item)");
    case v1::Operation::kCueInsert:
      return "cue add" + cue_names(operation.cue_insert().cues());
    case v1::Operation::kCueRemove:
      return "cue remove" + (operation.cue_remove().all() ? " --all" : ref_names(operation.cue_remove().cues()));
    case v1::Operation::kCueMove:
      return "cue move " + ref_name(operation.cue_move().cue());
    case v1::Operation::kCueSet:
      return "cue set " + ref_name(operation.cue_set().cue());
    case v1::Operation::kCueNext:
      return "cue next" + (operation.cue_next().has_cue() ? " " + ref_name(operation.cue_next().cue()) : "");
    case v1::Operation::kGo:
      return "go " + (operation.go().has_cue() ? ref_name(operation.go().cue()) : std::string("(next cue)"));
    case v1::Operation::KIND_NOT_SET:
      break;
  }
  return "(an operation that this program does not know)";
}

namespace {

unsigned long long number(std::uint64_t value) { return value; }

void tell_snapshot(const Context& context, const std::string& json, const v1::WatchResponse::SnapshotEnd& end) {
  if (context.json) {
    print_line("{\"snapshot\":" + (json.empty() ? "null" : compact_json(json)) + ",\"revision\":" +
               to_json_line(end.revision()) + ",\"resync\":" + (end.resync() ? "true" : "false") + "}");
    return;
  }
  std::string text = format("%llu  session", number(end.revision().number()));
  if (!json.empty()) {
    const v1::Session session = parse_session(json);
    text += (session.name().empty() ? "" : " '" + session.name() + "'") +
            format(", %d nodes at the top, %d connections", session.nodes_size(), session.connections_size());
  }
  print_line(printable(text + (end.resync() ? " (the changes before it were missed)" : "")));
}

/// What the client calls itself, and who it is.
std::string who(const v1::Origin& origin) {
  if (origin.identity().empty()) return origin.client();
  return origin.client().empty() ? origin.identity() : origin.client() + " (" + origin.identity() + ")";
}

void tell_change(const v1::Change& change) {
  const std::string head = format("%llu  %s  %s  ", number(change.revision().number()), change.origin().utc().c_str(),
                                  who(change.origin()).c_str());
  for (const v1::Operation& operation : change.operations()) print_line(printable(head + operation_text(operation)));
}

std::string lease_text(const v1::LeaseEvent& event) {
  const v1::Lease& lease = event.lease();
  const std::string what = lease.path().empty() ? "the whole" : lease.path();
  switch (event.kind()) {
    case v1::LeaseEvent::KIND_ACQUIRED:
      return what + " is leased by " + who(lease.holder()) + " until " + lease.ends_utc();
    case v1::LeaseEvent::KIND_BROKEN:
      return "the lease of " + what + " was broken by " + who(event.origin());
    case v1::LeaseEvent::KIND_ENDED:
      return "the lease of " + what + " has ended";
    case v1::LeaseEvent::KIND_GONE:
      return "the lease of " + what + " is gone with what it was of";
    default:
      return "the lease of " + what + " was given back";
  }
}

int watch(Context& context) {
  Connection& daemon = context.connection();
  const Interrupt::Scope interrupt([&daemon] { daemon.cancel_streams(); });
  std::string snapshot;
  daemon.watch({}, [&](const v1::WatchResponse& message) {
    switch (message.kind_case()) {
      case v1::WatchResponse::kSnapshotBegin:
        snapshot.clear();
        return true;
      case v1::WatchResponse::kSnapshot:
        snapshot += message.snapshot();
        return true;
      case v1::WatchResponse::kSnapshotEnd:
        tell_snapshot(context, snapshot, message.snapshot_end());
        snapshot.clear();
        break;
      case v1::WatchResponse::kHeartbeat:
        return true;
      case v1::WatchResponse::kChange:
        if (context.json) {
          print_line(to_json_line(message));
        } else {
          tell_change(message.change());
        }
        break;
      case v1::WatchResponse::kApplied:
        if (context.json) {
          print_line(to_json_line(message));
        } else {
          print_line(format("    transaction %llu sounds from engine frame %lld",
                            number(message.applied().transaction_id()),
                            static_cast<long long>(message.applied().engine_frame())));
        }
        break;
      case v1::WatchResponse::kScheduled:
        if (context.json) {
          print_line(to_json_line(message));
        } else {
          print_line(format("    transaction %llu is scheduled", number(message.scheduled().transaction_id())));
        }
        break;
      case v1::WatchResponse::kCancelled:
        if (context.json) {
          print_line(to_json_line(message));
        } else {
          print_line(printable(message.cancelled().reason() + ": " + message.cancelled().message()));
        }
        break;
      case v1::WatchResponse::kTake:
        print_line(context.json ? to_json_line(message) : printable("    " + message.take().message()));
        break;
      case v1::WatchResponse::kCue:
        if (context.json)
          print_line(to_json_line(message));
        else
          tell_cue(message.cue());
        break;
      case v1::WatchResponse::kMedia:
        print_line(context.json ? to_json_line(message) : printable("    " + message.media().message()));
        break;
      case v1::WatchResponse::kLease:
        print_line(context.json ? to_json_line(message) : printable("    " + lease_text(message.lease())));
        break;
      case v1::WatchResponse::KIND_NOT_SET:
        return true;
    }
    flush_output();
    return true;
  });
  return kOk;
}

}  // namespace

void add_watch_command(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("watch", "Every change as it happens, and who made it; Ctrl-C ends");
  command->callback([&context] { context.run = [&context] { return watch(context); }; });
}

}  // namespace continuo::cli
