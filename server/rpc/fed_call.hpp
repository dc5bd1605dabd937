// THREAD: rpc and control, under its mutex - the reading side of a call whose client sends one message after the other
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "server/base/result.hpp"
#include "server/control/idle_transfers.hpp"
#include "server/rpc/convert.hpp"

namespace continuo::rpc {

/// DEADLINE_EXCEEDED "TRANSFER_IDLE". `what`: "load", "upload"; `happened`: what the client did not do.
[[nodiscard]] Error idle_error(control::IdleTransfers::Clock::duration limit, std::string_view what,
                               std::string_view happened);

/// One read at a time, and while it waits it is the client's turn: whoever sends nothing for too long is ended. The
/// first end counts, wherever it comes from; none of them meets a read that is being started, for a call that is over
/// must not be read. It owns itself from own() until gRPC has let go of it.
template <class Message>
class FedCall : public grpc::ServerReadReactor<Message>, public std::enable_shared_from_this<FedCall<Message>> {
 public:
  void OnDone() override { const std::shared_ptr<FedCall> self = std::exchange(self_, nullptr); }

 protected:
  void own() { self_ = this->shared_from_this(); }

  /// `what` and `happened` are idle_error()'s, and outlive the call.
  void watch_idle(control::IdleTransfers& idle, std::string_view what, std::string_view happened) {
    turn_ = idle.add([weak = this->weak_from_this(), limit = idle.limit(), what, happened] {
      if (const auto call = weak.lock()) call->end_or_wait({idle_error(limit, what, happened), true});
    });
  }
  /// The next message, into message(). Nothing where the call is over.
  void read() {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      reading_ = starting_ = true;
    }
    turn_->client();
    this->StartRead(&message_);  // outside the lock: gRPC may call back from inside
    std::optional<End> end_now;
    {
      const std::lock_guard lock(mutex_);
      starting_ = false;
      end_now = std::exchange(end_, std::nullopt);
    }
    if (end_now) end_or_wait(*std::move(end_now));
  }
  /// First thing in OnReadDone. False: the call is over.
  [[nodiscard]] bool is_read() {
    turn_->ours();
    const std::lock_guard lock(mutex_);
    reading_ = false;
    return !finished_;
  }
  [[nodiscard]] bool reading() {
    const std::lock_guard lock(mutex_);
    return reading_;
  }
  Message& message() noexcept { return message_; }

  /// By somebody else than the client.
  void end(const Error& error) { end_or_wait({error, false}); }
  /// The first of them calls ended().
  void finish(const Error& error) { finish_once(to_status(error), &error); }
  void finish(const grpc::Status& status) { finish_once(status, nullptr); }
  /// Once, before the client is told. `error`: null where the status was not made of one.
  virtual void ended(const grpc::Status& status, const Error* error) {
    static_cast<void>(status), static_cast<void>(error);
  }

  std::mutex mutex_;  // of `finished_` and what the call adds
  bool finished_ = false;

 private:
  struct End {
    Error error;
    bool idle = false;  // then not where the client came after all
  };
  void finish_once(const grpc::Status& status, const Error* error) {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    ended(status, error);
    this->Finish(status);
  }
  void end_or_wait(End why) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || (why.idle && !reading_)) return;
      if (starting_) {
        end_ = std::move(why);  // whoever starts the read ends it then
        return;
      }
    }
    finish(why.error);
  }

  Message message_;
  std::shared_ptr<control::IdleTransfers::Turn> turn_;
  std::shared_ptr<FedCall> self_;
  bool reading_ = false, starting_ = false;  // under the mutex
  std::optional<End> end_;                   // under the mutex
};

}  // namespace continuo::rpc
