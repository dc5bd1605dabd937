#include "server/media/sample_writer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "server/base/check.hpp"
#include "server/media/given_file.hpp"
#include "server/media/take_file.hpp"

namespace continuo::media {
namespace {

class WavWriter final : public SampleWriter {
 public:
  WavWriter(std::filesystem::path name, const WriterRequest& request, std::unique_ptr<TakeFile> file)
      : name_(std::move(name)), request_(request), file_(std::move(file)), at_(header(0).size()) {}
  ~WavWriter() override { file_->discard(); }

  [[nodiscard]] Result<> write(std::span<const std::byte> samples) override {
    const auto result = put(static_cast<std::int64_t>(at_), samples);
    at_ += samples.size();
    return result;
  }

  [[nodiscard]] Result<> finish() override {
    const auto data = static_cast<std::int64_t>(at_ - header(0).size());
    const std::int64_t frames = data / request_.format.frame_bytes();
    const std::vector<std::byte> trailer = wav_trailer(request_.format, frames);
    if (auto ok = put(static_cast<std::int64_t>(at_), trailer); !ok) return ok;
    const auto trailer_bytes = static_cast<std::int64_t>(trailer.size());
    if (auto ok = put(0, wav_header(request_.format, frames, trailer_bytes)); !ok) return ok;
    if (const int number = file_->publish(name_, request_.overwrite)) return disk_error(number, name_, "cannot finish");
    return {};
  }

  [[nodiscard]] std::vector<std::byte> header(std::int64_t frames) const { return wav_header(request_.format, frames); }
  [[nodiscard]] Result<> put(std::int64_t at, std::span<const std::byte> bytes) {
    std::size_t written = 0;
    if (const int number = file_->write_at(at, bytes, written)) return disk_error(number, name_, "cannot write");
    return {};
  }

 private:
  const std::filesystem::path name_;
  const WriterRequest request_;
  const std::unique_ptr<TakeFile> file_;
  std::size_t at_;
};

class PipeWriter final : public SampleWriter {
 public:
  PipeWriter(int fd, const WriterRequest& request) : fd_(fd), request_(request) {}

  [[nodiscard]] Result<> write(std::span<const std::byte> bytes) override {
    if (auto ok = put(bytes); !ok) return ok;
    written_ += static_cast<std::int64_t>(bytes.size());
    return {};
  }
  [[nodiscard]] Result<> finish() override {
    const std::int64_t frames = written_ / request_.format.frame_bytes();
    CONTINUO_CHECK(request_.frames < 0 || request_.frames == frames, "the header went out with this length");
    return put(wav_trailer(request_.format, frames));
  }
  [[nodiscard]] Result<> put(std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return disk_error(n < 0 ? errno : EIO, "standard output", "cannot write to");
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
    return {};
  }

 private:
  const int fd_;
  const WriterRequest request_;
  std::int64_t written_ = 0;
};

}  // namespace

std::optional<Container> container_of(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (ending == ".wav") return Container::wav;
  if (ending == ".w64") return Container::w64;
  if (ending == ".aif" || ending == ".aiff") return Container::aiff;
  if (ending == ".flac") return Container::flac;
  return std::nullopt;
}

Result<std::unique_ptr<SampleWriter>> make_sample_writer(const std::filesystem::path& file, Container container,
                                                         const WriterRequest& request) {
  if (container != Container::wav) return make_sndfile_writer(file, container, request);
  auto made = request.into >= 0 ? make_given_file(request.into) : make_take_file(file, request.overwrite, true);
  if (!made) return made.error();
  auto writer = std::make_unique<WavWriter>(file, request, std::move(*made));
  if (auto ok = writer->put(0, writer->header(0)); !ok) return ok.error();
  return std::unique_ptr<SampleWriter>(std::move(writer));
}

Result<std::unique_ptr<SampleWriter>> make_pipe_writer(int fd, const WriterRequest& request) {
  auto writer = std::make_unique<PipeWriter>(fd, request);
  const std::int64_t data = request.frames * request.format.frame_bytes();
  const auto header =
      request.frames < 0 ? wav_stream_header(request.format) : wav_header(request.format, request.frames, data % 2);
  if (auto ok = writer->put(header); !ok) return ok.error();
  return std::unique_ptr<SampleWriter>(std::move(writer));
}

}  // namespace continuo::media
