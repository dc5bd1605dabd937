// THREAD: control, which leaves the writing to a worker - jobs in the state folder, so that a restart still knows them
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "continuo/v1/job.pb.h"
#include "server/control/worker.hpp"

namespace continuo::control {

/// A file for each job, which appears whole; and one for the numbers, reserved in blocks before any of them is given:
/// after a crash the rest of a block is lost, never given again. Its bound is the table's.
class JobStore {
 public:
  static constexpr std::uint64_t kBlock = 1000;
  static constexpr std::size_t kMostRead = 2000;  // files; others are not looked at

  /// Reads what there is and reserves (short files, once at the start). Where the folder cannot be written, numbers
  /// begin at one made of the time.
  explicit JobStore(std::filesystem::path folder);

  struct Record {
    v1::Job job;
    std::string request_id;  // of what started it, with its digest; empty: none
    std::string content;
    std::int64_t begun_ns = 0;
  };
  /// As they were written, in order of their numbers. Once.
  [[nodiscard]] std::vector<Record> take_found() { return std::move(found_); }

  [[nodiscard]] std::uint64_t next_id();
  void keep(const Record& record);
  void forget(std::uint64_t id);
  /// All of that is on the disk; false after `limit`.
  [[nodiscard]] bool wait_idle(std::chrono::milliseconds limit) { return worker_.wait_idle(limit); }

 private:
  [[nodiscard]] std::filesystem::path file_of(std::uint64_t id) const;
  void read();

  const std::filesystem::path folder_;
  std::vector<Record> found_;
  std::uint64_t next_ = 1;
  std::uint64_t reserved_ = 1;
  Worker worker_{"continuo-jobs"};
};

}  // namespace continuo::control
