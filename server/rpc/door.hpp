// THREAD: rpc - what every handler passes first: who calls, may this caller, and is there room
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "server/rpc/auth.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/gate.hpp"

namespace continuo::rpc {

/// gRPC's interceptors cannot reject a call, so each handler asks here; a test calls every method of every service to
/// see that none forgot.
class Door {
 public:
  /// Who made this call; an error where what it shows proves nothing.
  using Who = std::function<Result<Caller>(const grpc::ServerContextBase&)>;

  /// The gate must outlive the door.
  Door(Gate& gate, Who who) : gate_(gate), who_(std::move(who)) {}

  struct Pass {
    grpc::Status status;  // not OK: finish the call with it
    Caller caller;
  };
  [[nodiscard]] Pass enter(const grpc::ServerContextBase& context, std::string_view method) const;
  /// The roles of its operations, and their number; `caller` may call Apply.
  [[nodiscard]] Result<> check_edit(const Caller& caller, const v1::ApplyRequest& request) const;

  [[nodiscard]] Gate& gate() const noexcept { return gate_; }

 private:
  Gate& gate_;
  Who who_;
};

[[nodiscard]] grpc::Status stopping_status();
[[nodiscard]] grpc::Status no_stream_status(Gate::Lasts lasts);
[[nodiscard]] grpc::Status no_room_status(std::string_view what, int bound);

}  // namespace continuo::rpc
