// THREAD: test - a daemon with a media root, and whole files up and down
#pragma once

#include <openssl/evp.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "continuo/v1/media.grpc.pb.h"
#include "tests/integration/client.hpp"

namespace continuo {

namespace fs = std::filesystem;
inline constexpr std::size_t kPiece = 1000 * 1000;

inline std::string noise(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text;
}

inline std::string sha256_of(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += {"0123456789abcdef"[digest[i] >> 4], "0123456789abcdef"[digest[i] & 15]};
  return hex;
}

inline std::string read_whole(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct MediaDaemon {
  TempFolder files;
  Daemon daemon{{"--media-root", "m=" + files.path().string()}};
  Client client{daemon};
  std::unique_ptr<v1::MediaService::Stub> media = v1::MediaService::NewStub(client.channel);
};

inline v1::UploadMediaRequest begin_of(const std::string& path, const std::string& content, std::int64_t start = 0,
                                       bool overwrite = false) {
  v1::UploadMediaRequest request;
  auto& begin = *request.mutable_begin();
  begin.set_path(path);
  begin.set_total_bytes(static_cast<std::int64_t>(content.size()));
  begin.set_sha256(sha256_of(content));
  begin.set_start(start);
  begin.set_overwrite(overwrite);
  return request;
}

inline grpc::Status put(v1::MediaService::Stub& media, const v1::UploadMediaRequest& begin,
                        const std::string& content) {
  Call call;
  v1::UploadMediaResponse response;
  const auto writer = media.UploadMedia(&call, &response);
  bool going = writer->Write(begin);
  for (auto at = static_cast<std::size_t>(begin.begin().start()); going && at < content.size(); at += kPiece) {
    v1::UploadMediaRequest data;
    data.set_data(content.substr(at, kPiece));
    going = writer->Write(data);
  }
  writer->WritesDone();
  return writer->Finish();
}

inline std::pair<grpc::Status, std::string> get(v1::MediaService::Stub& media, const v1::DownloadMediaRequest& request,
                                                std::string* sha256 = nullptr) {
  Call call;
  const auto reader = media.DownloadMedia(&call, request);
  v1::DownloadMediaResponse message;
  std::string content;
  while (reader->Read(&message)) {
    content += message.data();
    if (message.has_end() && sha256 != nullptr) *sha256 = message.end().sha256();
  }
  return {reader->Finish(), content};
}

inline v1::DownloadMediaRequest whole(const std::string& path) {
  v1::DownloadMediaRequest request;
  request.set_path(path);
  request.set_sha256(true);
  return request;
}

inline v1::GetUploadResponse held(v1::MediaService::Stub& media, const v1::UploadMediaRequest& begin) {
  v1::GetUploadRequest request;
  request.set_path(begin.begin().path());
  request.set_total_bytes(begin.begin().total_bytes());
  request.set_sha256(begin.begin().sha256());
  v1::GetUploadResponse response;
  REQUIRE(media.GetUpload(Call(), request, &response).ok());
  return response;
}

/// Until the daemon has noticed that the client is gone.
inline v1::GetUploadResponse held_and_idle(v1::MediaService::Stub& media, const v1::UploadMediaRequest& begin) {
  v1::GetUploadResponse response;
  do {
    response = held(media, begin);
  } while (response.active());
  return response;
}

/// 16 bit, mono, 480 frames of silence.
inline void write_sound(const fs::path& file) {
  std::string wav = "RIFF";
  const auto number = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) wav += static_cast<char>(value >> (8 * i));
  };
  number(36 + 960, 4);
  wav += "WAVEfmt ";
  number(16, 4);
  number(1, 2);
  number(1, 2);
  number(48000, 4);
  number(96000, 4);
  number(2, 2);
  number(16, 2);
  wav += "data";
  number(960, 4);
  wav += std::string(960, '\0');
  std::ofstream(file, std::ios::binary) << wav;
}

}  // namespace continuo
