#include "server/rpc/session_load.hpp"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "server/control/history.hpp"
#include "server/control/job_desk.hpp"
#include "server/control/media_library.hpp"
#include "server/rpc/agent.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/fed_call.hpp"
#include "server/rpc/reply.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {
namespace {

/// LoadSession: [rpc] collect up to 64 MiB -> [control] parse, prepare, swap, or leave all as it was -> answer.
/// It reads bytes and parses them itself: of a message that is none gRPC says no more than of the stream's end. Of one
/// that is too large it does neither; but then the call is over, and nothing can be sent on it any more.
class Upload final : public FedCall<grpc::ByteBuffer> {
 public:
  Upload(grpc::CallbackServerContext* context, grpc::ByteBuffer* response, control::Engine& engine)
      : context_(context), response_(response), engine_(engine) {}

  void start(Door& door) {
    own();
    auto [status, who] = door.enter(*context_, "continuo.v1.SessionService.LoadSession");
    identity_ = who.name;
    if (status.ok()) {
      if (auto place = door.gate().try_load(identity_)) place_.emplace(*std::move(place));
    }
    if (status.ok() && !place_) status = no_room_status("loads of one user", Gate::kMaxLoadsOfCaller);
    if (!status.ok()) return finish(status);
    watch_idle(engine_.media().idle(), "load", "sent nothing: nothing was loaded");
    read();
  }

  void OnReadDone(bool ok) override {
    const auto keep = shared_from_this();
    if (!is_read()) return;
    if (!ok) return context_->IsCancelled() ? finish(grpc::Status::CANCELLED) : StartSendInitialMetadata();
    if (Result<> taken = take_chunk(); !taken) return finish(taken.error());
    read();
  }

  /// The client has said all that it had to say, or sent more than a message may hold: then this does not go out.
  void OnSendInitialMetadataDone(bool ok) override {
    const auto keep = shared_from_this();
    if (!ok) return finish(grpc::Status::CANCELLED);
    load();
  }

 private:
  Result<> take_chunk() {
    v1::LoadSessionRequest chunk;
    if (!grpc::SerializationTraits<v1::LoadSessionRequest>::Deserialize(&message(), &chunk).ok()) {
      return make_error(ErrorKind::invalid_argument, "NO_MESSAGE", "",
                        "what came is no LoadSessionRequest: nothing was loaded");
    }
    if (Result<> good = check_strict(chunk); !good) return good;
    if (first_) {
      request_.base = chunk.base();
      request_.dry_run = chunk.dry_run();
      request_.keep_transport = chunk.keep_transport();
      request_.leases = chunk.leases();
      request_.client = agent_of(*context_);
      request_.identity = identity_;
    } else if (chunk.has_base() || chunk.dry_run() || chunk.keep_transport() || !chunk.leases().empty()) {
      return make_error(ErrorKind::invalid_argument, "NOT_FIRST", "",
                        "base, dry_run, keep_transport and leases belong in the first message");
    }
    if (std::exchange(first_, false) && !request_.dry_run) begin_job();
    if (chunk.json().size() > kMaxSessionBytes - request_.json.size()) {
      return make_error(ErrorKind::invalid_argument, "SESSION_TOO_LARGE", "json", "the session is over 64 MiB");
    }
    request_.json += chunk.json();
    return {};
  }

  /// From now on everybody sees it, and may end it.
  void begin_job() {
    const auto self = std::static_pointer_cast<Upload>(shared_from_this());
    const control::JobTicket job =
        engine_.jobs().begin(v1::Job::KIND_LOAD, request_.base, control::origin_of(request_.client, identity_),
                             [weak = std::weak_ptr(self)] {
                               if (const auto upload = weak.lock()) upload->end(control::cancelled_error());
                             });
    request_.job = job;
    bool is_over = false;  // somebody was quick to end it
    {
      const std::lock_guard lock(mutex_);
      job_ = job;
      is_over = finished_;
    }
    if (is_over) job.end(control::cancelled_error());
  }

  /// Where the engine had it, it has told already what became of it.
  void ended(const grpc::Status&, const Error* error) override {
    control::JobTicket job;
    {
      const std::lock_guard lock(mutex_);
      job = job_;
    }
    job.end(error != nullptr
                ? *error
                : make_error(ErrorKind::aborted, "CANCELLED", "", "its client went away: nothing was loaded"));
  }

  void load() {
    if (first_) {
      return finish(make_error(ErrorKind::invalid_argument, "EMPTY_STREAM", "json",
                               "no session came: at least one message is needed"));
    }
    // Where the daemon ends first, the answer is dropped, and this with it.
    auto letting = std::make_shared<Letting>(std::static_pointer_cast<Upload>(shared_from_this()));
    engine_.load(std::move(request_), [letting](Result<v1::LoadSessionResponse> loaded) {
      std::exchange(letting->upload, nullptr)->answer(std::move(loaded));
    });
  }

  /// An answer that is dropped is one, too.
  struct Letting {
    explicit Letting(std::shared_ptr<Upload> of) : upload(std::move(of)) {}
    Letting(const Letting&) = delete;
    Letting& operator=(const Letting&) = delete;
    ~Letting() {
      if (upload) upload->finish(stopping_status());
    }
    std::shared_ptr<Upload> upload;
  };

  void answer(Result<v1::LoadSessionResponse> loaded) {
    place_.reset();  // whoever has the answer may send the next
    if (!loaded) return finish(loaded.error());
    bool own_buffer = false;
    finish(grpc::SerializationTraits<v1::LoadSessionResponse>::Serialize(*loaded, response_, &own_buffer));
  }

  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const response_;
  control::Engine& engine_;
  std::optional<StreamPlace> place_;
  control::LoadRequest request_;
  std::string identity_;
  control::JobTicket job_;  // under the mutex
  bool first_ = true;
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* receive_session(grpc::CallbackServerContext* context,
                                                           grpc::ByteBuffer* response, control::Engine& engine,
                                                           Door& door) {
  const auto upload = std::make_shared<Upload>(context, response, engine);
  upload->start(door);
  return upload.get();
}

}  // namespace continuo::rpc
