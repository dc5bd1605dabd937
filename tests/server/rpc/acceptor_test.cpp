#include "server/rpc/acceptor.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <future>

#include "server/base/descriptor.hpp"
#include "tests/server/base/temp_folder.hpp"

namespace continuo::rpc {
namespace {

sockaddr_un name_of(const std::filesystem::path& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.native().size());
  return name;
}

TEST_CASE("whoever connects is the user that the kernel says, with all of its groups") {
  const TempFolder folder;
  const sockaddr_un name = name_of(folder.path() / "s");
  const Descriptor listening(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  REQUIRE(bind(listening.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  REQUIRE(listen(listening.get(), 8) == 0);

  std::promise<Peer> arrived;
  const Acceptor door({listening.get()}, [&](int connection, int socket) {
    CHECK(socket == listening.get());
    arrived.set_value(peer_of(connection).value());
    close(connection);
  });
  const Descriptor client(socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(connect(client.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  const Peer peer = arrived.get_future().get();
  CHECK(peer.uid == geteuid());
  CHECK(peer.gid == getegid());
  CHECK(peer.groups.size() == static_cast<std::size_t>(getgroups(0, nullptr)));
}

TEST_CASE("a door that nobody came to ends at once") {
  const TempFolder folder;
  const sockaddr_un name = name_of(folder.path() / "s");
  const Descriptor listening(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
  REQUIRE(bind(listening.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  REQUIRE(listen(listening.get(), 8) == 0);
  bool came = false;
  {
    const Acceptor door({listening.get()}, [&](int, int) { came = true; });
  }
  CHECK_FALSE(came);
}

}  // namespace
}  // namespace continuo::rpc
