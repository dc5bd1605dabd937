// THREAD: test - files to test with, made by libsndfile
#pragma once

#include <doctest/doctest.h>
#include <sndfile.h>
#include <stdlib.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "server/media/stream_reader.hpp"

namespace continuo::media::test {

namespace fs = std::filesystem;

/// A folder that goes with its owner.
class TempDir {
 public:
  TempDir() {
    std::string name = (fs::temp_directory_path() / "continuo-media-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = fs::canonical(name);
  }
  ~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Repeatable noise, full scale.
class Random {
 public:
  explicit Random(std::uint32_t seed) : state_(seed) {}
  std::uint32_t next() { return state_ = state_ * 1664525u + 1013904223u; }
  int sample(int bits) { return static_cast<int>(next() & ~((1u << (32 - bits)) - 1u)); }
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>((std::uint64_t{next()} << 20) % static_cast<std::uint64_t>(n));
  }

 private:
  std::uint32_t state_;
};

inline SNDFILE* open_for_writing(const fs::path& file, int format, int channels, int rate) {
  SF_INFO info{};
  info.format = format;
  info.channels = channels;
  info.samplerate = rate;
  SNDFILE* out = sf_open(file.c_str(), SFM_WRITE, &info);
  REQUIRE_MESSAGE(out != nullptr, sf_strerror(nullptr));
  return out;
}

inline void write_ints(const fs::path& file, int format, int channels, int rate, const std::vector<int>& samples) {
  SNDFILE* out = open_for_writing(file, format, channels, rate);
  CHECK(sf_writef_int(out, samples.data(), static_cast<sf_count_t>(samples.size()) / channels) ==
        static_cast<sf_count_t>(samples.size()) / channels);
  sf_close(out);
}

inline void write_floats(const fs::path& file, int format, int channels, int rate, const std::vector<float>& samples) {
  SNDFILE* out = open_for_writing(file, format, channels, rate);
  CHECK(sf_writef_float(out, samples.data(), static_cast<sf_count_t>(samples.size()) / channels) ==
        static_cast<sf_count_t>(samples.size()) / channels);
  sf_close(out);
}

inline std::vector<int> noise_ints(std::int64_t frames, int channels, int bits, std::uint32_t seed = 1) {
  Random random(seed);
  std::vector<int> samples(static_cast<std::size_t>(frames * channels));
  for (int& s : samples) s = random.sample(bits);
  return samples;
}

inline std::vector<float> noise_floats(std::int64_t frames, int channels, std::uint32_t seed = 1) {
  std::vector<float> samples;
  for (const int s : noise_ints(frames, channels, 24, seed)) samples.push_back(static_cast<float>(s * 0x1p-32));
  return samples;
}

inline std::vector<float> sine(std::int64_t frames, int channels, double hz, double rate, double amplitude = 0.5) {
  std::vector<float> samples;
  for (std::int64_t i = 0; i < frames; ++i) {
    for (int c = 0; c < channels; ++c) {
      samples.push_back(
          static_cast<float>(amplitude * std::sin(2.0 * std::numbers::pi * hz * static_cast<double>(i) / rate + c)));
    }
  }
  return samples;
}

/// What libsndfile alone reads, from the start.
inline std::vector<float> reference(const fs::path& file) {
  SF_INFO info{};
  SNDFILE* in = sf_open(file.c_str(), SFM_READ, &info);
  REQUIRE(in != nullptr);
  std::vector<float> all;
  std::vector<float> block(4096 * static_cast<std::size_t>(info.channels));
  while (const sf_count_t n = sf_readf_float(in, block.data(), 4096)) {
    all.insert(all.end(), block.begin(), block.begin() + n * info.channels);
  }
  sf_close(in);
  return all;
}

/// Plays up to `frames` frames: fills and drains in turns of `step` frames.
inline std::vector<float> play(StreamReader& reader, std::int64_t frames, std::size_t step = 1000) {
  rt::Source& source = reader.source();
  std::vector<float> all;
  std::vector<float> block(step * source.channels);
  while (static_cast<std::int64_t>(all.size()) < frames * source.channels) {
    const std::size_t filled = reader.fill(step);
    const std::size_t n = source.frames.read(block);
    if (n == 0 && filled == 0) break;
    all.insert(all.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(n));
  }
  all.resize(std::min(all.size(), static_cast<std::size_t>(frames * source.channels)));
  return all;
}

inline std::unique_ptr<StreamReader> open_stream(const StreamRequest& request) {
  auto opened = StreamReader::open(request);
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
  return std::move(*opened);
}

}  // namespace continuo::media::test
