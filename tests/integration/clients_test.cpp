// Clients that die or sleep in the middle of everything: the daemon stays well.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <vector>

#include "tests/integration/client.hpp"

namespace continuo {
namespace {

/// Run by the test below in a process of its own, and killed there.
TEST_CASE("helper: a client in the middle of everything" * doctest::skip()) {
  const char* address = std::getenv("CONTINUO_TEST_ADDRESS");
  REQUIRE(address != nullptr);
  Client client(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  Call watching;
  auto watch = client.sessions->Watch(&watching, {});
  v1::WatchResponse seen;
  REQUIRE(watch->Read(&seen));
  Call metering;
  auto meters = client.meters->WatchMeters(&metering, {});
  v1::MeterFrame frame;
  REQUIRE(meters->Read(&frame));
  Call loading;
  v1::LoadSessionResponse response;
  auto upload = client.sessions->LoadSession(&loading, &response);
  v1::LoadSessionRequest chunk;
  chunk.set_json(R"({"format": 1, "nodes": [{"id": "half", "type": "track"}]})");  // whole, but the stream is not
  REQUIRE(upload->Write(chunk));
  Call beeping;
  v1::IdentifyRequest identify;
  identify.set_channel(1);
  identify.set_seconds(60);
  v1::IdentifyResponse identified;
  grpc::CompletionQueue queue;
  auto call = client.devices->AsyncIdentify(&beeping, identify, &queue);
  grpc::Status status;
  call->Finish(&identified, &status, nullptr);
  std::puts("in the middle");
  std::fflush(stdout);
  for (;;) pause();
}

TEST_CASE("clients that are killed in the middle of everything leave the daemon well, and nothing of theirs behind") {
  const Daemon daemon;
  Client client(daemon.channel());
  REQUIRE(client.apply(add_track("vox")).first.ok());
  const std::string before = client.session();
  setenv("CONTINUO_TEST_ADDRESS", daemon.address.c_str(), 1);
  for (int i = 0; i < 5; ++i) {
    Child killed({"/proc/self/exe", "--no-skip", "--test-case=helper: a client in the middle of everything"});
    std::string line;
    do {
      line = killed.read_line();
      REQUIRE_FALSE(line.empty());
    } while (line != "in the middle");
    killed.signal(SIGKILL);
    CHECK(killed.wait() == -SIGKILL);
    CHECK(client.session() == before);
  }
  // Nobody is left who beeps: one channel at a time may, and this is free again.
  v1::IdentifyRequest identify;
  identify.set_channel(2);
  identify.set_seconds(0.1);
  v1::IdentifyResponse identified;
  const grpc::Status status = client.devices->Identify(Call(), identify, &identified);
  CHECK_MESSAGE(status.ok(), status.error_message());
  CHECK(client.apply(set_gain("vox", -1)).first.ok());
}

/// Reads until it has what the document is by then: by changes, or by a snapshot that says so.
void catch_up(grpc::ClientReader<v1::WatchResponse>& watch, std::uint64_t number) {
  v1::WatchResponse seen;
  std::uint64_t reached = 0;
  while (reached < number) {
    REQUIRE(watch.Read(&seen));
    if (seen.has_change()) reached = seen.change().revision().number();
    if (seen.has_snapshot_end()) reached = seen.snapshot_end().revision().number();
  }
  CHECK(reached == number);
}

TEST_CASE("twenty clients that watch and do not read are cut off from nothing, cost no memory, and hold up nobody") {
  const Daemon daemon;
  Client client(daemon);
  struct Lazy {
    explicit Lazy(const Daemon& of)
        : client(of), watch(client.sessions->Watch(&watching, {})), meters(client.meters->WatchMeters(&metering, {})) {}
    Client client;
    grpc::ClientContext watching, metering;  // for as long as the test takes
    std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> watch;
    std::unique_ptr<grpc::ClientReader<v1::MeterFrame>> meters;
  };
  std::vector<std::unique_ptr<Lazy>> lazy;
  for (int i = 0; i < 20; ++i) lazy.push_back(std::make_unique<Lazy>(daemon));
  REQUIRE(client.apply(add_track("vox")).first.ok());
  grpc::ClientContext call;
  auto prompt = client.sessions->Watch(&call, {});
  catch_up(*prompt, 1);

  constexpr int kEdits = 6000, kWarm = 3000;  // by then every bound that there is has been reached
  const auto resident = [&daemon] {
    std::ifstream file("/proc/" + std::to_string(daemon.child.pid()) + "/statm");
    std::size_t size = 0, pages = 0;
    file >> size >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) >> 20;
  };
  std::size_t warm = 0;
  std::uint64_t last = 0;
  for (int i = 0; i < kEdits; ++i) {
    v1::ApplyRequest request;
    v1::Operation label;
    label.mutable_set_label()->set_path("vox");
    label.mutable_set_label()->set_label(std::string(900, static_cast<char>('a' + i % 26)));
    for (int n = 0; n < 2; ++n) *request.add_operations() = label;
    request.set_wait(v1::WAIT_COMMITTED);
    const auto [status, response] = client.apply(request);
    REQUIRE(status.ok());
    last = response.revision().number();
    if (i == kWarm) warm = resident();
    if (i % 100 != 99) continue;
    // Who reads has heard of each of them, with none left out.
    for (v1::WatchResponse seen; seen.change().revision().number() < last;) {
      REQUIRE(prompt->Read(&seen));
      CHECK_FALSE(seen.has_snapshot_end());
    }
  }
  const std::size_t end = resident();
  CHECK_MESSAGE(end <= warm + 8, "from ", warm, " to ", end, " MiB");
  for (const auto& one : lazy) catch_up(*one->watch, last);
}

}  // namespace
}  // namespace continuo
