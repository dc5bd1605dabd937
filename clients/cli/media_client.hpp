// THREAD: any, one call at a time - the daemon's files: every call of its media service
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "continuo/v1/media.pb.h"

namespace continuo::cli {

/// Each call throws a Failure. Those that answer once end after `timeout`; uploads and downloads last as long as they
/// last, and end at an interrupt with EX_TEMPFAIL: what came is held.
class MediaClient {
 public:
  MediaClient(std::string address, std::chrono::milliseconds timeout);
  ~MediaClient();

  /// Page after page, `limit` entries at most (0: all).
  void list(const std::string& path, bool recursive, std::size_t limit,
            const std::function<void(const v1::MediaEntry&)>& on_entry);
  [[nodiscard]] v1::ProbeMediaResponse probe(const std::string& path);
  void remove(const std::string& path);

  /// From where the daemon is to be told of `path`: what it has of it.
  [[nodiscard]] v1::GetUploadResponse get_upload(const v1::UploadMediaRequest::Begin& begin);
  /// `read` fills the text with the next bytes of the file from begin.start on; empty at the end.
  void upload(const v1::UploadMediaRequest::Begin& begin, const std::function<std::string()>& read);
  /// The SHA-256 of the whole file, where the request asks for it.
  std::string download(const v1::DownloadMediaRequest& request, const std::function<void(std::string_view)>& write);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::cli
