// THREAD: control adds and removes, its own disk threads work - keeps every stream full and every take drained
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "server/media/stream_reader.hpp"
#include "server/media/take_writer.hpp"

namespace continuo::media {

/// Four threads: continuo-read fills, continuo-write drains, continuo-open does what is posted, continuo-close what is
/// left for later, so that neither a stalled write nor a slow folder starves a player. Each wakes every few
/// milliseconds while there is work to watch, and at once when something is added; with nothing to do they sleep.
class DiskPool {
 public:
  /// `before_work`: called on its thread before each piece of work that was posted; for tests with a slow disk.
  explicit DiskPool(std::function<void()> before_work = {});
  /// Joins, when no audio callback runs any more: streams and takes still inside are destroyed, takes closed first.
  /// Work posted and not begun is dropped; no callback is called for any of these.
  ~DiskPool();
  DiskPool(const DiskPool&) = delete;
  DiskPool& operator=(const DiskPool&) = delete;

  /// Fills `stream` until release() is called for it. `primed` is called once, on the disk thread, when it may be
  /// handed over.
  void add(std::shared_ptr<StreamReader> stream, std::function<void()> primed);
  /// Takes it out; once the pool is its last owner it is destroyed, on the disk thread. Control thread; does not wait.
  void release(const std::shared_ptr<StreamReader>& stream);

  /// Drains `take` until it is finished, then calls `done` on the disk thread. `failed`: before that, where a full or
  /// sick disk closed the file ahead of its end; the audio thread may then be told to let go of it.
  void add(std::shared_ptr<TakeWriter> take, std::function<void(TakeResult)> done,
           std::function<void(TakeResult)> failed = {});

  /// What else is drained, before the takes, until it says true.
  void add_round(std::function<bool()> round);

  /// Any thread: what the volumes of the running takes had left (bytes, by TakeWriter::volume()) at the last flush.
  [[nodiscard]] std::map<std::uint64_t, std::int64_t> free_bytes() const;

  /// Runs `work` on a disk thread, after what was posted before: opening, probing. Never blocks the caller.
  void post(std::function<void()> work);
  /// The same on another disk thread, for what no player waits for: closing a take's part, repairing. Unlike what is
  /// posted it is done before the pool goes.
  void post_later(std::function<void()> work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::media
