// THREAD: disk - a take's file written to two destinations at the same time; it lives as long as one of them does
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "server/media/mirror_line.hpp"
#include "server/media/take_file.hpp"

namespace continuo::media {

/// How the two destinations of one take are. Written by the disk side, read by any thread.
class MirrorReport {
 public:
  struct Destination {
    std::filesystem::path file;  // of a take in several files: the first; its final name once `closed`
    std::string error;           // empty: all well. Else it is out of the take; what it has is a part, or ends early
    bool full = false;           // `error` is a full disk
    int open_files = 0;          // neither closed nor lost
    int lost_files = 0;
    [[nodiscard]] bool closed() const noexcept { return open_files == 0; }
  };
  using Both = std::array<Destination, 2>;
  [[nodiscard]] Both read() const {
    const std::lock_guard lock(mutex_);
    return both_;
  }
  void opened(int which, const std::filesystem::path& file);
  void published(int which, const std::filesystem::path& wanted, const std::filesystem::path& name);
  void discarded(int which);
  /// `was_open`: opened() was called for this file.
  void lost(int which, std::string why, bool full, bool was_open);

 private:
  mutable std::mutex mutex_;
  Both both_;
};

/// A TakeFile over two. Each destination has a line (mirror_line.hpp), that is a thread and a queue, of its own; a call
/// returns when the one that is ahead has done it, so neither a slow first nor a slow second holds up the take.
/// - A destination that gives an error is out, and the other one goes on alone. Nothing is sent to it any more: what it
///   has stays as a part, valid up to its last header.
/// - One that falls so far behind that its queue is full (MirrorLine::kMaxBytes) is out as well, unless it is alone.
/// - When the last one fails, its error is the take's, with the bytes that the better of the two kept.
/// - publish() gives the first destination its name, and returns; the second, where it is behind, gets the same name
///   when it has everything (another one where that is taken). A first that does not come to its end within `patience`
///   while the second has everything is out.
class MirrorTakeFile final : public TakeFile {
 public:
  struct Side {
    std::unique_ptr<TakeFile> file;  // null: out from the beginning
    std::shared_ptr<MirrorLine> line;
    std::filesystem::path path;  // the name that it shall have
  };
  static constexpr std::chrono::milliseconds kPatience{800};

  MirrorTakeFile(Side first, Side second, std::shared_ptr<MirrorReport> report,
                 std::chrono::milliseconds patience = kPatience);
  ~MirrorTakeFile() override;

  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& written) override;
  int truncate(std::int64_t size) override;
  int sync() override;
  int look() override;
  int publish(const std::filesystem::path& name, bool overwrite) override;
  void discard() noexcept override;
  [[nodiscard]] std::uint64_t volume() const noexcept override { return volume_; }
  int sync_volume() override;
  [[nodiscard]] std::int64_t free_bytes() const noexcept override;

 private:
  struct Shared;
  struct Leg;
  using Work = std::function<int(TakeFile& file, std::size_t& written)>;
  int run(std::size_t bytes, const Work& work, std::size_t& written);
  void post(const std::shared_ptr<Leg>& leg, std::size_t bytes, std::uint64_t op, const Work& work);
  void lose(Leg& leg, int number, const char* what) { lose(leg, number, what, *report_); }
  static void lose(Leg& leg, int number, const char* what, MirrorReport& report);
  [[nodiscard]] bool publish_first(const std::filesystem::path& name, bool overwrite, int& number);
  void publish_second(const std::filesystem::path& name, bool overwrite, bool wait, int& number);

  const std::shared_ptr<MirrorReport> report_;
  const std::chrono::milliseconds patience_;
  std::shared_ptr<Shared> shared_;
  std::array<std::shared_ptr<Leg>, 2> legs_;
  std::uint64_t op_ = 0;  // the last one that was posted
  std::uint64_t volume_ = 0;
};

/// What makes mirrored files: the first as `make` does, and the one that `second` names.
struct MirrorPlan {
  MakeTakeFile make = {};  // of either; empty: make_take_file
  /// On the second's line, for it may hang: where the file goes whose first is this one.
  std::function<Result<std::filesystem::path>(const std::filesystem::path& first)> second;
  std::shared_ptr<MirrorLine> first_line, second_line;
  std::shared_ptr<MirrorReport> report;
  bool strict = false;  // without the second at the beginning there is no take; else it begins without
};
[[nodiscard]] MakeTakeFile mirrored_files(MirrorPlan plan);

}  // namespace continuo::media
