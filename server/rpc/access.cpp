#include "server/rpc/access.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "server/base/log.hpp"

namespace continuo::rpc {
namespace {

constexpr std::string_view kRoleUri = "urn:continuo:role:";

bool is_in(const Peer& peer, gid_t group) {
  return peer.gid == group || std::ranges::find(peer.groups, group) != peer.groups.end();
}

}  // namespace

std::optional<gid_t> group_by_name(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::vector<char> text(1u << 16);  // the members' names are in it
  if (getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found) == 0 && found != nullptr) return found->gr_gid;
  return std::nullopt;
}

std::string name_of_user(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (getpwuid_r(uid, &entry, text.data(), text.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(uid);
}

v1::Role role_of(std::string_view name) noexcept {
  if (name == "viewer") return v1::ROLE_VIEWER;
  if (name == "operator") return v1::ROLE_OPERATOR;
  if (name == "engineer") return v1::ROLE_ENGINEER;
  if (name == "admin") return v1::ROLE_ADMIN;
  return v1::ROLE_UNSPECIFIED;
}

Access::Access(AccessRules rules, gid_t socket_group) : rules_(std::move(rules)), socket_group_(socket_group) {
  for (const auto& [name, role] : rules_.groups) {
    if (const auto id = group_by_name(name))
      group_roles_[*id] = role_of(role);
    else
      log::warning("access.groups: this machine has no group \"{}\"", name);
  }
  if (!rules_.token_file.empty()) tokens_ = std::make_unique<Tokens>(rules_.token_file);
}

Caller Access::user(const Peer& peer) const {
  Caller caller{"user " + peer.name, v1::ROLE_UNSPECIFIED, "", false};
  if (const auto own = rules_.users.find(peer.name); own != rules_.users.end()) {
    caller.role = role_of(own->second);
    caller.remedy = "access.users gives \"" + peer.name + "\" the role none";
    return caller;
  }
  bool named = false;
  for (const auto& [group, role] : group_roles_) {
    if (!is_in(peer, group)) continue;
    named = true;
    caller.role = std::max(caller.role, role);
  }
  if (!named && (peer.uid == 0 || peer.uid == geteuid() || is_in(peer, socket_group_)))
    caller.role = role_of(rules_.role);
  caller.stranger = !named && caller.role == v1::ROLE_UNSPECIFIED && peer.uid != 0 && peer.uid != geteuid() &&
                    !is_in(peer, socket_group_);
  if (caller.role == v1::ROLE_UNSPECIFIED)
    caller.remedy = "no line of access.users or access.groups names user \"" + peer.name + "\" or one of its groups";
  return caller;
}

Caller Access::certificate(std::string_view common_name, const std::vector<std::string>& uris) const {
  Caller caller{"certificate " + std::string(common_name), v1::ROLE_UNSPECIFIED, "", false};
  if (const auto own = rules_.certificates.find(std::string(common_name)); own != rules_.certificates.end()) {
    caller.role = role_of(own->second);
    caller.remedy = "access.certificates gives it the role none";
    return caller;
  }
  for (const std::string& uri : uris) {
    if (uri.starts_with(kRoleUri)) caller.role = std::max(caller.role, role_of(uri.substr(kRoleUri.size())));
  }
  caller.remedy = "it carries no role: name it in access.certificates";
  return caller;
}

Caller Access::loopback() const {
  return {"loopback", role_of(rules_.loopback), "TCP without TLS asks for a token: see access.token_file", false};
}

Result<Caller> Access::token(std::string_view secret) const {
  if (tokens_ == nullptr) {
    return make_error(ErrorKind::unauthenticated, "TOKEN", "authorization",
                      "this daemon knows no tokens: access.token_file is not set");
  }
  return tokens_->find(secret);
}

}  // namespace continuo::rpc
