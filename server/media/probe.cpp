#include "server/media/probe.hpp"

#include <cmath>

#include "server/media/decode.hpp"
#include "server/media/resample.hpp"

namespace continuo::media {

Result<MediaInfo> probe(const std::filesystem::path& file) {
  auto decoder = Decoder::open(file);
  if (!decoder) return decoder.error();
  return (*decoder)->info();
}

std::string cut_off_text(const MediaInfo& info) {
  return " is cut off: " + std::to_string(info.frames) + " of " + std::to_string(info.frames + info.missing_frames) +
         " frames";
}

std::int64_t frames_at_rate(const MediaInfo& info, double engine_rate_hz) {
  return scale_frames(info.frames, info.sample_rate_hz, rounded_rate(engine_rate_hz));
}

}  // namespace continuo::media
