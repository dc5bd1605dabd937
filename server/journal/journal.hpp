// THREAD: any but audio adds and asks, its own ("continuo-journal") writes and reads - what happened, and when
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "continuo/v1/event.pb.h"
#include "server/base/result.hpp"
#include "server/journal/store.hpp"

namespace continuo::journal {

/// Whoever adds never waits for the disk. Bound: kMaxWaiting events; the loser is the newcomer, which is counted, and
/// the count is told in the answers and by the next event that fits. Edits of values by one client within kGather
/// become one event that says how many they were.
class Journal {
 public:
  static constexpr std::size_t kMaxWaiting = 4096;
  static constexpr std::size_t kMaxQuestions = 64;
  static constexpr std::chrono::milliseconds kGather{200};
  static constexpr std::uint32_t kDefaultPage = 200;
  static constexpr std::uint32_t kMaxPage = 1000;

  /// Where it comes from, for tests; empty: the system's.
  struct Clocks {
    std::function<std::int64_t()> utc_ns;
    std::function<std::int64_t()> engine_frame;  // any thread
  };
  /// `folder`: of journal.db, made where it is not there. It is opened on the thread; what goes wrong there is what
  /// problem() says.
  Journal(std::filesystem::path folder, Clocks clocks);
  /// Writes what waits.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Time and frame are set here. `values_only`: it may be gathered with others of its origin.
  void add(v1::Event event, bool values_only = false);

  /// `done` on its thread, behind what was added before. INVALID_ARGUMENT names the field; RESOURCE_EXHAUSTED where
  /// kMaxQuestions wait.
  using Done = std::function<void(Result<v1::ListEventsResponse>)>;
  void list(const v1::ListEventsRequest& request, Done done);

  /// Why nothing is written; empty: it is.
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

 private:
  struct Question {
    Store::Query query;
    Done done;
  };
  void run();
  void write(std::deque<Store::Entry>& entries);
  void answer(const Question& question);

  const std::filesystem::path folder_;
  const Clocks clocks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Store::Entry> waiting_;
  std::deque<Question> questions_;
  std::string problem_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> lost_{0};
  std::uint64_t told_lost_ = 0;   // its thread's
  std::unique_ptr<Store> store_;  // its thread's
  std::thread thread_;            // last: it uses the others
};

}  // namespace continuo::journal
