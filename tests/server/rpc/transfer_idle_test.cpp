// Transfers that a client opened and neither feeds nor reads: they end, and what came is held.
#include <doctest/doctest.h>
#include <grpcpp/create_channel.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "continuo/v1/media.grpc.pb.h"
#include "continuo/v1/session.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/control/media_library.hpp"
#include "server/rpc/gate.hpp"
#include "server/rpc/server.hpp"
#include "tests/server/base/temp_folder.hpp"

namespace continuo::rpc {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class NoDevices final : public device::DeviceFactory {
 public:
  Result<std::vector<device::DeviceInfo>> list() override { return std::vector<device::DeviceInfo>{}; }
  Result<std::unique_ptr<device::Device>> open(const device::DeviceRequest&) override {
    return make_error(ErrorKind::not_found, "NO_DEVICE", "", "there is none");
  }
};

/// An engine whose transfers' time goes on when the test says so.
struct Rig {
  TempFolder folder;
  std::atomic<Clock::duration::rep> ns{Clock::duration(1h).count()};
  boost::asio::io_context io;
  control::Engine engine{io, config(), std::make_unique<NoDevices>()};
  std::unique_ptr<Server> server;
  std::unique_ptr<v1::MediaService::Stub> media;
  std::unique_ptr<v1::SessionService::Stub> sessions;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
  std::thread strand;

  Rig() {
    const std::string address = "unix:" + (folder.path() / "c.sock").string();
    ServerConfig serve;
    serve.listen = {address};
    serve.access.role = "engineer";
    auto claimed = Server::claim(serve);
    REQUIRE(claimed);
    server = *std::move(claimed);
    REQUIRE(server->start(engine));
    const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    media = v1::MediaService::NewStub(channel);
    sessions = v1::SessionService::NewStub(channel);
    strand = std::thread([this] { io.run(); });
  }
  ~Rig() {
    server->stop(std::chrono::system_clock::now());
    io.stop();
    strand.join();
  }
  control::EngineConfig config() {
    control::EngineConfig made;
    made.state_folder = folder.path();
    made.take_folder = folder.path() / "takes";
    made.media_roots["m"] = folder.path();
    made.transfer_clock = [this] { return Clock::time_point(Clock::duration(ns.load())); };
    return made;
  }
  void pass(Clock::duration time) {
    ns += time.count();
    engine.media().idle().check();
  }
  v1::GetUploadResponse held(const v1::UploadMediaRequest::Begin& begin) {
    v1::GetUploadRequest request;
    request.set_path(begin.path());
    request.set_total_bytes(begin.total_bytes());
    request.set_sha256(begin.sha256());
    grpc::ClientContext call;
    v1::GetUploadResponse response;
    REQUIRE(media->GetUpload(&call, request, &response).ok());
    return response;
  }
  /// The limit passes again and again, until the call in `finish` is over.
  grpc::Status pass_until(const std::function<grpc::Status()>& finish) {
    grpc::Status status;
    std::atomic<bool> over{false};
    std::thread waiting([&] {
      status = finish();
      over = true;
    });
    while (!over) {
      pass(control::MediaLibrary::kIdle);
      std::this_thread::yield();
    }
    waiting.join();
    return status;
  }
};

/// So that a test that fails ends.
struct Call : grpc::ClientContext {
  Call() { set_deadline(std::chrono::system_clock::now() + 60s); }
};

std::string reason_of(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  if (!details.ParseFromString(status.error_details()) || details.details_size() == 0 ||
      !details.details(0).UnpackTo(&info))
    return {};
  return info.reason();
}

constexpr const char* kHello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

}  // namespace

TEST_CASE("an upload that nobody feeds ends after its time, and goes on later from what came") {
  Rig rig;
  v1::UploadMediaRequest begin;
  begin.mutable_begin()->set_path("m:a.bin");
  begin.mutable_begin()->set_total_bytes(5);
  begin.mutable_begin()->set_sha256(kHello);
  v1::UploadMediaRequest data;
  v1::UploadMediaResponse response;
  {
    Call call;
    const auto writer = rig.media->UploadMedia(&call, &response);
    data.set_data("he");
    REQUIRE(writer->Write(begin));
    REQUIRE(writer->Write(data));
    while (rig.held(begin.begin()).received_bytes() < 2) std::this_thread::yield();
    rig.pass(control::MediaLibrary::kIdle - 1ms);
    CHECK(rig.held(begin.begin()).active());
    data.set_data("l");
    REQUIRE(writer->Write(data));  // so its time begins anew
    while (rig.held(begin.begin()).received_bytes() < 3) std::this_thread::yield();
    const grpc::Status status = rig.pass_until([&] { return writer->Finish(); });
    CHECK(status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
    CHECK(reason_of(status) == "TRANSFER_IDLE");
  }
  while (rig.held(begin.begin()).active()) std::this_thread::yield();
  CHECK(rig.held(begin.begin()).received_bytes() == 3);
  Call call;
  const auto writer = rig.media->UploadMedia(&call, &response);
  begin.mutable_begin()->set_start(3);
  data.set_data("lo");
  REQUIRE(writer->Write(begin));
  REQUIRE(writer->Write(data));
  REQUIRE(writer->WritesDone());
  CHECK(writer->Finish().ok());
  std::ifstream file(rig.folder.path() / "a.bin");
  CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "hello");
}

TEST_CASE("an upload that never says what it is ends after its time") {
  Rig rig;
  Call call;
  v1::UploadMediaResponse response;
  const auto writer = rig.media->UploadMedia(&call, &response);
  const grpc::Status status = rig.pass_until([&] { return writer->Finish(); });
  CHECK(status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
  CHECK(reason_of(status) == "TRANSFER_IDLE");
}

TEST_CASE("downloads that nobody reads make room, and those that are read go on") {
  Rig rig;
  std::ofstream(rig.folder.path() / "a.bin") << std::string(8 << 20, 'x');
  v1::DownloadMediaRequest request;
  request.set_path("m:a.bin");
  v1::DownloadMediaResponse message;
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::DownloadMediaResponse>>> lazy;
  for (std::size_t i = 0; i < control::MediaLibrary::kDownloads; ++i) {
    calls.push_back(std::make_unique<Call>());
    lazy.push_back(rig.media->DownloadMedia(calls.back().get(), request));
    REQUIRE(lazy.back()->Read(&message));
  }
  const auto read_whole = [&] {
    Call call;
    const auto reader = rig.media->DownloadMedia(&call, request);
    std::size_t bytes = 0;
    while (reader->Read(&message)) bytes += message.data().size();
    const grpc::Status status = reader->Finish();
    CHECK((status.ok() ? bytes == 8 << 20 : reason_of(status) == "MEDIA_BUSY"));
    return status.ok();
  };
  CHECK_FALSE(read_whole());
  bool done = false;
  for (const auto until = Clock::now() + 60s; !done && Clock::now() < until; done = read_whole())
    rig.pass(control::MediaLibrary::kIdle);
  CHECK(done);
  int ended = 0;  // at least the one whose place was taken
  for (const auto& reader : lazy) {
    while (reader->Read(&message)) {
    }
    const grpc::Status status = reader->Finish();
    CHECK((status.ok() || status.error_code() == grpc::StatusCode::CANCELLED));
    ended += status.ok() ? 0 : 1;
  }
  CHECK(ended > 0);
}

TEST_CASE("loads that nobody feeds give their places up, and of one caller there are few") {
  Rig rig;
  v1::LoadSessionRequest half;
  half.set_json("{\"format\": 1,");
  v1::LoadSessionResponse response;
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<grpc::ClientWriter<v1::LoadSessionRequest>>> writers;
  for (int i = 0; i < Gate::kMaxLoadsOfCaller; ++i) {
    calls.push_back(std::make_unique<Call>());
    writers.push_back(rig.sessions->LoadSession(calls.back().get(), &response));
    REQUIRE(writers.back()->Write(half));
  }
  const auto refused = [&] {
    Call call;
    v1::LoadSessionResponse none;
    const auto writer = rig.sessions->LoadSession(&call, &none);
    writer->WritesDone();
    return writer->Finish();
  };
  // A third that came before one of them had its place would have taken it.
  while (rig.engine.media().idle().count() < writers.size()) std::this_thread::yield();
  const grpc::Status status = refused();
  CHECK(status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(status.error_message().find("loads") != std::string::npos);
  for (const auto& writer : writers) {
    const grpc::Status ended = rig.pass_until([&] { return writer->Finish(); });
    CHECK(ended.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED);
    CHECK(reason_of(ended) == "TRANSFER_IDLE");
  }
  while (refused().error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) std::this_thread::yield();
}

}  // namespace continuo::rpc
