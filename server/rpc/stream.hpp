// THREAD: rpc and control, under its mutex - one stream to one client: one write in flight, the next when it is done
#pragma once

#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "server/control/feed.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/door.hpp"

namespace continuo::rpc {

/// Where a stream's messages come from. Called by the stream, one call at a time.
template <class Message>
class StreamSource {
 public:
  virtual ~StreamSource() = default;
  /// A message, or the stream's end, or neither: then `wake` is called once when that changes.
  struct Next {
    std::shared_ptr<const Message> message;
    std::optional<grpc::Status> end;
  };
  [[nodiscard]] virtual Next next(std::function<void()> wake) = 0;
};

/// Nothing is read ahead: a client that does not read leaves its messages in the source, which is bounded and knows its
/// loser. It owns itself from make() until gRPC has let go of it, so that a late wake finds it or finds nothing.
template <class Message>
class Stream final : public grpc::ServerWriteReactor<Message>, public std::enable_shared_from_this<Stream<Message>> {
 public:
  /// `still`: whether this client may go on; asked before messages, a second apart.
  [[nodiscard]] static std::shared_ptr<Stream> make(std::optional<StreamPlace> place,
                                                    std::function<grpc::Status()> still = {}) {
    std::shared_ptr<Stream> stream(new Stream(std::move(place), std::move(still)));
    const std::lock_guard lock(stream->mutex_);
    stream->self_ = stream;
    return stream;
  }

  /// One of the two, once.
  void begin(std::unique_ptr<StreamSource<Message>> source) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;  // the client was quicker
      source_ = std::move(source);
    }
    pump();
  }
  void refuse(const grpc::Status& status) { finish(status); }

  /// The client does not take the message that waits for it: no status would reach it behind that, so the call is
  /// cancelled. Nothing where no message waits.
  void give_up(grpc::CallbackServerContext* context) {
    std::shared_ptr<Stream> keep;
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || !writing_ || giving_up_) return;
      giving_up_ = true;  // nobody finishes it meanwhile: the context stays
      keep = self_;
    }
    context->TryCancel();
    {
      const std::lock_guard lock(mutex_);
      giving_up_ = false;
      cancelled_ = true;
      if (writing_) return;  // its OnWriteDone follows
    }
    finish(grpc::Status::CANCELLED);
  }

  void OnWriteDone(bool ok) override {
    std::shared_ptr<Stream> keep;  // OnDone may come while this still runs
    {
      const std::lock_guard lock(mutex_);
      keep = self_;
      writing_ = false;
      in_flight_.reset();
      cancelled_ = cancelled_ || !ok;
      if (giving_up_) return;  // which ends the stream
    }
    if (is_cancelled()) return finish(grpc::Status::CANCELLED);
    pump();
  }
  void OnCancel() override {
    std::shared_ptr<Stream> keep;
    {
      const std::lock_guard lock(mutex_);
      keep = self_;
      cancelled_ = true;
      if (writing_ || giving_up_) return;  // its OnWriteDone follows, and ends the stream
    }
    finish(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    std::shared_ptr<Stream> self;
    std::unique_ptr<StreamSource<Message>> source;  // its end is the subscription's end; outside the lock
    {
      const std::lock_guard lock(mutex_);
      source = std::move(source_);
      self = std::move(self_);
    }
  }

 private:
  Stream(std::optional<StreamPlace> place, std::function<grpc::Status()> still)
      : place_(std::move(place)), still_(std::move(still)) {}

  /// Under the lock. A role may be taken away while a client watches.
  [[nodiscard]] grpc::Status may_go_on() {
    const auto now = std::chrono::steady_clock::now();
    if (!still_ || now - asked_ < kAskEvery) return grpc::Status::OK;
    asked_ = now;
    return still_();
  }

  [[nodiscard]] bool is_cancelled() {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  void pump() {
    std::shared_ptr<Stream> keep;
    typename StreamSource<Message>::Next next;
    {
      const std::lock_guard lock(mutex_);
      if (finished_ || writing_ || cancelled_ || source_ == nullptr) return;
      keep = self_;
      if (grpc::Status may = may_go_on(); !may.ok())
        next.end = std::move(may);
      else
        next = source_->next([weak = this->weak_from_this()] {
          if (const auto stream = weak.lock()) stream->pump();
        });
      if (next.message) {
        writing_ = true;
        in_flight_ = next.message;
      }
    }
    // Outside the lock: gRPC may call back from inside. `writing_` and `finished_` keep everybody else away.
    if (next.message)
      this->StartWrite(next.message.get());
    else if (next.end)
      finish(*next.end);
  }

  void finish(const grpc::Status& status) {
    std::shared_ptr<Stream> keep;
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      finished_ = true;
      keep = self_;
    }
    this->Finish(status);
  }

  std::mutex mutex_;
  std::shared_ptr<Stream> self_;
  std::unique_ptr<StreamSource<Message>> source_;
  std::shared_ptr<const Message> in_flight_;
  bool writing_ = false;
  bool cancelled_ = false;
  bool giving_up_ = false;
  bool finished_ = false;
  std::optional<StreamPlace> place_;
  static constexpr std::chrono::seconds kAskEvery{1};
  const std::function<grpc::Status()> still_;
  std::chrono::steady_clock::time_point asked_ = std::chrono::steady_clock::now();
};

/// A subscription of the engine's. Its end is the engine's end.
template <class Message>
class FeedSource final : public StreamSource<Message> {
 public:
  explicit FeedSource(std::shared_ptr<control::Feed<Message>> feed) : feed_(std::move(feed)) {}

  typename StreamSource<Message>::Next next(std::function<void()> wake) override {
    const bool closed = feed_->closed();  // asked first: what was pushed before the close is still sent
    auto message = feed_->next(std::move(wake));
    if (message == nullptr && closed) return {nullptr, stopping_status()};
    return {std::move(message), std::nullopt};
  }

 private:
  std::shared_ptr<control::Feed<Message>> feed_;
};

/// What to hand to whoever finds what a stream is to tell: begins it with the source that `make` makes of it, or ends
/// it where that is refused or let go of.
template <class Found, class Message, class Make>
[[nodiscard]] std::function<void(Result<Found>)> begin_with(std::shared_ptr<Stream<Message>> stream, Make make) {
  struct Opening {
    std::shared_ptr<Stream<Message>> stream;
    explicit Opening(std::shared_ptr<Stream<Message>> s) : stream(std::move(s)) {}
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    ~Opening() {
      if (stream) stream->refuse(stopping_status());
    }
  };
  auto opening = std::make_shared<Opening>(std::move(stream));
  return [opening, make = std::move(make)](Result<Found> found) {
    const auto begun = std::exchange(opening->stream, nullptr);
    if (!found) return begun->refuse(to_status(found.error()));
    begun->begin(make(*std::move(found)));
  };
}

/// Of the engine's watch calls.
template <class Message>
[[nodiscard]] std::function<void(Result<std::shared_ptr<control::Feed<Message>>>)> begin_with_feed(
    std::shared_ptr<Stream<Message>> stream) {
  using Found = std::shared_ptr<control::Feed<Message>>;
  return begin_with<Found>(std::move(stream),
                           [](Found feed) { return std::make_unique<FeedSource<Message>>(std::move(feed)); });
}

}  // namespace continuo::rpc
