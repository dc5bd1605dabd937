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

std::int64_t run_in_frames(int subformat) {
  if (is_integer(subformat) || subformat == SF_FORMAT_FLOAT || subformat == SF_FORMAT_DOUBLE) return 0;
  // libsndfile is wrong after a seek into a Vorbis file's last page, and a page of silence is 255 packets of 1024
  // frames.
  return subformat == SF_FORMAT_VORBIS ? 300'000 : 48'000;
}

std::string format_name(int format) {
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
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
      return text + " 8-bit";
    case SF_FORMAT_PCM_16:
      return text + " 16-bit";
    case SF_FORMAT_PCM_24:
      return text + " 24-bit";
    case SF_FORMAT_PCM_32:
      return text + " 32-bit";
    case SF_FORMAT_FLOAT:
      return text + " float";
    case SF_FORMAT_DOUBLE:
      return text + " double";
    case SF_FORMAT_VORBIS:
      return text + " Vorbis";
    case SF_FORMAT_OPUS:
      return text + " Opus";
    case SF_FORMAT_MPEG_LAYER_III:
      return "MP3";
    default:
      return text;
  }
}

}  // namespace continuo::media
