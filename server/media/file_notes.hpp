// THREAD: disk - what a sound file says beside its sound: where it comes from, and its marks
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace continuo::media {

struct BroadcastNote {
  std::string description, originator, originator_reference, date, time;
  std::uint64_t time_reference = 0;  // frames since midnight
};

struct MarkNote {
  std::int64_t frame = 0;
  std::string label;
};

struct FileNotes {
  bool bw64 = false;
  std::optional<BroadcastNote> broadcast;
  std::vector<MarkNote> marks;  // by frame: the first kMaxNotedMarks of the file
};

inline constexpr std::size_t kMaxNotedMarks = 1000;

/// Of WAV, RF64, BW64 (bext; cue and its labels, wherever they lie), AIFF (MARK), and FLAC (a take's comments:
/// those that have a TIME_REFERENCE, and MARKERS); of all else nothing. The chunks
/// are walked here, for libsndfile leaves cues of an RF64 out; damaged ones are passed over. Reads at most a few
/// hundred KiB, whatever the file's sizes claim.
[[nodiscard]] FileNotes read_notes(const std::filesystem::path& file);

}  // namespace continuo::media
