#include "server/rpc/door.hpp"

#include <string>

#include "server/rpc/convert.hpp"

namespace continuo::rpc {

grpc::Status Door::enter(std::string_view method) const {
  if (closed_.load(std::memory_order_relaxed)) return stopping_status();
  if (const Result<> allowed = authority_.check_method(method); !allowed) return to_status(allowed.error());
  return grpc::Status::OK;
}

grpc::Status stopping_status() {
  return to_status(make_error(ErrorKind::unavailable, "STOPPING", "", "the daemon is stopping"));
}

grpc::Status no_room_status(std::string_view what, int bound) {
  return to_status(make_error(ErrorKind::resource_exhausted, "TOO_MANY_STREAMS", "",
                              "the daemon serves " + std::to_string(bound) + " " + std::string(what) +
                                  " at once, and all are taken: try again"));
}

}  // namespace continuo::rpc
