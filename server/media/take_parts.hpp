// THREAD: disk writes; names and errors: any - the files of a take, side by side and one after the other
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/take_part.hpp"
#include "server/media/take_writer.hpp"

namespace continuo::media {

/// The members of a request that one must fit the other.
[[nodiscard]] Result<> check_take(const TakeRequest& request);

/// A part is one file, or one a channel. After `part_frames` the next begins: its files were made while this one still
/// ran, and the finished one is closed (synced, named) by TakeRequest::later, while sound goes on into the next. At
/// most kMaxClosing parts are on their way to their names; the one that comes then is closed before sound goes on.
class TakeParts {
 public:
  static constexpr int kMaxClosing = 4;
  static constexpr std::uint32_t kMaxFiles = 10'000;  // of a take: then its last part goes on to the end
  static constexpr double kAheadSeconds = 10.0;       // the next part is made so long before its time

  TakeParts(const TakeRequest& request, const WavFormat& format);
  ~TakeParts();

  /// The first part, over files that were made. On an error they are discarded.
  [[nodiscard]] Result<> begin(std::vector<std::unique_ptr<TakeFile>> files);
  /// The names of part `number` (from 1).
  [[nodiscard]] std::vector<std::filesystem::path> names_of(std::uint32_t number) const;

  /// Interleaved frames of the take; `frame`: from which the dither follows. `hole`: silence where frames were lost.
  /// False: a disk failed; then close().
  [[nodiscard]] bool append(std::span<const float> samples, std::int64_t frame, Dither dither, bool hole);
  /// The next frame is the first of a hole.
  void mark();
  /// Where the take's first frame belongs.
  void set_place(const TakePlace& place) { place_ = place; }

  /// Makes one file of the next part, where it is time. Whoever drains calls it in every round.
  void look_ahead();
  /// Headers. False: a disk failed; then close().
  [[nodiscard]] bool update();
  [[nodiscard]] int sync(bool whole_volume);
  /// The files are where they were made. False: one is not; then close().
  [[nodiscard]] bool look();
  /// The part that is open is closed, with all that fits.
  void close();
  void discard() noexcept;
  /// Every part has its name.
  [[nodiscard]] bool all_named() const;

  [[nodiscard]] std::int64_t frames() const noexcept { return now_.from + now_.kept; }
  [[nodiscard]] std::uint64_t unmarked() const noexcept { return unmarked_; }
  [[nodiscard]] std::int64_t free_bytes() const noexcept;
  [[nodiscard]] std::uint64_t volume() const noexcept { return volume_; }
  [[nodiscard]] const std::filesystem::path& wanted() const noexcept;

  [[nodiscard]] std::vector<std::filesystem::path> names() const;  // part by part, those that are open too
  [[nodiscard]] std::string error() const;                         // the first
  void fail(std::string why);

 private:
  struct Part {
    std::uint32_t number = 1;
    std::vector<std::unique_ptr<TakePart>> files;
    std::int64_t from = 0;  // its first frame, of the take's
    std::int64_t kept = 0;
    std::vector<std::int64_t> marks;
  };
  struct Shared;

  [[nodiscard]] std::unique_ptr<TakePart> make_part(const std::filesystem::path& name,
                                                    std::unique_ptr<TakeFile> file) const;
  [[nodiscard]] Result<> make_next_file();
  [[nodiscard]] TakeNotes notes_of(const Part& part, std::size_t file) const;
  [[nodiscard]] bool next_part();
  [[nodiscard]] bool full() const noexcept;
  void close_now(Part& part);
  void discard_next() noexcept;
  void announce(const Part& part);

  const TakeRequest request_;
  const WavFormat format_;  // of the take
  const WavFormat file_format_;
  TakePlace place_;
  Part now_;
  Part next_;  // while files are missing: not all there yet
  bool next_failed_ = false;
  bool in_hole_ = false;
  std::uint64_t unmarked_ = 0;
  std::uint64_t volume_ = 0;
  std::vector<float> one_channel_;
  std::vector<std::byte> bytes_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace continuo::media
