#include "server/rpc/fed_call.hpp"

#include <chrono>
#include <string>

namespace continuo::rpc {

Error idle_error(control::IdleTransfers::Clock::duration limit, std::string_view what, std::string_view happened) {
  return make_error(ErrorKind::deadline_exceeded, "TRANSFER_IDLE", "",
                    "the " + std::string(what) + "'s client has for " +
                        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limit).count()) + " s " +
                        std::string(happened));
}

}  // namespace continuo::rpc
