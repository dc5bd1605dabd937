#include "server/rpc/listener.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <iterator>

#include "tests/server/base/temp_folder.hpp"

namespace continuo::rpc {
namespace {

/// What a killed daemon leaves behind.
void leave_socket(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.native().size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
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
    CHECK_FALSE(std::filesystem::exists(address.socket));
    int workshops = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "run")) {
      if (!entry.is_directory()) continue;
      ++workshops;
      struct stat workshop{};
      REQUIRE(stat(entry.path().c_str(), &workshop) == 0);
      CHECK((workshop.st_mode & 0777u) == 0700u);
    }
    CHECK(workshops == 1);
    REQUIRE(listener->open_socket(getegid()));
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
  leave_socket(address.socket);
  {
    Result<Listener> listener = Listener::claim(address);
    REQUIRE(listener);
    CHECK(listener->open_socket(getegid()));
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
  REQUIRE(Listener::claim(address));
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a socket that cannot be bound in its folder says so, and nothing is left") {
  const TempFolder folder;
  const Address address{folder.path() / "c.sock", "", 0};
  {
    Result<Listener> listener = Listener::claim(address);
    REQUIRE(listener);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      if (entry.is_directory()) std::filesystem::remove(entry.path());
    }
    CHECK_FALSE(listener->open_socket(getegid()));
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
