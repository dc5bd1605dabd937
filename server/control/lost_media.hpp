// THREAD: control, which asks the disk threads - files that went away while they were played, and come back
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "server/control/delivery.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/sources.hpp"
#include "server/control/strand.hpp"
#include "server/control/timer.hpp"
#include "server/control/transport.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/file_stamp.hpp"

namespace continuo::control {

/// Looks, now and again, for files that players could not read on: a disk that was unplugged, a share that is there
/// again, a file that was cut off and copied anew. Each is the same at two looks and was read, where it is needed too,
/// before its players get other streams: in their places in time, faded in. One with another content than was known is
/// probed anew: length, channels and rate are then the new ones'; it is looked at on, for it may have been half of it.
class LostMedia {
 public:
  static constexpr std::size_t kAtOnce = 16;        // files a look; the rest have their turn
  static constexpr std::size_t kMostFollowed = 64;  // that came back as others; the first by name are let go of

  struct Parts {
    Strand& strand;
    media::DiskPool& pool;
    JobQueue& jobs;
    Graph& graph;
    MediaCache& media;
    Sources& sources;
    Transport& transport;
    Delivery& delivery;
    std::function<void()> changed;  // what is known of a file is another thing
  };
  LostMedia(Parts parts, std::chrono::milliseconds every);
  /// The shutdown: no more looks.
  void close();

 private:
  using Stamp = std::optional<media::FileStamp>;
  struct Asked {
    std::string name;
    std::vector<std::int64_t> at;  // frames of the file that are wanted now
    Stamp before;                  // of the look before
    Stamp known;                   // of the file that is played, where it is followed
  };
  struct Seen {
    std::string name;
    Stamp stamp;
    std::optional<media::MediaInfo> info;  // it is there, and was read
  };
  void wait();
  void look();
  [[nodiscard]] std::vector<Asked> questions();
  [[nodiscard]] std::vector<std::int64_t> wanted_of(const std::string& file) const;
  void looked(std::vector<Seen> seen, const std::string& base);
  void came(std::vector<Seen> here, const std::string& base);

  Parts parts_;
  const std::chrono::milliseconds every_;
  Timer timer_;
  bool closed_ = false;
  std::string last_;                              // the last one that was looked at
  std::map<std::string, media::FileStamp> seen_;  // at the look before
  std::map<std::string, media::FileStamp> followed_;
};

}  // namespace continuo::control
