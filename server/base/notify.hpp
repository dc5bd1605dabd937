// THREAD: any - tells the supervisor how far we are
#pragma once

#include <string>

namespace continuo {

/// "READY=1", "STOPPING=1": systemd's protocol, one datagram to $NOTIFY_SOCKET. Without one: nothing.
void notify_supervisor(const std::string& state) noexcept;

}  // namespace continuo
