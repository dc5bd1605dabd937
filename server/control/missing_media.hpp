// THREAD: control, which asks the disk threads - files that were missing and come later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/control/delivery.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/strand.hpp"
#include "server/control/timer.hpp"
#include "server/media/disk_pool.hpp"

namespace continuo::control {

/// Looks for what the session names and could not be played, now and again: a file that is uploaded, copied, or on a
/// volume that is mounted late sounds without a reload, its players in their places. A file that still grows is left
/// alone: it has to be the same at two looks.
class MissingMedia {
 public:
  static constexpr std::size_t kAtOnce = 16;  // files a look; the rest have their turn

  struct Parts {
    Strand& strand;
    media::DiskPool& pool;
    JobQueue& jobs;
    Graph& graph;
    MediaCache& media;
    Delivery& delivery;
  };
  MissingMedia(Parts parts, std::chrono::milliseconds every);
  /// The shutdown: no more looks.
  void close();

 private:
  struct Stamp {
    std::int64_t bytes = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::vector<std::pair<std::string, std::optional<Stamp>>>;
  void wait();
  void look();
  void looked(const Stamps& stamps, const std::string& base);
  void came(const std::string& base, MediaCache::Found found);

  Parts parts_;
  const std::chrono::milliseconds every_;
  Timer timer_;
  bool closed_ = false;
  std::string last_;                   // the last one that was looked at
  std::map<std::string, Stamp> seen_;  // at the look before
};

}  // namespace continuo::control
