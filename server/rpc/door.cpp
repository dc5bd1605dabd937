#include "server/rpc/door.hpp"

#include <string>

#include "server/rpc/convert.hpp"

namespace continuo::rpc {

Door::Pass Door::enter(const grpc::ServerContextBase& context, std::string_view method) const {
  if (gate_.closed()) return {stopping_status(), {}};
  const Result<Caller> caller = who_(context);
  if (!caller) {
    gate_.refused("somebody", method, caller.error());
    return {to_status(caller.error()), {}};
  }
  if (const Result<> allowed = check_method(*caller, method); !allowed) {
    gate_.refused(caller->name, method, allowed.error());
    return {to_status(allowed.error()), *caller};
  }
  return {grpc::Status::OK, *caller};
}

Result<> Door::check_edit(const Caller& caller, const v1::ApplyRequest& request) const {
  constexpr std::string_view kApply = "continuo.v1.SessionService.Apply";
  if (Result<> allowed = check_operations(caller, request); !allowed) {
    gate_.refused(caller.name, kApply, allowed.error());
    return allowed;
  }
  if (gate_.try_edit(caller.name, request.operations_size())) return {};
  Error error = make_error(ErrorKind::resource_exhausted, "EDIT_RATE", "operations",
                           caller.name + " has sent more than " + std::to_string(gate_.operations_per_second()) +
                               " operations in a second (server.operations_per_second): try again");
  gate_.refused(caller.name, kApply, error);
  return error;
}

grpc::Status stopping_status() {
  return to_status(make_error(ErrorKind::unavailable, "STOPPING", "", "the daemon is stopping"));
}

grpc::Status no_stream_status(Gate::Lasts lasts) {
  const bool all = lasts == Gate::Lasts::until_it_is_told;
  return no_room_status("streams of one user", Gate::kMaxStreamsOfCaller - (all ? 0 : Gate::kKeptForShort));
}

grpc::Status no_room_status(std::string_view what, int bound) {
  return to_status(make_error(ErrorKind::resource_exhausted, "TOO_MANY_STREAMS", "",
                              "the daemon serves " + std::to_string(bound) + " " + std::string(what) +
                                  " at once, and all are taken: try again"));
}

}  // namespace continuo::rpc
