#include "server/rpc/access.hpp"

#include <doctest/doctest.h>
#include <grp.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "tests/server/base/temp_folder.hpp"

namespace continuo::rpc {
namespace {

constexpr gid_t kSocketGroup = 54321;
constexpr uid_t kStranger = 65533;  // in no list of users

Peer peer(uid_t uid, gid_t gid, std::vector<gid_t> groups) { return {uid, gid, std::move(groups), name_of_user(uid)}; }

TEST_CASE("the daemon's user, root and the socket's group have the socket's role, and nobody else has one") {
  const Access access({.role = "operator"}, kSocketGroup);
  CHECK(access.user(peer(geteuid(), 1, {})).role == v1::ROLE_OPERATOR);
  CHECK(access.user(peer(0, 1, {})).role == v1::ROLE_OPERATOR);
  CHECK(access.user(peer(kStranger, kSocketGroup, {})).role == v1::ROLE_OPERATOR);
  CHECK(access.user(peer(kStranger, 1, {7, kSocketGroup})).role == v1::ROLE_OPERATOR);
  const Caller stranger = access.user(peer(kStranger, 1, {7}));
  CHECK(stranger.role == v1::ROLE_UNSPECIFIED);
  CHECK(stranger.name == "user 65533");
  CHECK(stranger.stranger);
  CHECK_FALSE(access.user(peer(geteuid(), 1, {})).stranger);
  CHECK(stranger.remedy.find("access.users") != std::string::npos);
}

TEST_CASE("a user's own line goes before its groups, the groups before the socket's role, the highest group first") {
  const std::string me = name_of_user(geteuid());
  // getgrnam's answer lives until the next call.
  const auto id_of = [](const char* name) {
    const group* const entry = getgrnam(name);
    REQUIRE(entry != nullptr);
    return entry->gr_gid;
  };
  const gid_t mail_id = id_of("mail");
  const gid_t audio_id = id_of("audio");
  const std::map<std::string, std::string> groups{{"mail", "viewer"}, {"audio", "engineer"}};
  const Access by_group({.role = "admin", .groups = groups}, kSocketGroup);
  CHECK(by_group.user(peer(kStranger, mail_id, {})).role == v1::ROLE_VIEWER);
  CHECK(by_group.user(peer(kStranger, mail_id, {audio_id})).role == v1::ROLE_ENGINEER);
  CHECK(by_group.user(peer(geteuid(), 1, {mail_id})).role == v1::ROLE_VIEWER);
  const Access by_user({.role = "admin", .users = {{me, "operator"}}, .groups = groups}, kSocketGroup);
  CHECK(by_user.user(peer(geteuid(), 1, {audio_id})).role == v1::ROLE_OPERATOR);
  const Access shut({.users = {{me, "none"}}}, kSocketGroup);
  CHECK(shut.user(peer(geteuid(), kSocketGroup, {})).role == v1::ROLE_UNSPECIFIED);
  const Access group_shut({.groups = {{"mail", "none"}}}, kSocketGroup);
  CHECK(group_shut.user(peer(geteuid(), 1, {mail_id})).role == v1::ROLE_UNSPECIFIED);
}

TEST_CASE("a certificate has the role that it carries, unless a line says otherwise") {
  const Access access({.certificates = {{"lost", "none"}, {"desk", "admin"}}}, kSocketGroup);
  CHECK(access.certificate("rack", {"urn:continuo:role:engineer"}).role == v1::ROLE_ENGINEER);
  CHECK(access.certificate("rack", {"urn:continuo:role:engineer"}).name == "certificate rack");
  CHECK(access.certificate("rack", {}).role == v1::ROLE_UNSPECIFIED);
  CHECK(access.certificate("rack", {"urn:continuo:role:king", "http://x"}).role == v1::ROLE_UNSPECIFIED);
  CHECK(access.certificate("lost", {"urn:continuo:role:admin"}).role == v1::ROLE_UNSPECIFIED);
  CHECK(access.certificate("desk", {"urn:continuo:role:viewer"}).role == v1::ROLE_ADMIN);
}

TEST_CASE("loopback without TLS is nobody's unless it is opened") {
  CHECK(Access({}, kSocketGroup).loopback().role == v1::ROLE_UNSPECIFIED);
  CHECK(Access({.loopback = "viewer"}, kSocketGroup).loopback().role == v1::ROLE_VIEWER);
}

TEST_CASE("tokens are known by their hash, and broken lines let nobody in") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
  const TempFolder folder;
  const auto file = folder.write("tokens", "# the studio's\nfoh operator " + sha256_hex("s3cret") + "  # till May\n\n" +
                                               "king king " + sha256_hex("king") + "\nshort viewer abcd\nmore viewer " +
                                               sha256_hex("more") + " x\n");
  const Access access({.token_file = file}, kSocketGroup);
  const Result<Caller> foh = access.token("s3cret");
  REQUIRE(foh);
  CHECK(foh->name == "token foh");
  CHECK(foh->role == v1::ROLE_OPERATOR);
  for (const char* wrong : {"", "s3cre", "s3cret ", "king", "more", "abcd"}) {
    CAPTURE(wrong);
    const Result<Caller> nobody = access.token(wrong);
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().kind == ErrorKind::unauthenticated);
  }
  CHECK_FALSE(Access({}, kSocketGroup).token("s3cret"));
  CHECK_FALSE(Access({.token_file = folder.path() / "none"}, kSocketGroup).token("s3cret"));
}

}  // namespace
}  // namespace continuo::rpc
