// Files of every container: what went in is in them, whole or not at all; streams into a pipe.
#include "server/media/sample_writer.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <thread>

#include "server/media/decode.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

const std::map<std::string, Container> kContainers = {
    {"a.wav", Container::wav}, {"a.w64", Container::w64}, {"a.aiff", Container::aiff}, {"a.flac", Container::flac}};
constexpr SampleFormat kFormats[] = {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32};

std::vector<std::byte> encoded(SampleFormat format, const std::vector<float>& samples) {
  std::vector<std::byte> bytes;
  encode_samples(format, samples, bytes);
  return bytes;
}

/// In uneven portions of whole frames.
Result<> write_all(SampleWriter& writer, const WavFormat& format, std::span<const std::byte> bytes) {
  for (std::size_t portion = 1; !bytes.empty(); portion = portion * 3 + 1) {
    const auto part = bytes.first(std::min(bytes.size(), portion * format.frame_bytes()));
    if (auto ok = writer.write(part); !ok) return ok;
    bytes = bytes.subspan(part.size());
  }
  return {};
}

std::vector<std::byte> read_back(const fs::path& file, SampleFormat format) {
  auto decoder = Decoder::open(file);
  REQUIRE_MESSAGE(decoder, (decoder ? "" : decoder.error().message));
  const auto frames = static_cast<std::size_t>((*decoder)->info().frames);
  std::vector<float> samples(frames * (*decoder)->info().channels);
  CHECK((*decoder)->read(samples.data(), frames) == frames);
  return encoded(format, samples);
}

std::string drain(int fd) {
  std::string all;
  char block[4096];
  for (ssize_t n = 0; (n = ::read(fd, block, sizeof block)) > 0;) all.append(block, static_cast<std::size_t>(n));
  return all;
}

}  // namespace

TEST_CASE("writer: a container by its ending") {
  CHECK(container_of("x/y.WAV") == Container::wav);
  CHECK(container_of("a.b.w64") == Container::w64);
  CHECK(container_of("a.aif") == Container::aiff);
  CHECK(container_of("a.Aiff") == Container::aiff);
  CHECK(container_of("a.flac") == Container::flac);
  for (const char* other : {"a", "a.mp3", "a.wav.part", ".wav", "wav", "-"}) CHECK_FALSE(container_of(other));
}

TEST_CASE("writer: in every container, width and rate, bit for bit, and twice the same file") {
  TempDir dir;
  for (const auto& [name, container] : kContainers) {
    for (const SampleFormat sample : kFormats) {
      if (container == Container::flac && sample == SampleFormat::float32) continue;
      for (const auto& [channels, rate, frames] : {std::tuple(1u, 44100u, 1001), std::tuple(2u, 48000u, 5000),
                                                   std::tuple(3u, 8000u, 7), std::tuple(8u, 384000u, 6000)}) {
        CAPTURE(name);
        CAPTURE(channels);
        CAPTURE(static_cast<int>(sample));
        const WavFormat format{.channels = channels, .sample_rate_hz = rate, .format = sample};
        std::vector<float> samples = noise_floats(frames, static_cast<int>(channels));
        samples[0] = 1.0f;
        samples[1] = -1.0f;
        const std::vector<std::byte> bytes = encoded(sample, samples);
        std::string files[2];
        for (std::string& file : files) {
          auto writer = make_sample_writer(dir / name, container, {.format = format});
          REQUIRE_MESSAGE(writer, (writer ? "" : writer.error().message));
          CHECK_FALSE(fs::exists(dir / name));
          REQUIRE(write_all(**writer, format, bytes));
          CHECK_FALSE(fs::exists(dir / name));
          REQUIRE((*writer)->finish());
          writer->reset();
          auto decoder = Decoder::open(dir / name);
          REQUIRE(decoder);
          CHECK((*decoder)->info().channels == channels);
          CHECK((*decoder)->info().sample_rate_hz == rate);
          CHECK((*decoder)->info().frames == frames);
          CHECK(read_back(dir / name, sample) == bytes);
          FILE* in = std::fopen((dir / name).c_str(), "rb");
          file = drain(::fileno(in));
          std::fclose(in);
          fs::remove(dir / name);
        }
        CHECK(files[0] == files[1]);
        CHECK(files[0].find("PEAK") == std::string::npos);  // it would tell the time of day
        CHECK(fs::is_empty(dir.path()));
      }
    }
  }
}

TEST_CASE("writer: not finished, nothing is left, and an existing file is kept unless told otherwise") {
  TempDir dir;
  const WavFormat format{.channels = 2, .sample_rate_hz = 48000, .format = SampleFormat::pcm24};
  const std::vector<std::byte> bytes = encoded(format.format, noise_floats(30'000, 2));
  for (const auto& [name, container] : kContainers) {
    CAPTURE(name);
    {
      auto writer = make_sample_writer(dir / name, container, {.format = format});
      REQUIRE(writer);
      REQUIRE((*writer)->write(bytes));
    }
    CHECK(fs::is_empty(dir.path()));
    write_ints(dir / name, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(10, 1, 16));
    const auto refused = make_sample_writer(dir / name, container, {.format = format});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::already_exists);
    for (const bool finished : {false, true}) {
      auto writer = make_sample_writer(dir / name, container, {.format = format, .overwrite = true});
      REQUIRE(writer);
      REQUIRE((*writer)->write(bytes));
      if (finished) REQUIRE((*writer)->finish());
      writer->reset();
      CHECK(Decoder::open(dir / name).operator*()->info().frames == (finished ? 30'000 : 10));
    }
    fs::remove(dir / name);

    // Somebody makes the name meanwhile.
    auto writer = make_sample_writer(dir / name, container, {.format = format});
    REQUIRE(writer);
    write_ints(dir / name, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(10, 1, 16));
    const auto late = (*writer)->finish();
    REQUIRE_FALSE(late);
    CHECK(late.error().kind == ErrorKind::already_exists);
    writer->reset();
    CHECK(Decoder::open(dir / name).operator*()->info().frames == 10);
    fs::remove(dir / name);
    CHECK(fs::is_empty(dir.path()));
    CHECK(make_sample_writer(dir / "none" / name, container, {.format = format}).error().reason == "FOLDER_NOT_FOUND");
  }
}

TEST_CASE("writer: what a container cannot hold is refused before anything is written") {
  TempDir dir;
  const auto refused = [&](Container container, const WavFormat& format, std::int64_t frames = -1) {
    const auto writer = make_sample_writer(dir / "a", container, {.format = format, .frames = frames});
    return !writer && writer.error().kind == ErrorKind::invalid_argument && writer.error().reason == "BAD_FORMAT";
  };
  CHECK(refused(Container::flac, {.channels = 2, .format = SampleFormat::float32}));
  CHECK(refused(Container::flac, {.channels = 9, .format = SampleFormat::pcm16}));
  CHECK(refused(Container::aiff, {.channels = 2, .format = SampleFormat::pcm16}, std::int64_t{1} << 30));
  CHECK_FALSE(refused(Container::aiff, {.channels = 2, .format = SampleFormat::pcm16}, std::int64_t{1} << 29));
  CHECK_FALSE(refused(Container::w64, {.channels = 2, .format = SampleFormat::float32}, std::int64_t{1} << 40));
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("writer: a full disk is an error that names it, and leaves no file") {
  TempDir dir;
  const WavFormat format{.channels = 2, .sample_rate_hz = 48000, .format = SampleFormat::pcm24};
  const std::vector<std::byte> bytes = encoded(format.format, noise_floats(100'000, 2));
  for (const auto& [name, container] : kContainers) {
    for (const rlim_t limit : {rlim_t{10}, rlim_t{100'000}}) {
      CAPTURE(name);
      CAPTURE(limit);
      const pid_t child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit size{limit, limit};
        ::setrlimit(RLIMIT_FSIZE, &size);
        auto writer = make_sample_writer(dir / name, container, {.format = format});
        Result<> result = writer ? write_all(**writer, format, bytes) : Result<>(writer.error());
        if (result) result = (*writer)->finish();
        if (writer) writer->reset();
        ::_exit(!result && result.error().kind == ErrorKind::data_loss ? 0 : 1);
      }
      int status = 0;
      CHECK(::waitpid(child, &status, 0) == child);
      CHECK(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) == 0);
      CHECK(fs::is_empty(dir.path()));
    }
  }
}

TEST_CASE("writer: into a pipe, with an exact header or one that does not know") {
  TempDir dir;
  for (const bool known : {true, false}) {
    const WavFormat format{.channels = 1, .sample_rate_hz = 48000, .format = SampleFormat::pcm24};
    const std::vector<std::byte> bytes = encoded(format.format, noise_floats(40'001, 1));
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    std::string got;
    std::thread reader([&] { got = drain(ends[0]); });
    auto writer = make_pipe_writer(ends[1], {.format = format, .frames = known ? 40'001 : -1});
    REQUIRE(writer);
    CHECK(write_all(**writer, format, bytes));
    CHECK((*writer)->finish());
    writer->reset();
    ::close(ends[1]);
    reader.join();
    ::close(ends[0]);
    const auto header = known ? wav_header(format, 40'001, 1) : wav_stream_header(format);
    REQUIRE(got.size() == header.size() + bytes.size() + 1);  // padded to even bytes
    CHECK(std::memcmp(got.data(), header.data(), header.size()) == 0);
    CHECK(std::memcmp(got.data() + header.size(), bytes.data(), bytes.size()) == 0);
    FILE* out = std::fopen((dir / "a.wav").c_str(), "wb");
    std::fwrite(got.data(), 1, got.size(), out);
    std::fclose(out);
    CHECK(read_back(dir / "a.wav", format.format) == bytes);
  }
}

TEST_CASE("writer: a reader that has gone is an error") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const WavFormat format{.channels = 1, .sample_rate_hz = 48000, .format = SampleFormat::pcm16};
  auto writer = make_pipe_writer(ends[1], {.format = format, .frames = 100});
  REQUIRE(writer);
  ::close(ends[0]);
  const auto gone = (*writer)->write(std::vector<std::byte>(200));
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::data_loss);
  CHECK(gone.error().message.find("standard output") != std::string::npos);
  ::close(ends[1]);
  ::signal(SIGPIPE, before);
}
