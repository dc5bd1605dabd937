#include "server/media/sound_format.hpp"

#include <sndfile.h>

namespace continuo::media {

bool is_integer(int subformat) {
  switch (subformat) {
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
    case SF_FORMAT_VORBIS:
    case SF_FORMAT_OPUS:
    case SF_FORMAT_MPEG_LAYER_I:
    case SF_FORMAT_MPEG_LAYER_II:
    case SF_FORMAT_MPEG_LAYER_III:
      return false;
    default:
      return true;
  }
}

std::uint32_t sample_bytes(int subformat) {
  switch (subformat) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_ULAW:
    case SF_FORMAT_ALAW:
      return 1;
    case SF_FORMAT_PCM_16:
      return 2;
    case SF_FORMAT_PCM_24:
      return 3;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
      return 4;
    case SF_FORMAT_DOUBLE:
      return 8;
    default:
      return 0;
  }
}

std::int64_t run_in_frames(int subformat) {
  if (is_integer(subformat) || subformat == SF_FORMAT_FLOAT || subformat == SF_FORMAT_DOUBLE) return 0;
  // libsndfile is wrong after a seek into a Vorbis file's last page, and a page of silence is 255 packets of 1024
  // frames.
  return subformat == SF_FORMAT_VORBIS ? 300'000 : 48'000;
}

std::string container_name(int format) {
  if ((format & SF_FORMAT_SUBMASK) == SF_FORMAT_MPEG_LAYER_III) return "MP3";
  std::string text;
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
      text = "WAV";
      break;
    case SF_FORMAT_RF64:
      text = "RF64";
      break;
    case SF_FORMAT_W64:
      text = "W64";
      break;
    case SF_FORMAT_AIFF:
      text = "AIFF";
      break;
    case SF_FORMAT_FLAC:
      text = "FLAC";
      break;
    case SF_FORMAT_OGG:
      text = "Ogg";
      break;
    case SF_FORMAT_CAF:
      text = "CAF";
      break;
    case SF_FORMAT_AU:
      text = "AU";
      break;
    case SF_FORMAT_MPEG:
      text = "MPEG";
      break;
    default: {
      SF_FORMAT_INFO info{};
      info.format = format & SF_FORMAT_TYPEMASK;
      if (sf_command(nullptr, SFC_GET_FORMAT_INFO, &info, sizeof info) == 0 && info.name != nullptr) text = info.name;
    }
  }
  return text;
}

std::string sample_name(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
      return "8-bit";
    case SF_FORMAT_PCM_16:
      return "16-bit";
    case SF_FORMAT_PCM_24:
      return "24-bit";
    case SF_FORMAT_PCM_32:
      return "32-bit";
    case SF_FORMAT_FLOAT:
      return "float";
    case SF_FORMAT_DOUBLE:
      return "double";
    case SF_FORMAT_VORBIS:
      return "Vorbis";
    case SF_FORMAT_OPUS:
      return "Opus";
    case SF_FORMAT_MPEG_LAYER_III:
      return "MP3";
    default:
      return "";
  }
}

std::string format_name(int format) {
  const std::string container = container_name(format);
  const std::string sample = sample_name(format);
  return sample.empty() || sample == container ? container : container + " " + sample;
}

}  // namespace continuo::media
