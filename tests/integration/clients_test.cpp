// Clients that die or sleep in the middle of everything: the daemon stays well.
#include <signal.h>

#include <cstdio>
#include <cstdlib>

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

TEST_CASE("a client that watches and does not read is cut off from nothing, and holds up nobody") {
  const Daemon daemon;
  Client lazy(daemon);
  Client client(daemon);
  Call call;
  auto watch = lazy.sessions->Watch(&call, {});
  REQUIRE(client.apply(add_track("vox")).first.ok());
  for (int i = 0; i < 3000; ++i) {
    v1::ApplyRequest request;
    v1::Operation label;
    label.mutable_set_label()->set_path("vox");
    label.mutable_set_label()->set_label(std::string(900, static_cast<char>('a' + i % 26)));
    for (int n = 0; n < 10; ++n) *request.add_operations() = label;
    request.set_wait(v1::WAIT_COMMITTED);
    REQUIRE(client.apply(request).first.ok());
  }
  // Awake again, it gets to the state of now: by changes, or by a snapshot that says so.
  v1::GetSessionResponse now;
  Call get;
  auto reader = client.sessions->GetSession(&get, {});
  REQUIRE(reader->Read(&now));
  v1::WatchResponse seen;
  v1::Revision reached;
  while (reached.number() < now.revision().number()) {
    REQUIRE(watch->Read(&seen));
    if (seen.has_change()) reached = seen.change().revision();
    if (seen.has_snapshot_end()) reached = seen.snapshot_end().revision();
  }
  CHECK(reached.number() == now.revision().number());
}

}  // namespace
}  // namespace continuo
