// The whole server over an engine that was never started: who is let in, what health says, what reflection shows.
#include "server/rpc/server.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/server/base/temp_folder.hpp"

namespace continuo::rpc {
namespace {

class NoDevices final : public device::DeviceFactory {
 public:
  Result<std::vector<device::DeviceInfo>> list() override { return std::vector<device::DeviceInfo>{}; }
  Result<std::unique_ptr<device::Device>> open(const device::DeviceRequest&) override {
    return make_error(ErrorKind::not_found, "NO_DEVICE", "", "there is none");
  }
};

control::EngineConfig config_in(const TempFolder& folder) {
  control::EngineConfig config;
  config.state_folder = folder.path();
  config.take_folder = folder.path() / "takes";
  return config;
}

struct Rig {
  TempFolder folder;
  std::string address = "unix:" + (folder.path() / "c.sock").string();
  boost::asio::io_context io;
  control::Engine engine{io, config_in(folder), std::make_unique<NoDevices>()};
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;

  explicit Rig(const std::string& role) {
    auto claimed = Server::claim({{address}, {role, {}, {}, {}, "none", {}}, {}, "", 20'000});
    REQUIRE(claimed);
    server = *std::move(claimed);
    REQUIRE(server->start(engine));
    channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  }

  /// One request of raw bytes, without knowing the method; the first answer's bytes where there is one.
  grpc::Status call(const std::string& method, const std::string& request, std::string* answer = nullptr) {
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    grpc::CompletionQueue queue;
    const auto step = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    auto stream = stub.PrepareCall(&context, method, &queue);
    stream->StartCall(nullptr);
    step();
    const grpc::Slice slice(request);
    stream->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
    step();
    grpc::ByteBuffer bytes;
    stream->Read(&bytes, nullptr);
    if (step() && answer != nullptr) {
      std::vector<grpc::Slice> slices;
      REQUIRE(bytes.Dump(&slices).ok());
      for (const grpc::Slice& one : slices) answer->append(reinterpret_cast<const char*>(one.begin()), one.size());
    }
    grpc::Status status;
    stream->Finish(&status, nullptr);
    step();
    return status;
  }
};

/// Every service of ours that the server shows to whoever asks.
std::vector<const google::protobuf::ServiceDescriptor*> services_of(Rig& rig) {
  std::string answer;
  rig.call("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", std::string("\x3A\x00", 2), &answer);
  std::vector<const google::protobuf::ServiceDescriptor*> services;
  const std::string begin = "continuo.v1.", end = "Service";
  for (std::size_t at = answer.find(begin); at != std::string::npos; at = answer.find(begin, at + 1)) {
    const std::string name = answer.substr(at, answer.find(end, at) + end.size() - at);
    services.push_back(google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name));
    REQUIRE_MESSAGE(services.back() != nullptr, name);
  }
  return services;
}

TEST_CASE("every method of every service asks who calls") {
  Rig rig("nobody at all");
  int methods = 0;
  const auto services = services_of(rig);
  CHECK(services.size() >= 9);
  for (const auto* service : services) {
    for (int m = 0; m < service->method_count(); ++m, ++methods) {
      CAPTURE(service->method(m)->full_name());
      const grpc::Status status = rig.call("/" + service->full_name() + "/" + service->method(m)->name(), "");
      CHECK(status.error_code() == grpc::StatusCode::PERMISSION_DENIED);
      google::rpc::Status details;
      REQUIRE(details.ParseFromString(status.error_details()));
      google::rpc::ErrorInfo info;
      REQUIRE(details.details_size() >= 1);
      REQUIRE(details.details(0).UnpackTo(&info));
      CHECK(info.reason() == "ROLE");
    }
  }
  CHECK(methods >= 35);
  // What asks for no role: reflection and health, and what is not there at all.
  CHECK(rig.call("/grpc.health.v1.Health/Check", "").ok());
  CHECK(rig.call("/continuo.v1.SessionService/Erase", "").error_code() == grpc::StatusCode::UNIMPLEMENTED);
}

TEST_CASE("a request that is no message is refused, and the server goes on") {
  Rig rig("admin");
  CHECK_FALSE(rig.call("/continuo.v1.SessionService/Apply", "\xFF\xFF\xFF").ok());
  CHECK(rig.call("/continuo.v1.SystemService/GetClock", "").ok());
  const grpc::Status large = rig.call("/continuo.v1.SessionService/Apply", std::string((8u << 20) + 1, 'x'));
  CHECK(large.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(rig.call("/continuo.v1.SystemService/GetClock", "").ok());
}

TEST_CASE("a load whose stream goes wrong behind a whole session loads nothing") {
  Rig rig("admin");
  // Field 1, "json": a session that could be loaded.
  const std::string json = R"({"format": 1, "name": "half"})";
  const std::string first = "\x0A" + std::string(1, static_cast<char>(json.size())) + json;
  for (const std::string& second : {std::string("\x0A\xFF\xFF\xFF\x0F"), std::string((8u << 20) + 5, 'x')}) {
    grpc::GenericStub stub(rig.channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    grpc::CompletionQueue queue;
    const auto step = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    auto stream = stub.PrepareCall(&context, "/continuo.v1.SessionService/LoadSession", &queue);
    stream->StartCall(nullptr);
    REQUIRE(step());
    const grpc::Slice one(first), two(second);
    stream->Write(grpc::ByteBuffer(&one, 1), nullptr);
    REQUIRE(step());
    stream->WriteLast(grpc::ByteBuffer(&two, 1), {}, nullptr);
    step();
    grpc::Status status;
    stream->Finish(&status, nullptr);
    step();
    const bool refused = status.error_code() == grpc::StatusCode::INVALID_ARGUMENT ||
                         status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
    CHECK_MESSAGE(refused, status.error_code(), " ", status.error_message());
    std::string session;
    rig.engine.get_session([&](Result<control::SessionText> text) {
      REQUIRE(text);
      session = *text->json;
    });
    while (session.empty()) {  // behind all that it brought to the strand
      rig.io.poll();
      rig.io.restart();
    }
    CHECK(session.find("half") == std::string::npos);
  }
}

TEST_CASE("health knows the API and the sound apart, and a daemon that ends is neither") {
  Rig rig("admin");
  const std::string kAudio =
      "\x0A\x0E"
      "continuo.audio";
  std::string answer;
  REQUIRE(rig.call("/grpc.health.v1.Health/Check", "", &answer).ok());
  CHECK(answer == "\x08\x01");  // SERVING
  answer.clear();
  REQUIRE(rig.call("/grpc.health.v1.Health/Check", kAudio, &answer).ok());
  CHECK(answer == "\x08\x02");  // NOT_SERVING: no device runs
  CHECK(rig.call("/grpc.health.v1.Health/Check", "\x0A\x01x").error_code() == grpc::StatusCode::NOT_FOUND);

  rig.server->close_door();
  answer.clear();
  REQUIRE(rig.call("/grpc.health.v1.Health/Check", "", &answer).ok());
  CHECK(answer == "\x08\x02");
  CHECK(rig.call("/continuo.v1.SystemService/GetClock", "").error_code() == grpc::StatusCode::UNAVAILABLE);
}

TEST_CASE("a call waits for the strand, and is answered by it") {
  Rig rig("admin");
  grpc::Status status;
  std::atomic<bool> answered{false};
  std::thread caller([&] {
    status = rig.call("/continuo.v1.SystemService/GetInfo", "");
    answered = true;
  });
  while (!answered) {
    rig.io.restart();
    rig.io.poll();
    std::this_thread::yield();
  }
  caller.join();
  CHECK_MESSAGE(status.ok(), status.error_message());
}

}  // namespace
}  // namespace continuo::rpc
