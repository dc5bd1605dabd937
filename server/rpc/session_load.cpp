#include "server/rpc/session_load.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/rpc/agent.hpp"
#include "server/rpc/apply_shape.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {
namespace {

/// LoadSession: [rpc] collect up to 64 MiB -> [control] parse, prepare, swap, or leave all as it was -> answer.
/// One read at a time, so gRPC calls nothing here at the same moment but OnCancel.
class Upload final : public grpc::ServerReadReactor<v1::LoadSessionRequest> {
 public:
  Upload(grpc::CallbackServerContext* context, v1::LoadSessionResponse* response, control::Engine& engine, Door& door)
      : context_(context), response_(response), engine_(engine) {
    auto [status, who] = door.enter(*context, "continuo.v1.SessionService.LoadSession");
    identity_ = who.name;
    if (status.ok()) {
      if (auto place = door.gate().try_upload()) place_.emplace(*std::move(place));
    }
    if (status.ok() && !place_) status = no_room_status("uploads", Gate::kMaxUploads);
    if (status.ok())
      StartRead(&chunk_);
    else
      Finish(status);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return context_->IsCancelled() ? Finish(grpc::Status::CANCELLED) : load();
    if (Result<> taken = take_chunk(); !taken) return Finish(to_status(taken.error()));
    StartRead(&chunk_);
  }
  void OnDone() override { delete this; }

 private:
  Result<> take_chunk() {
    if (Result<> good = check_strict(chunk_); !good) return good;
    if (first_) {
      request_.base = chunk_.base();
      request_.dry_run = chunk_.dry_run();
      request_.keep_transport = chunk_.keep_transport();
      request_.leases = chunk_.leases();
      request_.client = agent_of(*context_);
      request_.identity = identity_;
    } else if (chunk_.has_base() || chunk_.dry_run() || chunk_.keep_transport() || !chunk_.leases().empty()) {
      return make_error(ErrorKind::invalid_argument, "NOT_FIRST", "",
                        "base, dry_run, keep_transport and leases belong in the first message");
    }
    first_ = false;
    if (chunk_.json().size() > kMaxSessionBytes - request_.json.size()) {
      return make_error(ErrorKind::invalid_argument, "SESSION_TOO_LARGE", "json", "the session is over 64 MiB");
    }
    request_.json += chunk_.json();
    return {};
  }

  void load() {
    if (first_) {
      return Finish(to_status(make_error(ErrorKind::invalid_argument, "EMPTY_STREAM", "json",
                                         "no session came: at least one message is needed")));
    }
    engine_.load(std::move(request_), reply_to(this, response_));
  }

  grpc::CallbackServerContext* context_;
  v1::LoadSessionResponse* response_;
  control::Engine& engine_;
  std::optional<Places::Place> place_;
  v1::LoadSessionRequest chunk_;
  control::LoadRequest request_;
  std::string identity_;
  bool first_ = true;
};

}  // namespace

grpc::ServerReadReactor<v1::LoadSessionRequest>* receive_session(grpc::CallbackServerContext* context,
                                                                 v1::LoadSessionResponse* response,
                                                                 control::Engine& engine, Door& door) {
  return new Upload(context, response, engine, door);
}

}  // namespace continuo::rpc
