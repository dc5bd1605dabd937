#include "server/rpc/listener.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <iterator>

#include "tests/server/base/temp_folder.hpp"

namespace continuo::rpc {
namespace {

/// Does what gRPC does with "unix:/path".
void bind_to(const std::string& text) {
  const std::string path = text.substr(5);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(descriptor >= 0);
  REQUIRE(bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(descriptor);
}

long entries(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

TEST_CASE("a socket appears under its name with mode 0660, and goes with its owner") {
  const TempFolder folder;
  const Address address{folder.path() / "run" / "c.sock", "", 0};
  {
    Result<Listener> listener = Listener::claim(address);
    REQUIRE(listener);
    CHECK(listener->public_text() == "unix:" + address.socket.string());
    bind_to(listener->bind_text());
    CHECK_FALSE(std::filesystem::exists(address.socket));
    struct stat workshop{};
    REQUIRE(stat(std::filesystem::path(listener->bind_text().substr(5)).parent_path().c_str(), &workshop) == 0);
    CHECK((workshop.st_mode & 0777u) == 0700u);
    REQUIRE(listener->publish(1));
    struct stat status{};
    REQUIRE(stat(address.socket.c_str(), &status) == 0);
    CHECK(S_ISSOCK(status.st_mode));
    CHECK((status.st_mode & 0777u) == 0660u);
    CHECK(entries(folder.path() / "run") == 2);  // socket and lock

    const Result<Listener> second = Listener::claim(address);
    REQUIRE_FALSE(second);
    CHECK(second.error().kind == ErrorKind::already_exists);
    CHECK(std::filesystem::exists(address.socket));
  }
  CHECK_FALSE(std::filesystem::exists(address.socket));
  CHECK(entries(folder.path() / "run") == 1);
  CHECK(Listener::claim(address));
}

TEST_CASE("a socket that a killed daemon left is replaced, and another file is not") {
  const TempFolder folder;
  const Address address{folder.path() / "c.sock", "", 0};
  bind_to("unix:" + address.socket.string());
  {
    Result<Listener> listener = Listener::claim(address);
    REQUIRE(listener);
    bind_to(listener->bind_text());
    CHECK(listener->publish(1));
  }
  folder.write("c.sock", "precious");
  const Result<Listener> listener = Listener::claim(address);
  REQUIRE_FALSE(listener);
  CHECK(listener.error().kind == ErrorKind::configuration);
  CHECK(std::filesystem::file_size(address.socket) == 8);
}

TEST_CASE("a listener that was never published leaves nothing but its lock") {
  const TempFolder folder;
  const Address address{folder.path() / "c.sock", "", 0};
  {
    Result<Listener> listener = Listener::claim(address);
    REQUIRE(listener);
    bind_to(listener->bind_text());
    CHECK_FALSE([&] {
      unlink(listener->bind_text().substr(5).c_str());
      return static_cast<bool>(listener->publish(1));
    }());
  }
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a folder that cannot be made is a configuration error") {
  const TempFolder folder;
  folder.write("file", "");
  const Result<Listener> listener = Listener::claim({folder.path() / "file" / "c.sock", "", 0});
  REQUIRE_FALSE(listener);
  CHECK(listener.error().kind == ErrorKind::configuration);
}

}  // namespace
}  // namespace continuo::rpc
