// Streams over a real gRPC server, without an engine: the test holds the feed's writing end.
#include "server/rpc/stream.hpp"

#include <doctest/doctest.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <future>

#include "continuo/v1/meter.grpc.pb.h"
#include "server/rpc/reply.hpp"

namespace continuo::rpc {
namespace {

using Frame = v1::MeterFrame;
using FramePtr = std::shared_ptr<const Frame>;

FramePtr frame(std::int64_t number, std::size_t floats = 0) {
  auto message = std::make_shared<Frame>();
  message->set_engine_frame(number);
  for (std::size_t i = 0; i < floats; ++i) message->add_peak_db(static_cast<float>(i));
  return message;
}

/// Counts what a stream asks for; tells when the stream let go of it.
class WatchedSource final : public StreamSource<Frame> {
 public:
  WatchedSource(std::shared_ptr<control::Feed<Frame>> feed, std::promise<void>* gone)
      : feed_(std::move(feed)), gone_(gone) {}
  ~WatchedSource() override { gone_->set_value(); }
  Next next(std::function<void()> wake) override { return feed_.next(std::move(wake)); }

 private:
  FeedSource<Frame> feed_;
  std::promise<void>* gone_;
};

class Service final : public v1::MeterService::CallbackService {
 public:
  grpc::ServerWriteReactor<Frame>* WatchMeters(grpc::CallbackServerContext*, const v1::WatchMetersRequest*) override {
    auto stream = Stream<Frame>::make(std::nullopt);
    if (!refusal.ok())
      stream->refuse(refusal);
    else if (late)
      late->set_value(stream);
    else
      stream->begin(std::make_unique<WatchedSource>(feed, &gone));
    return stream.get();
  }

  std::shared_ptr<control::Feed<Frame>> feed = std::make_shared<control::Feed<Frame>>(8);
  std::promise<void> gone;
  grpc::Status refusal;
  std::optional<std::promise<std::shared_ptr<Stream<Frame>>>> late;  // where set: the test begins the stream
};

struct Rig {
  Service service;
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<v1::MeterService::Stub> stub;
  grpc::ClientContext context;

  Rig() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service);
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    server = builder.BuildAndStart();
    stub = v1::MeterService::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }
  ~Rig() { server->Shutdown(std::chrono::system_clock::now()); }
};

TEST_CASE("messages arrive in order, those of before the subscription too, and the end after all of them") {
  Rig rig;
  for (int i = 0; i < 8; ++i) REQUIRE(rig.service.feed->push(frame(i)));
  CHECK_FALSE(rig.service.feed->push(frame(99)));
  auto reader = rig.stub->WatchMeters(&rig.context, {});
  Frame got;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(reader->Read(&got));
    CHECK(got.engine_frame() == i);
  }
  // The stream has run dry and sleeps: each push wakes it.
  for (int i = 8; i < 108; ++i) {
    REQUIRE(rig.service.feed->push(frame(i)));
    REQUIRE(reader->Read(&got));
    CHECK(got.engine_frame() == i);
  }
  REQUIRE(rig.service.feed->push(frame(108)));
  rig.service.feed->close();
  REQUIRE(reader->Read(&got));
  CHECK(got.engine_frame() == 108);
  CHECK_FALSE(reader->Read(&got));
  CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  rig.service.gone.get_future().wait();
}

TEST_CASE("a client that does not read leaves its messages in the feed, which then refuses more") {
  Rig rig;
  auto reader = rig.stub->WatchMeters(&rig.context, {});
  // 64 KiB each: what the connection takes ahead is small beside what is offered.
  constexpr int kOffered = 4000;
  const FramePtr big = frame(1, 16384);
  int taken = 0;
  for (int i = 0; i < kOffered; ++i) taken += rig.service.feed->push(big) ? 1 : 0;
  CHECK(taken < kOffered);
  CHECK(taken >= 8);
  rig.service.feed->close();
  Frame got;
  int read = 0;
  while (reader->Read(&got)) ++read;
  CHECK(read == taken);
}

TEST_CASE("a client that goes away ends its subscription, asleep or in the middle of a write") {
  Rig rig;
  auto reader = rig.stub->WatchMeters(&rig.context, {});
  SUBCASE("asleep") {
    REQUIRE(rig.service.feed->push(frame(1)));
    Frame got;
    REQUIRE(reader->Read(&got));
  }
  SUBCASE("in a write") {
    const FramePtr big = frame(1, 1u << 20);
    for (int i = 0; i < 8; ++i) static_cast<void>(rig.service.feed->push(big));
  }
  rig.context.TryCancel();
  rig.service.gone.get_future().wait();
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  // A late wake finds nobody.
  static_cast<void>(rig.service.feed->push(frame(2)));
  rig.service.feed->close();
}

TEST_CASE("a subscription that begins after its client went is dropped at once") {
  Rig rig;
  rig.service.late.emplace();
  auto coming = rig.service.late->get_future();
  auto reader = rig.stub->WatchMeters(&rig.context, {});
  auto stream = coming.get();
  rig.context.TryCancel();
  CHECK(reader->Finish().error_code() == grpc::StatusCode::CANCELLED);
  std::weak_ptr<Stream<Frame>> weak = stream;
  // Both orders are right: the server hears of the cancel some time after the client.
  stream->begin(std::make_unique<WatchedSource>(rig.service.feed, &rig.service.gone));
  stream.reset();
  rig.service.gone.get_future().wait();
  rig.server->Shutdown(std::chrono::system_clock::now());
  CHECK(weak.expired());
}

TEST_CASE("a refused stream says why, and an engine that lets go of it says that it stops") {
  Rig rig;
  SUBCASE("refused") {
    rig.service.refusal = to_status(make_error(ErrorKind::invalid_argument, "RATE", "rate_hz", "no such rate"));
    auto reader = rig.stub->WatchMeters(&rig.context, {});
    Frame got;
    CHECK_FALSE(reader->Read(&got));
    CHECK(reader->Finish().error_message() == "no such rate");
  }
  SUBCASE("dropped") {
    rig.service.late.emplace();
    auto coming = rig.service.late->get_future();
    auto reader = rig.stub->WatchMeters(&rig.context, {});
    {
      const auto done = begin_with_feed(coming.get());
    }
    Frame got;
    CHECK_FALSE(reader->Read(&got));
    CHECK(reader->Finish().error_code() == grpc::StatusCode::UNAVAILABLE);
  }
  SUBCASE("answered with an error") {
    rig.service.late.emplace();
    auto coming = rig.service.late->get_future();
    auto reader = rig.stub->WatchMeters(&rig.context, {});
    begin_with_feed(coming.get())(make_error(ErrorKind::not_found, "UNKNOWN_NODE", "nodes[0]", "no node"));
    CHECK(reader->Finish().error_code() == grpc::StatusCode::NOT_FOUND);
  }
}

/// Stands in for gRPC's reactor.
struct Caller {
  int finished = 0;
  grpc::Status status;
  void Finish(const grpc::Status& s) {
    ++finished;
    status = s;
  }
};

TEST_CASE("a unary call is finished exactly once, also when the engine drops it") {
  Caller caller;
  v1::Clock clock;
  SUBCASE("answered") {
    v1::Clock answer;
    answer.set_engine_frame(7);
    auto done = reply_to(&caller, &clock);
    auto copy = done;
    done(answer);
    CHECK(clock.engine_frame() == 7);
    CHECK(caller.status.ok());
  }
  SUBCASE("an error") {
    reply_to(&caller, &clock)(make_error(ErrorKind::aborted, "STALE", "", "read again"));
    CHECK(caller.status.error_code() == grpc::StatusCode::ABORTED);
  }
  SUBCASE("dropped") {
    auto done = reply_to(&caller, &clock);
    auto copy = done;
    done = nullptr;
    CHECK(caller.finished == 0);
    copy = nullptr;
    CHECK(caller.status.error_code() == grpc::StatusCode::UNAVAILABLE);
  }
  CHECK(caller.finished == 1);
}

}  // namespace
}  // namespace continuo::rpc
