// THREAD: any - who is who, and has which role: the configuration's rules as values
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"
#include "server/rpc/caller.hpp"
#include "server/rpc/tokens.hpp"

namespace continuo::rpc {

/// Roles by name; "none" shuts out.
struct AccessRules {
  std::string role = "admin";  // of the daemon's own user, of root, and of the socket's group
  std::map<std::string, std::string> users = {};
  std::map<std::string, std::string> groups = {};
  std::map<std::string, std::string> certificates = {};
  std::string loopback = "none";
  std::filesystem::path token_file = {};
};

/// Who holds the other end of a Unix socket, as the kernel says (SO_PEERCRED, SO_PEERGROUPS).
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name;  // of the user; its number where this machine has no name for it
  friend auto operator<=>(const Peer&, const Peer&) = default;
};

class Access {
 public:
  /// `socket_group`: whoever is in it has `rules.role`.
  Access(AccessRules rules, gid_t socket_group);

  /// The user's own line; else the highest of its groups'; else the socket's role; else none.
  [[nodiscard]] Caller user(const Peer& peer) const;
  [[nodiscard]] bool has_tokens() const noexcept { return tokens_ != nullptr; }
  /// `uris`: of its subject's alternative names; "urn:continuo:role:operator" carries a role, which the rules' line for
  /// `common_name` replaces.
  [[nodiscard]] Caller certificate(std::string_view common_name, const std::vector<std::string>& uris) const;
  [[nodiscard]] Caller loopback() const;
  /// UNAUTHENTICATED where it is none of ours.
  [[nodiscard]] Result<Caller> token(std::string_view secret) const;

 private:
  AccessRules rules_;
  gid_t socket_group_;
  std::map<gid_t, v1::Role> group_roles_;
  std::unique_ptr<Tokens> tokens_;
};

[[nodiscard]] std::string name_of_user(uid_t uid);
/// Of this machine; none where it has no such group.
[[nodiscard]] std::optional<gid_t> group_by_name(const std::string& name);

/// "viewer", "operator", "engineer", "admin"; anything else: ROLE_UNSPECIFIED, which may do nothing.
[[nodiscard]] v1::Role role_of(std::string_view name) noexcept;

}  // namespace continuo::rpc
