// THREAD: rpc makes, control answers - one answer to one call, exactly once
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "server/base/check.hpp"
#include "server/base/result.hpp"
#include "server/control/engine.hpp"
#include "server/rpc/convert.hpp"
#include "server/rpc/door.hpp"

namespace continuo::rpc {

/// An engine that ends drops the calls it did not come to: the answer is then UNAVAILABLE, for a call that is never
/// finished would hold up the server's own end. A call that its client cancelled is finished all the same; gRPC drops
/// the answer.
template <class Reactor, class Response>
class Reply {
 public:
  Reply(Reactor* reactor, Response* response) : reactor_(reactor), response_(response) {}
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply() {
    if (reactor_ != nullptr) reactor_->Finish(stopping_status());
  }

  void send(Result<Response> result) {
    CONTINUO_CHECK(reactor_ != nullptr, "a call is answered once");
    Reactor* const reactor = std::exchange(reactor_, nullptr);
    if (!result) return reactor->Finish(to_status(result.error()));
    *response_ = *std::move(result);
    reactor->Finish(grpc::Status::OK);
  }

 private:
  Reactor* reactor_;
  Response* response_;
};

/// What to hand to the engine: answers the call when it is called, or when the engine lets go of it.
template <class Reactor, class Response>
[[nodiscard]] control::Done<Response> reply_to(Reactor* reactor, Response* response) {
  auto reply = std::make_shared<Reply<Reactor, Response>>(reactor, response);
  return [reply](Result<Response> result) { reply->send(std::move(result)); };
}

}  // namespace continuo::rpc
