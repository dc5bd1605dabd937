// The containers that libsndfile writes: W64, AIFF, FLAC.
#include <sndfile.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "server/media/given_file.hpp"
#include "server/media/sample_writer.hpp"
#include "server/media/take_file.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kMaxAiffBytes = 0xFFFF0000;  // its sizes have 32 bits
constexpr std::uint32_t kMaxFlacChannels = 8;

/// A TakeFile as libsndfile asks for it. The first error stays.
struct Virtual {
  std::unique_ptr<TakeFile> file;
  std::int64_t at = 0;
  std::int64_t size = 0;
  int error = 0;

  static Virtual& of(void* user) { return *static_cast<Virtual*>(user); }
  static sf_count_t length(void* user) { return of(user).size; }
  static sf_count_t tell(void* user) { return of(user).at; }
  static sf_count_t read(void*, sf_count_t, void*) { return 0; }
  static sf_count_t seek(sf_count_t offset, int whence, void* user) {
    Virtual& v = of(user);
    v.at = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? v.at : v.size);
    return v.at;
  }
  static sf_count_t write(const void* from, sf_count_t bytes, void* user) {
    Virtual& v = of(user);
    if (v.error != 0) return 0;
    std::size_t written = 0;
    v.error = v.file->write_at(v.at, {static_cast<const std::byte*>(from), static_cast<std::size_t>(bytes)}, written);
    v.at += static_cast<std::int64_t>(written);
    v.size = std::max(v.size, v.at);
    return static_cast<sf_count_t>(written);
  }
};

struct CloseSndfile {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};

int format_number(Container container, SampleFormat format) {
  const int major = container == Container::flac   ? SF_FORMAT_FLAC
                    : container == Container::aiff ? SF_FORMAT_AIFF
                                                   : SF_FORMAT_W64;
  const int minor = format == SampleFormat::pcm16   ? SF_FORMAT_PCM_16
                    : format == SampleFormat::pcm24 ? SF_FORMAT_PCM_24
                                                    : SF_FORMAT_FLOAT;
  return major | minor;
}

Error refused(const std::filesystem::path& file, const std::string& why) {
  return make_error(ErrorKind::invalid_argument, "BAD_FORMAT", file.string(), file.string() + ": " + why);
}
Error too_long(const std::filesystem::path& file) {
  return refused(file, "an AIFF file ends at 4 GiB; make it a .wav or a .w64");
}

class SndfileWriter final : public SampleWriter {
 public:
  SndfileWriter(std::filesystem::path name, Container container, const WriterRequest& request,
                std::unique_ptr<TakeFile> file)
      : name_(std::move(name)), container_(container), request_(request) {
    virtual_.file = std::move(file);
  }
  ~SndfileWriter() override {
    virtual_.error = ECANCELED;  // what closing still wants to write is for nothing
    sound_.reset();
    virtual_.file->discard();
  }

  [[nodiscard]] Result<> open() {
    SF_VIRTUAL_IO io{Virtual::length, Virtual::seek, Virtual::read, Virtual::write, Virtual::tell};
    SF_INFO info{};
    info.channels = static_cast<int>(request_.format.channels);
    info.samplerate = static_cast<int>(request_.format.sample_rate_hz);
    info.format = format_number(container_, request_.format.format);
    sound_.reset(sf_open_virtual(&io, SFM_WRITE, &info, &virtual_));
    if (virtual_.error != 0) return failed("cannot write");
    if (!sound_) return refused(name_, sf_strerror(nullptr));
    // It would hold the time of day: equal renders are equal files.
    sf_command(sound_.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
    return {};
  }

  [[nodiscard]] Result<> write(std::span<const std::byte> samples) override {
    bytes_ += static_cast<std::int64_t>(samples.size());
    if (container_ == Container::aiff && bytes_ > kMaxAiffBytes) return too_long(name_);
    const auto count = static_cast<sf_count_t>(samples.size() / bytes_per_sample(request_.format.format));
    sf_count_t written = 0;
    if (request_.format.format == SampleFormat::float32) {
      floats_.resize(static_cast<std::size_t>(count));
      std::memcpy(floats_.data(), samples.data(), samples.size());
      written = sf_write_float(sound_.get(), floats_.data(), count);
    } else {
      widen(samples);
      written = sf_write_int(sound_.get(), ints_.data(), count);
    }
    if (virtual_.error != 0) return failed("cannot write");
    if (written == count) return {};
    return make_error(ErrorKind::data_loss, "WRITE_FAILED", name_.string(),
                      "cannot write " + name_.string() + ": " + sf_strerror(sound_.get()));
  }

  [[nodiscard]] Result<> finish() override {
    sound_.reset();  // the rest, and the header
    if (virtual_.error != 0) return failed("cannot write");
    if (const int number = virtual_.file->publish(name_, request_.overwrite))
      return disk_error(number, name_, "cannot finish");
    return {};
  }

 private:
  [[nodiscard]] Error failed(const char* what) const { return disk_error(virtual_.error, name_, what); }

  /// Into the upper bits, where libsndfile expects them.
  void widen(std::span<const std::byte> samples) {
    const std::size_t size = bytes_per_sample(request_.format.format);
    ints_.resize(samples.size() / size);
    for (std::size_t i = 0; i < ints_.size(); ++i) {
      std::uint32_t word = 0;
      for (std::size_t k = 0; k < size; ++k)
        word |= std::to_integer<std::uint32_t>(samples[i * size + k]) << (8 * (4 - size + k));
      ints_[i] = static_cast<int>(word);
    }
  }

  const std::filesystem::path name_;
  const Container container_;
  const WriterRequest request_;
  std::int64_t bytes_ = 0;
  Virtual virtual_;
  std::vector<int> ints_;
  std::vector<float> floats_;
  std::unique_ptr<SNDFILE, CloseSndfile> sound_;  // goes before what it writes to
};

}  // namespace

Result<std::unique_ptr<SampleWriter>> make_sndfile_writer(const std::filesystem::path& file, Container container,
                                                          const WriterRequest& request) {
  const WavFormat& format = request.format;
  if (container == Container::flac && format.format == SampleFormat::float32)
    return refused(file, "a FLAC file holds no floats; ask for 16 or 24 bits");
  if (container == Container::flac && format.channels > kMaxFlacChannels)
    return refused(file, "a FLAC file has at most 8 channels, this render " + std::to_string(format.channels));
  if (container == Container::aiff && request.frames > kMaxAiffBytes / format.frame_bytes()) return too_long(file);
  auto made = request.into >= 0 ? make_given_file(request.into) : make_take_file(file, request.overwrite, true);
  if (!made) return made.error();
  auto writer = std::make_unique<SndfileWriter>(file, container, request, std::move(*made));
  if (auto ok = writer->open(); !ok) return ok.error();
  return std::unique_ptr<SampleWriter>(std::move(writer));
}

}  // namespace continuo::media
