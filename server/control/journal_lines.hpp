// THREAD: any - what happened in the engine, as lines of the journal
#pragma once

#include <optional>
#include <string>

#include "continuo/v1/edit.pb.h"
#include "continuo/v1/event.pb.h"
#include "continuo/v1/job.pb.h"
#include "continuo/v1/session.pb.h"
#include "server/base/result.hpp"
#include "server/journal/journal.hpp"

namespace continuo::control {

/// "set_params vox, add_node drums and 3 more": the operations by name, with the path or name that each is about.
[[nodiscard]] std::string operations_text(const google::protobuf::RepeatedPtrField<v1::Operation>& operations);
/// Parameters' values and nothing else: many a second belong together.
[[nodiscard]] bool values_only(const google::protobuf::RepeatedPtrField<v1::Operation>& operations);

/// What watchers hear that belongs in the journal; none for what does not (snapshots, heartbeats, frames).
[[nodiscard]] std::optional<v1::Event> event_of(const v1::WatchResponse& message);
/// Somebody asked for `what` and was refused.
[[nodiscard]] v1::Event refusal_of(const Error& error, const std::string& what, v1::Origin origin);

/// A load tells of itself: none for it.
[[nodiscard]] std::optional<v1::Event> started_event(const v1::Job& job);
[[nodiscard]] std::optional<v1::Event> ended_event(const v1::Job& job);
[[nodiscard]] v1::Event cancel_event(const v1::Job& job, const v1::Origin& who);

}  // namespace continuo::control
