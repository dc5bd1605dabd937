// THREAD: any calls it, its own disk lines work - the files of the media roots, as clients see them
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "continuo/v1/media.pb.h"
#include "server/base/result.hpp"
#include "server/control/disk_lines.hpp"
#include "server/control/idle_transfers.hpp"
#include "server/control/media_transfer.hpp"
#include "server/media/roots.hpp"
#include "server/media/upload.hpp"

namespace continuo::control {

/// MediaService: [rpc] shape -> [control] what the session uses (only where a file is to go) -> [disk line] the work,
/// the answer. Neither the strand nor gRPC's threads touch a disk. Bounds: lines a root and kind of work; the loser is
/// the newcomer ("MEDIA_BUSY"). `done` is called once, on a line's thread or the caller's, and dropped by close().
class MediaLibrary {
 public:
  static constexpr std::size_t kQuestions = 8;  // at once, a root
  static constexpr std::size_t kUploads = 4;
  static constexpr std::size_t kDownloads = 8;
  static constexpr std::chrono::seconds kIdle{60};  // a transfer waits no longer for its client
  static constexpr std::uint32_t kPage = 200;
  static constexpr std::uint32_t kMaxPage = 1000;
  static constexpr std::size_t kMaxData = 1u << 20;  // bytes of an upload's message

  template <class T>
  using Done = std::function<void(Result<T>)>;

  /// Files that may not go, by the names that the session gives them, and who uses each.
  struct InUse {
    struct One {
      std::string file;
      std::string user;   // a node's path, or "the take ..."
      bool take = false;  // nothing else gets this name either, be it there yet or not
    };
    std::vector<One> all;
    std::string base;
  };
  /// Called on any thread; answers on the control strand.
  using AskInUse = std::function<void(Done<InUse>)>;

  /// `now`: for the transfers' idle limit.
  MediaLibrary(media::Roots roots, std::filesystem::path state_folder, AskInUse ask,
               IdleTransfers::Now now = IdleTransfers::Clock::now);
  ~MediaLibrary();

  void list(v1::ListMediaRequest request, Done<v1::ListMediaResponse> done);
  void probe(v1::ProbeMediaRequest request, Done<v1::ProbeMediaResponse> done);
  void get_upload(v1::GetUploadRequest request, Done<v1::GetUploadResponse> done);
  void remove(v1::DeleteMediaRequest request, Done<v1::DeleteMediaResponse> done);
  void upload(v1::UploadMediaRequest::Begin begin, Done<std::shared_ptr<MediaUpload>> done);
  void download(v1::DownloadMediaRequest request, Done<std::shared_ptr<MediaDownload>> done);

  /// Whether a file of ours may be made under this name: its folder is there, no take has or will have the name, and
  /// what it would replace may be replaced and is in nobody's use.
  void check_place(std::string name, bool overwrite, Done<std::monostate> done);

  /// Who transfers has a turn in it; whoever owns the strand checks it now and then.
  [[nodiscard]] IdleTransfers& idle() noexcept { return idle_; }

  /// The daemon ends: whoever still waits for an answer is let go of.
  void close();

 private:
  struct Shared;
  template <class T>
  Done<T> guard(Done<T> done);
  template <class T, class Work>
  void on_line(DiskLines& lines, const std::string& path, Done<T> done, Work work);
  [[nodiscard]] std::string root_of(const std::string& path) const;

  std::shared_ptr<Shared> shared_;  // outlives the library where a line is stuck
  AskInUse ask_;
  IdleTransfers idle_;
  std::mutex mutex_;
  bool closed_ = false;
  std::set<std::shared_ptr<std::function<void()>>> waiting_;  // each drops its `done`
  DiskLines questions_{kQuestions};
  DiskLines uploads_{kUploads};
  DiskLines downloads_{kDownloads};
};

}  // namespace continuo::control
