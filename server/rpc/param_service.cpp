#include <grpcpp/alarm.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "continuo/v1/param.grpc.pb.h"
#include "server/control/param_streams.hpp"
#include "server/control/text_check.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/services.hpp"
#include "server/rpc/strict.hpp"

namespace continuo::rpc {
namespace {

using Request = v1::StreamParamsRequest;
using Response = v1::StreamParamsResponse;

constexpr std::string_view kMethod = "continuo.v1.ParamService.StreamParams";
constexpr Gate::Lasts kLasts = Gate::Lasts::until_the_client_goes;
constexpr std::chrono::seconds kAskEvery{1};
// Beyond these the client's next message is read a little later: gRPC's flow control then slows it down.
constexpr double kMessagesPerSecond = 20'000.0;
constexpr double kMessagesAtOnce = 2'000.0;
constexpr std::chrono::milliseconds kBreath{5};

Error unknown_field() {
  return make_error(ErrorKind::invalid_argument, "UNKNOWN_FIELD", "changes",
                    "the message holds a field that this version does not know: a newer daemon may");
}

/// check_strict() for what comes many thousand times a second; its numbers are judged one by one, later.
Result<> check_message(const Request& message) {
  if (!message.has_changes()) return check_strict(message);
  const auto knows_all = [](const google::protobuf::Message& one) {
    return one.GetReflection()->GetUnknownFields(one).empty();
  };
  if (!knows_all(message) || !knows_all(message.changes())) return unknown_field();
  return {};
}

/// One stream. [rpc] read a message -> the engine's call -> read the next: not before a Bind is answered, or a
/// Gesture's mark is set. [control] a Report takes the place of one that was not written yet. It owns itself until gRPC
/// has let go of it, and is finished when the engine says so: what came before the client went is applied.
class ParamCall final : public grpc::ServerBidiReactor<Request, Response>,
                        public std::enable_shared_from_this<ParamCall> {
 public:
  ParamCall(grpc::CallbackServerContext* context, Door& door) : context_(context), door_(door) {}

  void start(control::Engine& engine) {
    self_ = shared_from_this();
    Door::Pass pass = door_.enter(*context_, kMethod);
    if (pass.status.ok()) {
      if (auto place = door_.gate().try_stream(pass.caller.name, kLasts))
        place_.emplace(std::move(*place));
      else
        pass.status = no_stream_status(kLasts);
    }
    if (!pass.status.ok()) return end(pass.status);
    const auto weak = weak_from_this();
    call_ = engine.params().open(pass.caller.name, {[weak](Response::Report report) {
                                                      if (const auto one = weak.lock()) one->report(std::move(report));
                                                    },
                                                    [weak](std::optional<Error> error) {
                                                      if (const auto one = weak.lock())
                                                        one->end(error ? to_status(*error) : grpc::Status::OK);
                                                    }});
    read();
  }

  void OnReadDone(bool ok) override {
    const auto keep = shared_from_this();
    if (!ok) return call_->close();  // no more comes; the engine ends the call when all is in place
    if (grpc::Status may = may_go_on(); !may.ok()) return refuse(may);
    if (const Result<> good = check_message(message_); !good) return refuse(to_status(good.error()));
    switch (message_.kind_case()) {
      case Request::kBind:
        return bind();
      case Request::kGesture:
        return call_->gesture(going_on());
      default:
        if (const Result<> taken = call_->take(message_.changes()); !taken) return refuse(to_status(taken.error()));
        if (rate_.try_take(1, EditRate::Clock::now())) return read();
        breath_.Set(std::chrono::system_clock::now() + kBreath, [go_on = going_on()](bool) { go_on(); });
    }
  }

  void OnWriteDone(bool ok) override {
    const auto keep = shared_from_this();
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      gone_ = gone_ || !ok;
    }
    pump();
  }

  void OnCancel() override {
    const auto keep = shared_from_this();
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
    }
    if (call_) call_->close();
    end(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    const auto self = std::exchange(self_, nullptr);
    breath_.Cancel();
  }

 private:
  void bind() {
    if (const Result<> client = control::check_text(message_.bind().client(), "bind.client"); !client)
      return refuse(to_status(client.error()));
    call_->bind(message_.bind(), [weak = weak_from_this()](Result<Response::Bound> bound) {
      const auto one = weak.lock();
      if (!one) return;
      if (!bound) return one->refuse(to_status(bound.error()));
      {
        const std::lock_guard lock(one->mutex_);
        *one->bound_.emplace().mutable_bound() = *std::move(bound);
      }
      one->pump();
    });
  }

  std::function<void()> going_on() {
    return [weak = weak_from_this()] {
      if (const auto one = weak.lock()) one->read();
    };
  }

  void read() {
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || status_) return;
      ++starting_;
    }
    StartRead(&message_);  // outside the lock: gRPC may call back from inside
    {
      const std::lock_guard lock(mutex_);
      --starting_;
    }
    pump();  // it may have ended meanwhile
  }

  void report(Response::Report report) {
    {
      const std::lock_guard lock(mutex_);
      *report_.emplace().mutable_report() = std::move(report);
    }
    pump();
  }

  /// Control's end, or ours: the first counts.
  void end(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (!status_) status_ = status;
    }
    pump();
  }
  void refuse(const grpc::Status& status) {
    end(status);
    call_->close();
  }

  /// One write in flight; behind the last of them the end. A call that is over must be neither read nor written.
  void pump() {
    const auto keep = shared_from_this();
    bool go_on = false;
    bool over = false;
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || writing_) return;
      if (gone_) bound_.reset(), report_.reset();
      auto& next = bound_ ? bound_ : report_;
      if (next) {
        go_on = next->has_bound();
        out_ = *std::move(next);
        next.reset();
        writing_ = true;
      } else if (status_ && starting_ == 0) {
        finished_ = over = true;
      } else {
        return;
      }
    }
    if (over) return Finish(*status_);
    StartWrite(&out_);
    if (go_on) read();
  }

  [[nodiscard]] grpc::Status may_go_on() {
    const auto now = std::chrono::steady_clock::now();
    if (now - asked_ < kAskEvery) return grpc::Status::OK;
    asked_ = now;
    return door_.enter(*context_, kMethod).status;
  }

  grpc::CallbackServerContext* context_;
  Door& door_;
  std::optional<StreamPlace> place_;
  std::shared_ptr<control::ParamStreams::Call> call_;
  std::chrono::steady_clock::time_point asked_ = std::chrono::steady_clock::now();
  EditRate rate_{kMessagesPerSecond, kMessagesAtOnce};
  grpc::Alarm breath_;
  Request message_;
  Response out_;

  std::mutex mutex_;
  std::optional<Response> bound_;
  std::optional<Response> report_;
  std::optional<grpc::Status> status_;
  int starting_ = 0;  // reads
  bool writing_ = false;
  bool gone_ = false;  // the client
  bool finished_ = false;
  std::shared_ptr<ParamCall> self_;
};

class ParamService final : public v1::ParamService::CallbackService {
 public:
  ParamService(control::Engine& engine, Door& door) : engine_(engine), door_(door) {}

  grpc::ServerBidiReactor<Request, Response>* StreamParams(grpc::CallbackServerContext* context) override {
    auto call = std::make_shared<ParamCall>(context, door_);
    call->start(engine_);
    return call.get();
  }

 private:
  control::Engine& engine_;
  Door& door_;
};

}  // namespace

std::unique_ptr<grpc::Service> make_param_service(control::Engine& engine, Door& door) {
  return std::make_unique<ParamService>(engine, door);
}

}  // namespace continuo::rpc
