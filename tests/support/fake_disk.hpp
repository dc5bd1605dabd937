// THREAD: test - a disk of a test's own making: in memory, of a given size; it stalls, fails, and forgets in a power
// cut
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "server/media/take_file.hpp"
#include "server/media/wav_format.hpp"

namespace continuo::media::test {

/// Closed, whoever comes waits; a test opens it. Nobody sleeps.
class Gate {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  void open() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = false;
    }
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
    --waiting_;
  }
  /// Returns once somebody stands before the closed gate.
  void wait_for_one() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  int waiting_ = 0;
};

/// One file and what the disk under it does. Where a disk thread works on it the test looks while that one cannot:
/// before a closed gate, or after the end.
struct FakeDisk {
  std::vector<std::byte> written;
  std::vector<std::byte> synced;  // what a power cut leaves
  std::int64_t capacity = INT64_MAX;
  int fail_write = 0;
  std::int64_t fail_from = 0;  // bytes before it can be written all the same
  int fail_sync = 0;
  int fail_publish = 0;
  int syncs = 0;
  bool published = false;
  bool discarded = false;
  std::function<void()> sync_others;  // on the same volume
  Gate gate;                          // before each write and sync
};

class FakeFile final : public TakeFile {
 public:
  explicit FakeFile(FakeDisk& disk) : disk_(disk) {}
  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& count) override {
    disk_.gate.pass();
    count = 0;
    if (disk_.fail_write != 0 && offset >= disk_.fail_from) return disk_.fail_write;
    const std::int64_t room = std::max<std::int64_t>(0, disk_.capacity - offset);
    count = static_cast<std::size_t>(std::min<std::int64_t>(room, static_cast<std::int64_t>(bytes.size())));
    const auto end = static_cast<std::size_t>(offset) + count;
    if (disk_.written.size() < end) disk_.written.resize(end);
    if (count > 0) std::memcpy(disk_.written.data() + offset, bytes.data(), count);
    return count == bytes.size() ? 0 : ENOSPC;
  }
  int truncate(std::int64_t size) override {
    disk_.written.resize(static_cast<std::size_t>(size));
    return 0;
  }
  int sync() override {
    disk_.gate.pass();
    ++disk_.syncs;
    if (disk_.fail_sync == 0) disk_.synced = disk_.written;
    return disk_.fail_sync;
  }
  int publish(const std::filesystem::path&, bool) override {
    if (disk_.fail_publish != 0) return disk_.fail_publish;
    disk_.synced = disk_.written;
    disk_.published = true;
    return 0;
  }
  void discard() noexcept override { disk_.discarded = true; }
  [[nodiscard]] std::uint64_t volume() const noexcept override { return 1; }
  int sync_volume() override {
    if (disk_.sync_others) disk_.sync_others();
    return sync();
  }
  [[nodiscard]] std::int64_t free_bytes() const noexcept override {
    return disk_.capacity - static_cast<std::int64_t>(disk_.written.size());
  }

 private:
  FakeDisk& disk_;
};

/// A real file whose writes wait, fail or find the disk full when the test says so: for whole engines.
struct Faults {
  Gate gate;
  std::atomic<int> fail_write{0};                 // of sound; the header is written all the same
  std::atomic<std::int64_t> capacity{INT64_MAX};  // bytes a file
  std::atomic<std::int64_t> free{INT64_MAX};      // bytes, as the volume tells
  std::atomic<int> syncs{0};                      // notifies
};
class FaultyFile final : public TakeFile {
 public:
  FaultyFile(std::shared_ptr<Faults> faults, std::unique_ptr<TakeFile> file)
      : faults_(std::move(faults)), file_(std::move(file)) {}
  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& count) override {
    faults_->gate.pass();
    count = 0;
    const auto header = static_cast<std::int64_t>(kTakeHeaderBytes);
    if (const int number = faults_->fail_write; number != 0 && offset >= header) return number;
    const std::int64_t room =
        std::clamp<std::int64_t>(faults_->capacity - offset, 0, static_cast<std::int64_t>(bytes.size()));
    const int number = file_->write_at(offset, bytes.first(static_cast<std::size_t>(room)), count);
    return number == 0 && count < bytes.size() ? ENOSPC : number;
  }
  int truncate(std::int64_t size) override { return file_->truncate(size); }
  int look() override { return file_->look(); }
  int sync() override {
    faults_->gate.pass();
    ++faults_->syncs;
    faults_->syncs.notify_all();
    return file_->sync();
  }
  int publish(const std::filesystem::path& name, bool overwrite) override {
    faults_->gate.pass();
    return file_->publish(name, overwrite);
  }
  void discard() noexcept override { file_->discard(); }
  [[nodiscard]] std::uint64_t volume() const noexcept override { return file_->volume(); }
  int sync_volume() override { return sync(); }
  [[nodiscard]] std::int64_t free_bytes() const noexcept override { return faults_->free; }

 private:
  const std::shared_ptr<Faults> faults_;
  const std::unique_ptr<TakeFile> file_;
};
inline MakeTakeFile faulty_files(std::shared_ptr<Faults> faults) {
  return [faults = std::move(faults)](const std::filesystem::path& path) -> Result<std::unique_ptr<TakeFile>> {
    auto file = make_take_file(path);
    if (!file) return file.error();
    return std::unique_ptr<TakeFile>(new FaultyFile(faults, std::move(*file)));
  };
}

}  // namespace continuo::media::test
