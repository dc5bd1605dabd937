// continuod from outside: it starts, answers, refuses a second one of its kind, and ends in time.
#include "tests/integration/daemon.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "continuo/v1/session.grpc.pb.h"
#include "continuo/v1/system.grpc.pb.h"

namespace continuo {
namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

TEST_CASE("it says when it is ready, where, and on what device") {
  const Daemon daemon;
  CHECK(contains(daemon.ready, "ready on " + daemon.address));
  CHECK(contains(daemon.ready, "clock device: as asked for"));
  struct stat status{};
  REQUIRE(stat(daemon.address.substr(5).c_str(), &status) == 0);
  CHECK((status.st_mode & 0777u) == 0660u);

  auto system = v1::SystemService::NewStub(daemon.channel());
  v1::GetInfoResponse info;
  REQUIRE(system->GetInfo(Call(), {}, &info).ok());
  CHECK(info.version() == CONTINUO_VERSION);
  CHECK(info.api_level() == 1);
  CHECK(info.epoch() > 0);
  bool home = false;
  for (const auto& root : info.media_roots()) home = home || root.name() == "home";
  CHECK_FALSE(home);

  v1::GetStatusResponse state;
  REQUIRE(system->GetStatus(Call(), {}, &state).ok());
  CHECK(state.device().host_api() == "clock");
  CHECK(state.counters().callbacks() > 0);
  v1::Clock first;
  REQUIRE(system->GetClock(Call(), {}, &first).ok());
  CHECK(first.engine_rate_hz() > 0);
}

TEST_CASE("SIGTERM and SIGINT end it with 0 in time, whatever its clients do, and nothing but the lock stays") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Daemon daemon;
    auto sessions = v1::SessionService::NewStub(daemon.channel());
    Call call;
    auto watch = sessions->Watch(&call, {});
    v1::WatchResponse got;
    REQUIRE(watch->Read(&got));
    const auto begin = std::chrono::steady_clock::now();
    daemon.child.signal(signal);
    while (watch->Read(&got)) {
    }
    CHECK(watch->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
    CHECK(daemon.child.wait() == 0);
    // The promise is 5 s; the device here is alive, so this is a bound and not a measure.
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    CHECK_FALSE(std::filesystem::exists(daemon.address.substr(5)));
    CHECK_FALSE(contains(text_of(daemon.folder.path() / "log"), "not all would end"));
  }
}

TEST_CASE("SIGHUP opens the log anew, for whoever moves logs away") {
  const TempFolder logs;
  const auto log = logs.path() / "continuod.log";
  Daemon daemon({"--log-file", log.string()});
  std::filesystem::rename(log, logs.path() / "old");
  daemon.child.signal(SIGHUP);
  daemon.child.signal(SIGTERM);  // the lower number is delivered first
  CHECK(daemon.child.wait() == 0);
  CHECK(contains(text_of(log), " stops"));
  CHECK_FALSE(contains(text_of(logs.path() / "old"), " stops"));
}

TEST_CASE("a second daemon is refused on the same socket, and on the same state") {
  Daemon daemon;
  {
    Child second(daemon.words({"--state-folder", (daemon.folder.path() / "other").string()}));
    CHECK(second.wait() == 73);
  }
  {
    const std::string log = (daemon.folder.path() / "second.log").string();
    Child second(daemon.words({"--listen", "unix:" + (daemon.folder.path() / "other.sock").string()}), log);
    CHECK(second.wait() == 73);
    CHECK(contains(text_of(log), "process " + std::to_string(daemon.child.pid())));
  }
  // The first one has not noticed.
  v1::GetInfoResponse info;
  CHECK(v1::SystemService::NewStub(daemon.channel())->GetInfo(Call(), {}, &info).ok());
}

TEST_CASE("what a killed daemon left behind does not keep the next from starting") {
  Daemon daemon;
  daemon.child.signal(SIGKILL);
  CHECK(daemon.child.wait() == -SIGKILL);
  CHECK(std::filesystem::exists(daemon.address.substr(5)));
  Child next(daemon.words({}));
  CHECK(contains(next.read_line(), "ready on"));
  v1::GetInfoResponse info;
  CHECK(v1::SystemService::NewStub(daemon.channel())->GetInfo(Call(), {}, &info).ok());
}

TEST_CASE("TCP on loopback serves beside the socket, and a port that is taken is refused") {
  Daemon daemon({"--listen", "127.0.0.1:0", "--loopback-role", "viewer"});
  const std::size_t at = daemon.ready.find("127.0.0.1:");
  REQUIRE(at != std::string::npos);
  const std::string tcp = daemon.ready.substr(at, daemon.ready.find(';') - at);
  v1::GetInfoResponse info;
  auto channel = grpc::CreateChannel(tcp, grpc::InsecureChannelCredentials());
  CHECK(v1::SystemService::NewStub(channel)->GetInfo(Call(), {}, &info).ok());

  const Daemon other;
  const std::string log = (daemon.folder.path() / "second.log").string();
  Child second({CONTINUOD, "--config", daemon.folder.write("e.toml", "").string(), "--device", "clock",
                "--state-folder", (daemon.folder.path() / "other").string(), "--listen", tcp},
               log);
  CHECK(second.wait() == 73);
  CHECK(contains(text_of(log), tcp));
}

TEST_CASE("a wrong configuration is exit code 78 before anything is touched, a wrong flag 64") {
  const TempFolder folder;
  const std::string log = (folder.path() / "log").string();
  const std::string state = (folder.path() / "state").string();
  const std::string file = folder.write("c.toml", "[device]\n\nnmae = \"x\"\n").string();
  Child unknown({CONTINUOD, "--config", file, "--state-folder", state}, log);
  CHECK(unknown.wait() == 78);
  CHECK(contains(text_of(log), file + ":3: unknown key device.nmae; did you mean device.name?"));
  CHECK_FALSE(std::filesystem::exists(state));
  CHECK(Child({CONTINUOD, "--check-config", "--config", file}).wait() == 78);
  CHECK(Child({CONTINUOD, "--listen", "0.0.0.0:4747", "--state-folder", state}).wait() == 78);
  CHECK(Child({CONTINUOD, "--state-folder", log + "/below"}).wait() == 78);
  CHECK(Child({CONTINUOD, "--frobnicate"}).wait() == 64);

  const std::string twice = (folder.path() / "twice.log").string();
  Child one_disk({CONTINUOD, "--device", "clock", "--state-folder", state, "--take-folder", state + "/t",
                  "--second-take-folder", state + "/t/second"},
                 twice);
  CHECK(one_disk.wait() == 78);
  CHECK(contains(text_of(twice), "media.second_take_folder"));

  Child check(
      {CONTINUOD, "--check-config", "--config", folder.write("good.toml", "[device]\nname = \"x\"\n").string()});
  CHECK(contains(check.read_line(), "configuration is good"));
  CHECK(check.wait() == 0);
}

}  // namespace
}  // namespace continuo
