#include "server/media/file_stamp.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "server/media/decode.hpp"
#include "server/media/file_time.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kReadFrames = 4096;
constexpr std::int64_t kAheadSeconds = 2;

}  // namespace

std::optional<FileStamp> stamp_of(const std::filesystem::path& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return std::nullopt;
  return FileStamp{status.st_size, modified_ns(status), status.st_ino};
}

Result<MediaInfo> probe_sound(const std::filesystem::path& file, const std::vector<std::int64_t>& at) {
  auto opened = Decoder::open(file);
  if (!opened) return opened.error();
  Decoder& decoder = **opened;
  const MediaInfo info = decoder.info();
  std::vector<float> samples(static_cast<std::size_t>(kReadFrames) * info.channels);
  const auto read = [&](std::int64_t from, std::int64_t until) {
    for (std::int64_t frame = from; frame < until; frame += kReadFrames) {
      const auto frames = static_cast<std::size_t>(std::min(kReadFrames, until - frame));
      if (!decoder.seek(frame) || decoder.read(samples.data(), frames) != frames) return false;
    }
    return true;
  };
  bool whole = read(0, std::min(kReadFrames, info.frames));
  for (const std::int64_t frame : at)
    whole = whole && (frame < 0 || read(frame, std::min(frame + kAheadSeconds * info.sample_rate_hz, info.frames)));
  if (whole && read(std::max<std::int64_t>(0, info.frames - kReadFrames), info.frames)) return info;
  return make_error(ErrorKind::data_loss, "READ_FAILED", file.string(),
                    decoder.error().empty() ? file.string() + ": cannot be read" : decoder.error());
}

}  // namespace continuo::media
