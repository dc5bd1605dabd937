#include "server/media/disk_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace continuo::media {
namespace {

// Rings are seconds deep, so this bounds only how soon a new stream or an emptied ring is noticed.
constexpr std::chrono::milliseconds kPeriod{10};
// One stream's share of a round: while others wait, none is filled to the brim.
constexpr std::size_t kShareFrames = 8192;

/// A thread that sleeps until it is woken, or for kPeriod while `round` says that there is something to watch.
class Worker {
 public:
  enum class Next { at_once, in_a_while, when_woken };

  template <class Round>
  Worker(const char* name, Round round)
      : thread_([this, name, round = std::move(round)] {
          pthread_setname_np(pthread_self(), name);
          run(round);
        }) {}

  void wake() {
    {
      const std::lock_guard lock(mutex_);
      woken_ = true;
    }
    condition_.notify_one();
  }
  /// One more whole round, whatever the thread is in the middle of, then no more.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    condition_.notify_one();
    thread_.join();
  }

 private:
  template <class Round>
  void run(const Round& round) {
    std::unique_lock lock(mutex_);
    for (bool last = false; !last;) {
      last = stopping_;
      woken_ = false;
      lock.unlock();
      const Next next = round();
      lock.lock();
      const auto ready = [this] { return woken_ || stopping_; };
      if (next == Next::in_a_while) condition_.wait_for(lock, kPeriod, ready);
      if (next == Next::when_woken) condition_.wait(lock, ready);
    }
  }

  std::mutex mutex_;
  std::condition_variable condition_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

struct Stream {
  std::shared_ptr<StreamReader> reader;
  std::function<void()> primed;  // empty once called
};

struct Take {
  std::shared_ptr<TakeWriter> writer;
  std::function<void(TakeResult)> done;
  std::function<void(TakeResult)> failed;  // empty once called
};

/// Where the control thread leaves things for a disk thread.
template <class T>
class Inbox {
 public:
  void put(T item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  std::deque<T> take_all() {
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
  }

 private:
  std::mutex mutex_;
  std::deque<T> items_;
};

}  // namespace

struct DiskPool::Impl {
  explicit Impl(std::function<void()> before) : before_work(std::move(before)) {}

  const std::function<void()> before_work;
  Inbox<Stream> new_streams;
  Inbox<std::shared_ptr<StreamReader>> released;
  Inbox<Take> new_takes;
  Inbox<std::function<bool()>> new_rounds;
  Inbox<std::function<void()>> posted;
  Inbox<std::function<void()>> for_later;

  std::vector<Stream> streams;                         // read thread only
  std::vector<std::shared_ptr<StreamReader>> leaving;  // read thread only: out of the pool, still owned by others
  std::vector<Take> takes;                             // write thread only
  std::vector<std::function<bool()>> rounds;           // write thread only
  TakeWriter::Clock::time_point flushed{};             // write thread only
  TakeWriter::Clock::time_point headed{};              // write thread only
  mutable std::mutex room_mutex;
  std::map<std::uint64_t, std::int64_t> room;  // free bytes by volume
  std::atomic<bool> stopping{false};

  // Last, so that they start when all else is there.
  Worker read{"continuo-read", [this] { return read_round(); }};
  Worker write{"continuo-write", [this] { return write_round(); }};
  Worker open{"continuo-open", [this] { return open_round(); }};
  Worker close{"continuo-close", [this] { return close_round(); }};

  Worker::Next read_round() {
    for (Stream& stream : new_streams.take_all()) streams.push_back(std::move(stream));
    for (auto& reader : released.take_all()) {
      std::erase_if(streams, [&](const Stream& s) { return s.reader == reader; });
      leaving.push_back(std::move(reader));
    }
    // Not for synchronisation: it decides only which thread destroys, and the last owner is alone.
    std::erase_if(leaving, [](const auto& reader) { return reader.use_count() == 1; });
    bool busy = false;
    for (Stream& stream : streams) {
      busy = stream.reader->fill(kShareFrames) > 0 || busy;
      if (stream.primed && stream.reader->primed()) std::exchange(stream.primed, nullptr)();
    }
    if (busy) return Worker::Next::at_once;
    return streams.empty() && leaving.empty() ? Worker::Next::when_woken : Worker::Next::in_a_while;
  }

  Worker::Next write_round() {
    const bool newcomers = take_newcomers();
    for (auto& round : new_rounds.take_all()) rounds.push_back(std::move(round));
    std::erase_if(rounds, [](const auto& round) { return round(); });
    std::vector<Take> finished;
    std::erase_if(takes, [&](Take& take) {
      if (!take.writer->drain(false)) return false;
      finished.push_back(std::move(take));
      return true;
    });
    const auto now = TakeWriter::Clock::now();
    std::chrono::nanoseconds flush_every = TakeWriter::kFlushEvery;
    for (const Take& take : takes) flush_every = std::min(flush_every, take.writer->flush_every());
    const bool flush_due = now - flushed >= flush_every;
    if (flush_due || now - headed >= TakeWriter::kHeaderEvery) {
      headed = now;
      if (flush_due) flushed = now;
      flush(flush_due);
    }
    if (flush_due || newcomers || !finished.empty()) look_for_room();
    for (Take& take : takes) {
      if (take.failed && take.writer->closed()) std::exchange(take.failed, nullptr)(take.writer->result());
    }
    for (Take& take : finished) take.done(take.writer->result());
    return takes.empty() && rounds.empty() ? Worker::Next::when_woken : Worker::Next::in_a_while;
  }

  bool take_newcomers() {
    std::deque<Take> all = new_takes.take_all();
    for (Take& take : all) takes.push_back(std::move(take));
    return !all.empty();
  }

  /// Headers; and one sync a volume where it is due: a sync a take and second stalls this thread once there are many.
  void flush(bool with_sync) {
    std::map<std::uint64_t, std::vector<TakeWriter*>> volumes;
    for (const Take& take : takes) {
      if (with_sync) take.writer->look();
      if (take.writer->update_header()) volumes[take.writer->volume()].push_back(take.writer.get());
    }
    if (!with_sync) return;
    for (const auto& [volume, writers] : volumes) {
      writers.front()->sync(writers.size() > 1);
      if (writers.front()->closed()) continue;  // it failed: the others try for themselves, with the next flush
      for (TakeWriter* writer : writers) writer->told_synced();
    }
  }

  void look_for_room() {
    std::map<std::uint64_t, std::int64_t> now;
    for (const Take& take : takes) {
      if (!now.contains(take.writer->volume())) now[take.writer->volume()] = take.writer->free_bytes();
    }
    const std::lock_guard lock(room_mutex);
    room = std::move(now);
  }

  Worker::Next open_round() {
    for (auto& work : posted.take_all()) {
      if (before_work) before_work();
      if (stopping.load(std::memory_order_relaxed)) break;
      work();
    }
    return Worker::Next::when_woken;
  }

  Worker::Next close_round() {
    for (auto& work : for_later.take_all()) work();
    return Worker::Next::when_woken;
  }
};

DiskPool::DiskPool(std::function<void()> before_work) : impl_(std::make_unique<Impl>(std::move(before_work))) {}

DiskPool::~DiskPool() {
  impl_->stopping.store(true, std::memory_order_relaxed);
  impl_->open.stop();
  impl_->write.stop();
  impl_->read.stop();
  for (Take& take : impl_->new_takes.take_all()) impl_->takes.push_back(std::move(take));
  for (const Take& take : impl_->takes) {
    take.writer->abandon();
    while (!take.writer->drain()) {
    }
  }
  impl_->close.stop();
}

void DiskPool::add(std::shared_ptr<StreamReader> stream, std::function<void()> primed) {
  impl_->new_streams.put({std::move(stream), std::move(primed)});
  impl_->read.wake();
}

void DiskPool::release(const std::shared_ptr<StreamReader>& stream) {
  impl_->released.put(stream);
  impl_->read.wake();
}

std::map<std::uint64_t, std::int64_t> DiskPool::free_bytes() const {
  const std::lock_guard lock(impl_->room_mutex);
  return impl_->room;
}

void DiskPool::add(std::shared_ptr<TakeWriter> take, std::function<void(TakeResult)> done,
                   std::function<void(TakeResult)> failed) {
  impl_->new_takes.put({std::move(take), std::move(done), std::move(failed)});
  impl_->write.wake();
}

void DiskPool::post_later(std::function<void()> work) {
  impl_->for_later.put(std::move(work));
  impl_->close.wake();
}

void DiskPool::add_round(std::function<bool()> round) {
  impl_->new_rounds.put(std::move(round));
  impl_->write.wake();
}

void DiskPool::post(std::function<void()> work) {
  impl_->posted.put(std::move(work));
  impl_->open.wake();
}

}  // namespace continuo::media
