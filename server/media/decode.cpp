#include "server/media/decode.hpp"

#include <sndfile.h>

#include <algorithm>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "server/media/block_file.hpp"
#include "server/media/mp3_length.hpp"
#include "server/media/raw_pcm.hpp"
#include "server/media/sound_format.hpp"
#include "server/media/data_promise.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kChunkFrames = 4096;
constexpr std::int64_t kMaxFrames = std::int64_t{1} << 48;  // beyond it a header did not say, or lies

struct CloseSndfile {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using SndfilePtr = std::unique_ptr<SNDFILE, CloseSndfile>;

sf_count_t file_size(void* user) { return static_cast<BlockFile*>(user)->size(); }
sf_count_t file_tell(void* user) { return static_cast<BlockFile*>(user)->tell(); }
sf_count_t file_write(const void*, sf_count_t, void*) { return 0; }
sf_count_t file_seek(sf_count_t offset, int whence, void* user) {
  auto& file = *static_cast<BlockFile*>(user);
  const std::int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.tell() : file.size();
  file.seek(from + offset);
  return file.tell();
}
sf_count_t file_read(void* to, sf_count_t bytes, void* user) {
  auto& file = *static_cast<BlockFile*>(user);
  const std::int64_t at = file.tell();
  const auto got = static_cast<sf_count_t>(file.read(to, static_cast<std::size_t>(bytes)));
  // BW64 is RF64 by another name, which libsndfile does not know.
  if (at == 0 && got >= 4 && std::memcmp(to, "BW64", 4) == 0) std::memcpy(to, "RF64", 4);
  return got;
}

Error not_audio(const std::filesystem::path& file, const std::string& why) {
  return make_error(ErrorKind::invalid_argument, "NOT_AUDIO", file.string(), file.string() + ": " + why);
}

}  // namespace

struct Decoder::Impl {
  std::filesystem::path name;
  std::unique_ptr<BlockFile> file;
  SndfilePtr sound;
  MediaInfo info;
  RawLayout raw;  // uncompressed: read without libsndfile, which is then closed
  int subformat = 0;
  bool integer = false;
  std::int64_t at = 0;
  std::vector<int> ints;
  std::vector<float> skipped;
  std::string error;

  /// Null where it is no sound file; `failure` then says why.
  bool open_sound(std::string& failure) {
    sound.reset();
    file->seek(0);
    SF_VIRTUAL_IO io{file_size, file_seek, file_read, file_write, file_tell};
    SF_INFO found{};
    sound.reset(sf_open_virtual(&io, SFM_READ, &found, file.get()));
    if (!sound) {
      failure = sf_strerror(nullptr);
      return false;
    }
    subformat = found.format & SF_FORMAT_SUBMASK;
    integer = is_integer(subformat);
    info.channels = static_cast<std::uint32_t>(std::max(found.channels, 0));
    info.sample_rate_hz = static_cast<std::uint32_t>(std::max(found.samplerate, 0));
    info.frames = found.frames;
    info.format = format_name(found.format);
    info.container = container_name(found.format);
    info.sample_format = sample_name(found.format);
    at = 0;
    raw = find_raw(found.format & SF_FORMAT_TYPEMASK);
    if (raw.sample != RawLayout::Sample::none) {
      sound.reset();
      file->drop_block();
    }
    return true;
  }

  /// Where libsndfile itself goes for frame 0 and for frame 1 says where the frames lie and how wide they are.
  RawLayout find_raw(int container) {
    const bool chunks = container == SF_FORMAT_WAV || container == SF_FORMAT_WAVEX || container == SF_FORMAT_RF64 ||
                        container == SF_FORMAT_W64 || container == SF_FORMAT_AIFF;
    if (!chunks) return {};
    RawLayout layout;
    layout.channels = info.channels;
    switch (subformat) {
      case SF_FORMAT_PCM_16:
        layout.sample = RawLayout::Sample::pcm16;
        break;
      case SF_FORMAT_PCM_24:
        layout.sample = RawLayout::Sample::pcm24;
        break;
      case SF_FORMAT_PCM_32:
        layout.sample = RawLayout::Sample::pcm32;
        break;
      case SF_FORMAT_FLOAT:
        layout.sample = RawLayout::Sample::float32;
        break;
      default:
        return {};
    }
    const bool swapped = sf_command(sound.get(), SFC_RAW_DATA_NEEDS_ENDSWAP, nullptr, 0) != SF_FALSE;
    if (swapped || info.frames < 1 || info.frames > kMaxFrames) return {};
    const std::int64_t second = sf_seek(sound.get(), 1, SEEK_SET) == 1 ? file->tell() : -1;
    layout.data_at = sf_seek(sound.get(), 0, SEEK_SET) == 0 ? file->tell() : -1;
    const bool plain = layout.data_at >= 0 && second - layout.data_at == layout.frame_bytes();
    return plain ? layout : RawLayout{};
  }

  std::size_t read_frames(float* out, std::size_t frames) {
    if (raw.sample != RawLayout::Sample::none) return read_raw_frames(*file, raw, at, out, frames);
    if (!integer) {
      return static_cast<std::size_t>(
          std::max<sf_count_t>(0, sf_readf_float(sound.get(), out, static_cast<sf_count_t>(frames))));
    }
    ints.resize(kChunkFrames * info.channels);
    std::size_t done = 0;
    while (done < frames) {
      const std::size_t want = std::min(kChunkFrames, frames - done);
      const sf_count_t got = sf_readf_int(sound.get(), ints.data(), static_cast<sf_count_t>(want));
      if (got <= 0) break;
      const std::size_t samples = static_cast<std::size_t>(got) * info.channels;
      float* to = out + done * info.channels;
      for (std::size_t i = 0; i < samples; ++i) to[i] = static_cast<float>(ints[i]) * 0x1p-31f;
      done += static_cast<std::size_t>(got);
      if (static_cast<std::size_t>(got) < want) break;
    }
    return done;
  }

  std::int64_t count_frames() {
    skipped.resize(kChunkFrames * info.channels);
    std::int64_t count = 0;
    while (const std::size_t n = read_frames(skipped.data(), kChunkFrames)) count += static_cast<std::int64_t>(n);
    return count;
  }

  /// libsndfile gives what is there and says nothing.
  std::int64_t count_missing() {
    const std::int64_t frame_bytes = std::int64_t{sample_bytes(subformat)} * info.channels;
    if (frame_bytes == 0) return 0;
    return std::max<std::int64_t>(0, promised_data_bytes(*file) / frame_bytes - info.frames);
  }

  void explain_short_read() {
    if (!error.empty()) return;
    const std::string where = " at frame " + std::to_string(at) + " of " + std::to_string(info.frames);
    if (const int number = file->error_number()) {
      error = name.string() + ": " + std::generic_category().message(number) + where;
    } else {
      error = name.string() + ": damaged or cut off" + where;
    }
  }
};

Decoder::Decoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Decoder::~Decoder() = default;
const MediaInfo& Decoder::info() const noexcept { return impl_->info; }
const std::string& Decoder::error() const noexcept { return impl_->error; }
bool Decoder::floating() const noexcept { return !impl_->integer; }
bool Decoder::plain() const noexcept { return impl_->raw.sample != RawLayout::Sample::none; }

Result<std::unique_ptr<Decoder>> Decoder::open(const std::filesystem::path& file, std::int64_t known_frames) {
  auto opened = BlockFile::open(file);
  if (!opened) return opened.error();
  auto impl = std::make_unique<Impl>();
  impl->name = file;
  impl->file = std::move(*opened);
  if (impl->file->size() == 0) return not_audio(file, "the file is empty");
  std::string failure;
  if (!impl->open_sound(failure)) {
    if (const int number = impl->file->error_number()) {
      return make_error(ErrorKind::data_loss, "READ_FAILED", file.string(),
                        "cannot read " + file.string() + ": " + std::generic_category().message(number));
    }
    return not_audio(file, "not an audio file that can be read (" + failure + ")");
  }
  MediaInfo& info = impl->info;
  if (info.channels < 1 || info.channels > 64) {
    return not_audio(file, std::to_string(info.channels) + " channels; 1 to 64 can be played");
  }
  if (info.sample_rate_hz < 1000 || info.sample_rate_hz > 768000) {
    return not_audio(file, "a rate of " + std::to_string(info.sample_rate_hz) + " Hz; 1000 to 768000 can be played");
  }
  const bool guessed = impl->subformat == SF_FORMAT_MPEG_LAYER_III && !mp3_says_its_length(*impl->file);
  if (guessed || info.frames < 0 || info.frames > kMaxFrames) {
    std::int64_t frames = known_frames;
    if (frames <= 0) {
      frames = impl->count_frames();
      if (!impl->open_sound(failure)) return not_audio(file, failure);
    }
    info.frames = frames;
  }
  if (info.frames == 0) return not_audio(file, "no frames at all");
  info.missing_frames = impl->count_missing();
  return std::unique_ptr<Decoder>(new Decoder(std::move(impl)));
}

std::size_t Decoder::read(float* out, std::size_t frames) {
  Impl& d = *impl_;
  if (!d.error.empty()) return 0;
  const auto left = static_cast<std::size_t>(std::max<std::int64_t>(0, d.info.frames - d.at));
  const std::size_t want = std::min(frames, left);
  if (want == 0) return 0;
  const std::size_t got = d.read_frames(out, want);
  d.at += static_cast<std::int64_t>(got);
  if (got < want) d.explain_short_read();
  return got;
}

bool Decoder::seek(std::int64_t frame) {
  Impl& d = *impl_;
  if (!d.error.empty()) return false;
  if (frame == d.at) return true;
  if (d.raw.sample != RawLayout::Sample::none) {
    d.at = frame;
    return true;
  }
  std::int64_t from = frame;
  if (run_in_frames(d.subformat) > 0) {
    // A fresh decoder, so that nothing but the place decides what is heard.
    const MediaInfo known = d.info;
    std::string failure;
    if (!d.open_sound(failure)) {
      d.error = d.name.string() + ": " + failure;
      return false;
    }
    d.info = known;
    from = std::max<std::int64_t>(0, frame - run_in_frames(d.subformat));
  }
  if (from != d.at && sf_seek(d.sound.get(), from, SEEK_SET) != from) {
    d.at = from;
    d.explain_short_read();
    return false;
  }
  d.at = from;
  d.skipped.resize(kChunkFrames * d.info.channels);
  while (d.at < frame) {
    const auto want = static_cast<std::size_t>(std::min<std::int64_t>(kChunkFrames, frame - d.at));
    if (read(d.skipped.data(), want) < want) return false;
  }
  return true;
}

}  // namespace continuo::media
