// Files up and down over the real daemon: ends, breaks and collisions.
#include <signal.h>

#include <cstdio>
#include <cstdlib>

#include "tests/integration/media_client.hpp"

namespace continuo {
namespace {

TEST_CASE("100 MB go up and come down as they were, and in ranges") {
  const MediaDaemon d;
  const std::string content = noise(100'000'000);
  const auto begin = begin_of("m:new/folder/big.wav", content);
  const grpc::Status up = put(*d.media, begin, content);
  REQUIRE_MESSAGE(up.ok(), up.error_message());
  CHECK(fs::file_size(d.files.path() / "new/folder/big.wav") == content.size());
  std::string sha256;
  const auto [down, got] = get(*d.media, whole("m:new/folder/big.wav"), &sha256);
  CHECK_MESSAGE(down.ok(), down.error_message());
  CHECK((got == content));
  CHECK(sha256 == begin.begin().sha256());
  auto range = whole("m:new/folder/big.wav");
  range.set_offset(99'999'990);
  range.set_length(1000);
  CHECK(get(*d.media, range, &sha256).second == content.substr(99'999'990));
  CHECK(sha256 == begin.begin().sha256());
  range.set_offset(100'000'001);
  CHECK(reason_of(get(*d.media, range).first).field == "offset");
  const grpc::Status again = put(*d.media, begin, content);
  CHECK(again.error_code() == grpc::StatusCode::ALREADY_EXISTS);
  CHECK(reason_of(again).field == "path");
}

/// Run by the test below in a process of its own, and killed there.
TEST_CASE("helper: an upload that never ends" * doctest::skip()) {
  const char* address = std::getenv("CONTINUO_TEST_ADDRESS");
  REQUIRE(address != nullptr);
  const auto media = v1::MediaService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
  const std::string content = noise(20'000'000);
  Call call;
  v1::UploadMediaResponse response;
  const auto writer = media->UploadMedia(&call, &response);
  REQUIRE(writer->Write(begin_of("m:a.wav", content)));
  for (std::size_t at = 0; at < 10 * kPiece; at += kPiece) {
    v1::UploadMediaRequest data;
    data.set_data(content.substr(at, kPiece));
    REQUIRE(writer->Write(data));
  }
  std::puts("in the middle");
  std::fflush(stdout);
  for (;;) pause();
}

TEST_CASE("an upload whose client is killed goes on where it ended") {
  const MediaDaemon d;
  setenv("CONTINUO_TEST_ADDRESS", d.daemon.address.c_str(), 1);
  {
    Child killed({"/proc/self/exe", "--no-skip", "--test-case=helper: an upload that never ends"});
    std::string line;
    do {
      line = killed.read_line();
      REQUIRE_FALSE(line.empty());
    } while (line != "in the middle");
    killed.signal(SIGKILL);
    CHECK(killed.wait() == -SIGKILL);
  }
  const std::string content = noise(20'000'000);
  const auto there = held_and_idle(*d.media, begin_of("m:a.wav", content)).received_bytes();
  CHECK(there > 0);
  CHECK(there <= static_cast<std::int64_t>(10 * kPiece));
  CHECK_FALSE(fs::exists(d.files.path() / "a.wav"));
  const grpc::Status late = put(*d.media, begin_of("m:a.wav", content, there + 1), content);
  CHECK(late.error_code() == grpc::StatusCode::ABORTED);
  CHECK(reason_of(late).reason == "UPLOAD_OFFSET");
  static_cast<void>(held_and_idle(*d.media, begin_of("m:a.wav", content)));
  const grpc::Status done = put(*d.media, begin_of("m:a.wav", content, there), content);
  REQUIRE_MESSAGE(done.ok(), done.error_message());
  CHECK((read_whole(d.files.path() / "a.wav") == content));
}

TEST_CASE("of two uploads to one path one wins and the other is told") {
  const MediaDaemon d;
  const std::string content = noise(3'000'000);
  const auto begin = begin_of("m:a.wav", content);
  Call call;
  v1::UploadMediaResponse response;
  const auto first = d.media->UploadMedia(&call, &response);
  REQUIRE(first->Write(begin));
  while (!held(*d.media, begin).active()) {
  }
  const grpc::Status second = put(*d.media, begin, content);
  CHECK(second.error_code() == grpc::StatusCode::ABORTED);
  CHECK(reason_of(second).reason == "UPLOAD_BUSY");
  v1::UploadMediaRequest data;
  for (std::size_t at = 0; at < content.size(); at += kPiece) {
    data.set_data(content.substr(at, kPiece));
    REQUIRE(first->Write(data));
  }
  first->WritesDone();
  CHECK(first->Finish().ok());
  CHECK(response.path() == "m:a.wav");
  CHECK((read_whole(d.files.path() / "a.wav") == content));
}

TEST_CASE("more uploads than a root takes: the newcomer is told, and lists still come") {
  const MediaDaemon d;
  struct One {
    Call call;
    v1::UploadMediaResponse response;
    std::unique_ptr<grpc::ClientWriter<v1::UploadMediaRequest>> writer;
  };
  std::vector<std::unique_ptr<One>> open;
  for (int i = 0; i < 4; ++i) {
    auto& one = *open.emplace_back(std::make_unique<One>());
    const auto begin = begin_of("m:" + std::to_string(i) + ".wav", "0123456789");
    one.writer = d.media->UploadMedia(&one.call, &one.response);
    REQUIRE(one.writer->Write(begin));
    while (!held(*d.media, begin).active()) {
    }
  }
  const grpc::Status fifth = put(*d.media, begin_of("m:5.wav", "x"), "x");
  CHECK(fifth.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
  CHECK(reason_of(fifth).reason == "MEDIA_BUSY");
  CHECK(put(*d.media, begin_of("takes:5.wav", "x"), "x").ok());  // another root
  v1::ListMediaRequest request;
  request.set_path("m:");
  v1::ListMediaResponse listed;
  CHECK(d.media->ListMedia(Call(), request, &listed).ok());
  CHECK(listed.entries_size() == 0);
  for (const auto& one : open) one->call.TryCancel();
}

TEST_CASE("clients that do not read their downloads hold up no one else") {
  const MediaDaemon d;
  const std::string content = noise(20'000'000);
  REQUIRE(put(*d.media, begin_of("m:a.wav", content), content).ok());
  std::vector<std::unique_ptr<Call>> calls;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::DownloadMediaResponse>>> lazy;
  v1::DownloadMediaResponse message;
  for (int i = 0; i < 7; ++i) {
    calls.push_back(std::make_unique<Call>());
    lazy.push_back(d.media->DownloadMedia(*calls.back(), whole("m:a.wav")));
    REQUIRE(lazy.back()->Read(&message));
    CHECK(message.header().total_bytes() == 20'000'000);
  }
  const MediaDaemon& other = d;
  const auto own = v1::MediaService::NewStub(other.daemon.channel());
  const auto [status, got] = get(*own, whole("m:a.wav"));
  CHECK_MESSAGE(status.ok(), status.error_message());
  CHECK((got == content));
  for (const auto& call : calls) call->TryCancel();
}

TEST_CASE("requests without sense are refused with their field") {
  const MediaDaemon d;
  v1::ListMediaRequest list;
  v1::ListMediaResponse listed;
  REQUIRE(d.media->ListMedia(Call(), list, &listed).ok());
  CHECK(listed.entries_size() >= 2);  // the roots
  list.set_path("m:");
  list.set_page_size(1001);
  CHECK(reason_of(d.media->ListMedia(Call(), list, &listed)).field == "page_size");
  list.set_page_size(1);
  list.set_path("m:..");
  CHECK(d.media->ListMedia(Call(), list, &listed).error_code() == grpc::StatusCode::PERMISSION_DENIED);
  v1::ProbeMediaRequest probe;
  v1::ProbeMediaResponse found;
  probe.set_path("m:nothing.wav");
  const grpc::Status missing = d.media->ProbeMedia(Call(), probe, &found);
  CHECK(missing.error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(reason_of(missing).field == "path");
  std::ofstream(d.files.path() / "text.wav") << "not a sound";
  probe.set_path("m:text.wav");
  REQUIRE(d.media->ProbeMedia(Call(), probe, &found).ok());
  CHECK_FALSE(found.playable());
  CHECK_FALSE(found.why_not().empty());
  Call call;
  v1::UploadMediaResponse response;
  const auto writer = d.media->UploadMedia(&call, &response);
  v1::UploadMediaRequest data;
  data.set_data("x");
  writer->Write(data);
  CHECK(reason_of(writer->Finish()).reason == "BAD_ORDER");
  CHECK(reason_of(put(*d.media, {}, "")).reason.empty() == false);
}

TEST_CASE("the daemon ends in time in the middle of uploads and downloads") {
  MediaDaemon d;
  const std::string content = noise(20'000'000);
  REQUIRE(put(*d.media, begin_of("m:a.wav", content), content).ok());
  Call up;
  v1::UploadMediaResponse response;
  const auto writer = d.media->UploadMedia(&up, &response);
  REQUIRE(writer->Write(begin_of("m:b.wav", content)));
  Call down;
  const auto reader = d.media->DownloadMedia(&down, whole("m:a.wav"));
  v1::DownloadMediaResponse message;
  REQUIRE(reader->Read(&message));
  d.daemon.child.signal(SIGTERM);
  CHECK(d.daemon.child.wait() == 0);
}

}  // namespace
}  // namespace continuo
