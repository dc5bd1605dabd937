#include "server/media/take_repair.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "server/media/flac_head.hpp"
#include "server/media/left_file.hpp"
#include "server/media/take_file.hpp"
#include "server/media/take_header.hpp"

namespace continuo::media {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLooked = 1'000'000;  // names in the folder: no daemon looks for ever

/// The sound that a header of ours begins becomes a file of whole frames. An errno.
int mend_wav(const LeftFile& part, const WavHeader& header, std::int64_t& frames) {
  std::vector<std::int64_t> marks = marks_in(header.chunks.before_data);
  frames = (part.size() - header.bytes) / header.format.frame_bytes();
  std::erase_if(marks, [&](std::int64_t mark) { return mark >= frames; });
  const std::int64_t end = header.bytes + frames * header.format.frame_bytes();
  const std::vector<std::byte> pad = wav_trailer(header.format, frames);
  const auto pad_bytes = static_cast<std::int64_t>(pad.size());
  const auto bext = header.chunks.before_format;
  const auto whole = bext.empty() ? wav_header(header.format, frames, pad_bytes)
                                  : take_header(header.format, bext, marks, frames, pad_bytes, true);
  if (const int error = part.truncate(end)) return error;
  if (const int error = part.write(end, pad)) return error;
  if (const int error = part.write(0, whole)) return error;
  return part.sync();
}

int mend_flac(const LeftFile& part, const FlacFormat& format, std::vector<std::string> comments, const FlacEnd& end) {
  std::vector<std::int64_t> marks;
  std::erase_if(comments, [&](const std::string& comment) {
    if (!comment.starts_with(kMarkersComment)) return false;
    marks = marks_of_comment(std::string_view(comment).substr(kMarkersComment.size()));
    return true;
  });
  std::erase_if(marks, [&](std::int64_t mark) { return mark >= end.frames; });
  if (const int error = part.truncate(end.at)) return error;
  if (const int error = part.write(0, flac_head(format, end.frames, comments, marks, true))) return error;
  return part.sync();
}

int give_name(const fs::path& part, fs::path& name) {
  name = fs::path(part).replace_extension();  // ".part" goes
  const int error = give_free_name(name, [&](const fs::path& to) { return move_without_replacing(part, to); });
  return error == 0 ? sync_names_of(name.parent_path()) : error;
}

std::optional<RepairedTake> repair(const fs::path& path, bool take_folder) {
  LeftFile part(path);
  if (!part.mine()) return std::nullopt;
  std::error_code none;
  if (part.size() == 0 && take_folder) fs::remove(path, none);  // cut off before its header
  const std::vector<std::byte> head = part.read(0, kTakeHeaderBytes);
  RepairedTake take{path, 0, 0, 0, {}};
  int error = 0;
  if (const auto wav = read_wav_header(head)) {
    take.channels = wav->format.channels;
    take.sample_rate_hz = wav->format.sample_rate_hz;
    if (part.size() >= wav->bytes + wav->format.frame_bytes()) error = mend_wav(part, *wav, take.frames);
  } else if (const auto flac = read_flac_stream(head)) {
    FlacComments comments = read_flac_comments(head);
    if (!comments.ours || head.size() < kFlacHeadBytes) return std::nullopt;
    take.channels = flac->format.channels;
    take.sample_rate_hz = flac->format.sample_rate_hz;
    const FlacEnd end = last_whole_frame(part, flac->format);
    take.frames = end.frames;
    if (end.frames > 0) error = mend_flac(part, flac->format, std::move(comments.all), end);
  } else {
    return std::nullopt;
  }
  if (take.frames == 0) {
    fs::remove(path, none);
    return std::nullopt;
  }
  if (error == 0) error = give_name(path, take.file);
  if (error == 0) return take;
  take.file = path;
  take.error = disk_error(error, path, "cannot repair").message;
  return take;
}

/// "x.wav.4711.part" is a render's, and not ours.
bool is_part(const fs::path& path) {
  const std::string ending = path.stem().extension().string();
  return path.extension() == ".part" && (ending.size() < 2 || ending.find_first_not_of("0123456789", 1) != ending.npos);
}

}  // namespace

std::vector<RepairedTake> repair_takes(const fs::path& folder, bool take_folder, const std::function<bool()>& stop) {
  // All names first: a file that is renamed under the walk might be met twice.
  std::vector<fs::path> parts;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied, error);
  for (int looked = 0; !error && entry != fs::recursive_directory_iterator() && looked < kMaxLooked; ++looked) {
    if (stop && stop()) return {};
    std::error_code unknown;
    if (is_part(entry->path()) && !entry->is_symlink(unknown)) parts.push_back(entry->path());
    entry.increment(error);
  }
  std::ranges::sort(parts);  // those of one take in their order
  std::vector<RepairedTake> repaired;
  for (const fs::path& path : parts) {
    if (stop && stop()) break;
    if (auto take = repair(path, take_folder)) repaired.push_back(std::move(*take));
  }
  return repaired;
}

}  // namespace continuo::media
