// Files that the session or a take has, over the real daemon: they stay, by whatever name.
#include "tests/integration/media_client.hpp"

namespace continuo {
namespace {

TEST_CASE("what the session plays is neither deleted nor overwritten, by whatever name") {
  const MediaDaemon d;
  write_sound(d.files.path() / "song.wav");
  write_sound(d.files.path() / "free.wav");
  fs::create_symlink("song.wav", d.files.path() / "alias.wav");
  v1::LoadSessionResponse loaded;
  Client client(d.daemon);
  const grpc::Status load = client.load(
      {R"({"format": 1, "nodes": [{"id": "vox", "type": "track", "children": [{"id": "p", "type": "player", "params": {"file": "m:song.wav"}}]}]})"},
      &loaded);
  REQUIRE_MESSAGE(load.ok(), load.error_message());
  const auto remove = [&](const std::string& path) {
    v1::DeleteMediaRequest request;
    request.set_path(path);
    v1::DeleteMediaResponse response;
    return d.media->DeleteMedia(Call(), request, &response);
  };
  for (const char* path : {"m:song.wav", "m:alias.wav", "m:./song.wav"}) {
    CAPTURE(path);
    const grpc::Status refused = remove(path);
    CHECK(refused.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
    CHECK(reason_of(refused).reason == "MEDIA_IN_USE");
    CHECK(refused.error_message().find("vox/p") != std::string::npos);
  }
  const grpc::Status over = put(*d.media, begin_of("m:song.wav", "x", 0, true), "x");
  CHECK(over.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
  CHECK(put(*d.media, begin_of("m:free.wav", "x", 0, true), "x").ok());
  CHECK(remove("m:free.wav").ok());
  CHECK_FALSE(fs::exists(d.files.path() / "free.wav"));
  CHECK(remove("m:free.wav").error_code() == grpc::StatusCode::NOT_FOUND);
  CHECK(fs::exists(d.files.path() / "song.wav"));
}

TEST_CASE("a take that is being written is not deleted, and a closed one is probed, fetched and deleted") {
  const MediaDaemon d;
  Client client(d.daemon);
  v1::Operation start;
  start.mutable_record_start()->add_nodes("out");
  start.mutable_record_start()->set_file("takes:t.wav");
  REQUIRE(client.apply(start).first.ok());
  v1::DeleteMediaRequest request;
  v1::DeleteMediaResponse response;
  request.set_path("takes:t.wav.part");
  CHECK(reason_of(d.media->DeleteMedia(Call(), request, &response)).reason == "MEDIA_IN_USE");
  v1::Operation stop;
  stop.mutable_record_stop();
  REQUIRE(client.apply(stop).first.ok());
  v1::ProbeMediaRequest probe;
  probe.set_path("takes:t.wav");
  v1::ProbeMediaResponse found;
  while (!d.media->ProbeMedia(Call(), probe, &found).ok()) {
  }
  CHECK(found.playable());
  CHECK(found.channels() == 2);
  CHECK(found.frames() > 0);
  CHECK(found.container() == "WAV");
  const auto [status, content] = get(*d.media, whole("takes:t.wav"));
  CHECK(status.ok());
  CHECK(static_cast<std::int64_t>(content.size()) == found.bytes());
  request.set_path("takes:t.wav");
  grpc::Status deleted;
  do {
    deleted = d.media->DeleteMedia(Call(), request, &response);
  } while (reason_of(deleted).reason == "MEDIA_IN_USE");
  CHECK_MESSAGE(deleted.ok(), deleted.error_message());
}

TEST_CASE("nothing is uploaded to the name that a running take will have, whichever root leads there") {
  const TempFolder files;
  const fs::path takes = files.path() / "takes";
  fs::create_directories(takes);
  fs::create_directory_symlink("takes", files.path() / "link");
  Daemon daemon({"--media-root", "m=" + files.path().string(), "--media-root", "same=" + takes.string(),
                 "--take-folder", takes.string(), "--second-take-folder", (files.path() / "other").string()});
  Client client(daemon);
  const auto media = v1::MediaService::NewStub(client.channel);
  v1::Operation start;
  start.mutable_record_start()->add_nodes("out");
  start.mutable_record_start()->set_file("takes:t.wav");
  REQUIRE(client.apply(start).first.ok());
  for (const char* path : {"takes:t.wav", "takes:t.wav.part", "takes:./t.wav", "m:takes/t.wav", "m:link/t.wav",
                           "same:t.wav", "takes2:t.wav", "m:other/t.wav"}) {
    for (const bool overwrite : {true, false}) {
      CAPTURE(path);
      CAPTURE(overwrite);
      const grpc::Status refused = put(*media, begin_of(path, "x", 0, overwrite), "x");
      CHECK(refused.error_code() == grpc::StatusCode::FAILED_PRECONDITION);
      CHECK(reason_of(refused).reason == "MEDIA_IN_USE");
      CHECK(refused.error_message().find("takes:t.wav") != std::string::npos);
    }
  }
  CHECK(put(*media, begin_of("takes:u.wav", "x"), "x").ok());
  CHECK(put(*media, begin_of("m:t.wav", "x"), "x").ok());  // another folder
  v1::Operation stop;
  stop.mutable_record_stop();
  REQUIRE(client.apply(stop).first.ok());
  CHECK(fs::file_size(takes / "t.wav") > 1);
}

}  // namespace
}  // namespace continuo
