// THREAD: any, one call at a time - a file on its way in or out: its disk work, on a line of its own
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "continuo/v1/media.pb.h"
#include "server/base/result.hpp"
#include "server/control/disk_lines.hpp"
#include "server/media/download.hpp"
#include "server/media/upload.hpp"

namespace continuo::control {

/// One piece at a time: the next may come when `done` was called, on the line's thread. Dropped before finish(): what
/// came is held for the next upload.
class MediaUpload {
 public:
  using Done = std::function<void(Result<>)>;
  MediaUpload(std::shared_ptr<DiskLines::Line> line, std::shared_ptr<media::Uploads> all,
              std::shared_ptr<media::Uploads::Writer> writer);
  ~MediaUpload();
  MediaUpload(const MediaUpload&) = delete;
  MediaUpload& operator=(const MediaUpload&) = delete;

  void write(std::string data, Done done);
  void finish(Done done);

 private:
  const std::shared_ptr<DiskLines::Line> line_;
  const std::shared_ptr<media::Uploads> all_;
  std::shared_ptr<media::Uploads::Writer> writer_;
};

/// Reads ahead by kAhead messages and no further: a client that does not read costs no more than those.
class MediaDownload {
 public:
  static constexpr std::size_t kAhead = 2;

  MediaDownload(std::shared_ptr<DiskLines::Line> line, std::shared_ptr<media::RangeReader> reader);
  ~MediaDownload();
  MediaDownload(const MediaDownload&) = delete;
  MediaDownload& operator=(const MediaDownload&) = delete;

  struct Next {
    std::shared_ptr<const v1::DownloadMediaResponse> message;
    std::optional<Result<>> end;
  };
  /// A message, or how it ended, or neither: then `wake` is called once, on the line's thread, when that changes.
  [[nodiscard]] Next next(std::function<void()> wake);

 private:
  struct State;
  const std::shared_ptr<DiskLines::Line> line_;
  const std::shared_ptr<State> state_;
};

/// UTC, RFC 3339, to the second.
[[nodiscard]] std::string utc_text(std::int64_t ns_since_1970);

}  // namespace continuo::control
