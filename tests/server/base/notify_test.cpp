#include "server/base/notify.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/server/base/temp_folder.hpp"

namespace continuo {
namespace {

TEST_CASE("the supervisor is told by a datagram, and its absence harms nobody") {
  const TempFolder folder;
  const std::string path = (folder.path() / "notify").string();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  REQUIRE(bind(receiver, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  notify_supervisor("READY=1");
  std::array<char, 64> text{};
  CHECK(recv(receiver, text.data(), text.size(), 0) == 7);
  CHECK(std::string(text.data()) == "READY=1");
  close(receiver);
  notify_supervisor("READY=1");

  const std::string too_long = "/" + std::string(200, 'x');
  for (const char* name : {"", "relative", "/", too_long.c_str()}) {
    setenv("NOTIFY_SOCKET", name, 1);
    notify_supervisor("READY=1");
  }
  unsetenv("NOTIFY_SOCKET");
  notify_supervisor("READY=1");
}

}  // namespace
}  // namespace continuo
