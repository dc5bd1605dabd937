#include "server/media/file_notes.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "server/media/block_file.hpp"
#include "server/media/file_text.hpp"
#include "server/media/flac_head.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kMaxChunk = 256 * 1024;  // of a chunk that is read; what lies behind is passed over
constexpr int kMaxChunks = 4096;               // more are not looked at

/// Bytes of a chunk. What lies beyond its end reads as 0.
struct Bytes {
  std::string data;
  bool big_endian = false;

  [[nodiscard]] std::uint64_t number(std::size_t at, std::size_t bytes) const {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::size_t place = at + (big_endian ? i : bytes - 1 - i);
      value = value << 8 | (place < data.size() ? static_cast<unsigned char>(data[place]) : 0u);
    }
    return value;
  }
  [[nodiscard]] std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
  [[nodiscard]] std::string_view text(std::size_t at, std::size_t bytes) const {
    return at >= data.size() ? std::string_view{} : std::string_view(data).substr(at, bytes);
  }
};

/// One chunk after the other, of RIFF or of IFF.
class Chunks {
 public:
  explicit Chunks(BlockFile& file) : file_(file) {}

  [[nodiscard]] Bytes read(std::int64_t at, std::uint64_t bytes) const {
    Bytes out{std::string(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, kMaxChunk)), '\0'), big_endian_};
    out.data.resize(file_.read_at(at, out.data.data(), out.data.size()));
    return out;
  }
  /// Calls visit(id, place, size) for each; a size that the header leaves to ds64 is found there.
  template <class Visit>
  void each(Visit&& visit) {
    const Bytes head = read(0, 12);
    big_endian_ = head.text(0, 4) == "FORM";
    std::uint64_t data_bytes = 0;
    std::int64_t at = 12;
    for (int i = 0; i < kMaxChunks && at + 8 <= file_.size(); ++i) {
      const Bytes chunk = read(at, 8);
      const std::string id(chunk.text(0, 4));
      std::uint64_t size = chunk.u32(4);
      if (id == "ds64") data_bytes = read(at + 8, size).number(8, 8);
      if (id == "data" && size == 0xffffffff) size = data_bytes;
      if (size > static_cast<std::uint64_t>(file_.size() - at - 8))
        size = static_cast<std::uint64_t>(file_.size() - at - 8);
      visit(id, at + 8, size);
      at += 8 + static_cast<std::int64_t>(size + (size & 1));
    }
  }

 private:
  BlockFile& file_;
  bool big_endian_ = false;
};

BroadcastNote broadcast_of(const Bytes& chunk) {
  BroadcastNote note;
  note.description = readable(chunk.text(0, 256));
  note.originator = readable(chunk.text(256, 32));
  note.originator_reference = readable(chunk.text(288, 32));
  note.date = readable(chunk.text(320, 10));
  note.time = readable(chunk.text(330, 8));
  note.time_reference = chunk.number(338, 8);
  return note;
}

class Marks {
 public:
  void add_cues(const Bytes& chunk) {
    const std::uint32_t count = chunk.u32(0);
    for (std::size_t i = 0; i < count && frames_.size() < kMaxNotedMarks && 4 + (i + 1) * 24 <= chunk.data.size();
         ++i) {
      const std::size_t at = 4 + i * 24;
      frames_.emplace_back(chunk.u32(at), chunk.u32(at + 20));
    }
  }
  void add_labels(const Bytes& list) {
    if (list.text(0, 4) != "adtl") return;
    for (std::size_t at = 4; at + 12 <= list.data.size() && labels_.size() < 4 * kMaxNotedMarks;) {
      const std::uint32_t size = list.u32(at + 4);
      if (list.text(at, 4) == "labl" && size >= 4) labels_.try_emplace(list.u32(at + 8), list.text(at + 12, size - 4));
      at += 8 + std::size_t{size} + (size & 1u);
    }
  }
  /// AIFF: a number, a frame, a Pascal string that is padded to an even length.
  void add_marks(const Bytes& chunk) {
    const auto count = static_cast<std::size_t>(chunk.number(0, 2));
    std::size_t at = 2;
    for (std::size_t i = 0; i < count && frames_.size() < kMaxNotedMarks && at + 7 <= chunk.data.size(); ++i) {
      const auto id = static_cast<std::uint32_t>(chunk.number(at, 2));
      const auto length = static_cast<std::size_t>(chunk.number(at + 6, 1));
      frames_.emplace_back(id, chunk.u32(at + 2));
      labels_.try_emplace(id, chunk.text(at + 7, length));
      at += 7 + length + (length + 1) % 2;
    }
  }
  [[nodiscard]] std::vector<MarkNote> take() const {
    std::vector<MarkNote> marks;
    for (const auto& [id, frame] : frames_) {
      const auto label = labels_.find(id);
      marks.push_back({frame, label == labels_.end() ? std::string() : readable(label->second)});
    }
    // By frame and label: not stable_sort, whose buffer clang calls deprecated.
    std::ranges::sort(marks, {}, [](const MarkNote& mark) { return std::tie(mark.frame, mark.label); });
    return marks;
  }

 private:
  std::vector<std::pair<std::uint32_t, std::int64_t>> frames_;
  std::map<std::uint32_t, std::string> labels_;
};

/// What a take's FLAC says as comments, by the names that vorbis_comments() gives it.
void read_comments(const Chunks& file, FileNotes& notes) {
  const Bytes head = file.read(0, kMaxChunk);
  const auto* bytes = reinterpret_cast<const std::byte*>(head.data.data());
  BroadcastNote note;
  bool broadcast = false;
  for (const std::string& comment : read_flac_comments({bytes, head.data.size()}).all) {
    const std::size_t equals = std::min(comment.find('='), comment.size());
    const std::string_view name = std::string_view(comment).substr(0, equals);
    const std::string_view value = std::string_view(comment).substr(std::min(equals + 1, comment.size()));
    if (name == "DESCRIPTION") note.description = readable(value);
    if (name == "ORIGINATOR") note.originator = readable(value);
    if (name == "ORIGINATOR_REFERENCE") note.originator_reference = readable(value);
    if (name == "ORIGINATION_DATE") note.date = readable(value);
    if (name == "ORIGINATION_TIME") note.time = readable(value);
    std::int64_t frames = 0;
    if (name == "TIME_REFERENCE" &&
        std::from_chars(value.data(), value.data() + value.size(), frames).ec == std::errc{}) {
      broadcast = true;
      note.time_reference = static_cast<std::uint64_t>(std::max<std::int64_t>(0, frames));
    }
    if (!comment.starts_with(kMarkersComment)) continue;
    for (const std::int64_t mark : marks_of_comment(value)) notes.marks.push_back({mark, {}});
  }
  if (broadcast) notes.broadcast = std::move(note);
}

}  // namespace

FileNotes read_notes(const std::filesystem::path& path) {
  FileNotes notes;
  const auto file = BlockFile::open(path);
  if (!file) return notes;
  Chunks chunks(**file);
  const Bytes head = chunks.read(0, 12);
  const std::string_view kind = head.text(0, 4);
  const std::string_view form = head.text(8, 4);
  notes.bw64 = kind == "BW64";
  const bool wave = (kind == "RIFF" || kind == "RF64" || notes.bw64) && form == "WAVE";
  const bool aiff = kind == "FORM" && (form == "AIFF" || form == "AIFC");
  if (kind == "fLaC") read_comments(chunks, notes);
  if (!wave && !aiff) return notes;
  Marks marks;
  chunks.each([&](const std::string& id, std::int64_t at, std::uint64_t size) {
    if (wave && id == "bext" && !notes.broadcast) notes.broadcast = broadcast_of(chunks.read(at, size));
    if (wave && id == "cue ") marks.add_cues(chunks.read(at, size));
    if (wave && id == "LIST") marks.add_labels(chunks.read(at, size));
    if (aiff && id == "MARK") marks.add_marks(chunks.read(at, size));
  });
  notes.marks = marks.take();
  return notes;
}

}  // namespace continuo::media
