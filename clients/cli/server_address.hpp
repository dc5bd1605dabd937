// THREAD: any - which daemon to speak to
#pragma once

#include <string>
#include <vector>

namespace continuo::cli {

/// What the choice depends on: so that a test can say it.
struct AddressSources {
  std::string flag;         // --server
  std::string environment;  // $CONTINUO_SERVER
  std::string runtime_dir;  // $XDG_RUNTIME_DIR
  unsigned uid = 0;
};
[[nodiscard]] AddressSources address_sources(std::string flag);

/// As gRPC names it: "unix:/path" or "host:port". The flag, else the environment, else the first socket that is there:
/// the user's, then the system's. EX_UNAVAILABLE where there is none; EX_USAGE for what is no address.
[[nodiscard]] std::string find_server(const AddressSources& sources);

/// Where a daemon of the user or of the system listens, in the order of the search.
[[nodiscard]] std::vector<std::string> default_sockets(const AddressSources& sources);

}  // namespace continuo::cli
