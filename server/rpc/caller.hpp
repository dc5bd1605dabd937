// THREAD: any - who calls: as the connection or a token proves it, never as a message says
#pragma once

#include <string>

#include "continuo/v1/options.pb.h"

namespace continuo::rpc {

struct Caller {
  std::string name;  // "user anna", "certificate desk", "token foh": in the audit log, and the origin of changes
  v1::Role role = v1::ROLE_UNSPECIFIED;  // may do nothing
  std::string remedy;                    // without a role: what would give one
  bool stranger = false;                 // no rule names it
};

}  // namespace continuo::rpc
