// THREAD: any - sounds whose measures are known
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "server/analysis/frames.hpp"

namespace continuo::analysis::test {

/// Interleaved samples that grow at the end.
struct Sound {
  std::uint32_t channels = 2;
  double rate = 48000.0;
  std::vector<float> samples = {};

  [[nodiscard]] std::size_t frames() const { return samples.size() / channels; }
  [[nodiscard]] Frames view(std::size_t at, std::size_t count) const {
    return Frames::interleaved(samples.data() + at * channels, channels, std::min(count, frames() - at));
  }
  [[nodiscard]] Frames view() const { return view(0, frames()); }

  /// A sine in every channel, its phase going on; `db` of its peak, one for each channel or one for all.
  Sound& tone(double seconds, std::vector<double> db, double hz = 1000.0) {
    const auto count = static_cast<std::size_t>(std::llround(seconds * rate));
    for (std::size_t i = 0; i < count; ++i) {
      phase += hz / rate;
      const double s = std::sin(2.0 * std::numbers::pi * phase);
      for (std::uint32_t c = 0; c < channels; ++c)
        samples.push_back(static_cast<float>(std::pow(10.0, db[db.size() == 1 ? 0 : c] / 20.0) * s));
      phase -= std::floor(phase);
    }
    return *this;
  }
  Sound& silence(double seconds) {
    samples.resize(samples.size() + channels * static_cast<std::size_t>(std::llround(seconds * rate)), 0.0f);
    return *this;
  }
  double phase = 0.0;
};

/// The same numbers everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2654435769u + 1) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<std::uint32_t>(state_ >> 33) * 2u + static_cast<std::uint32_t>(state_ >> 32 & 1u);
  }
  /// -1 to 1.
  double real() { return static_cast<double>(next()) * 0x1p-31 - 1.0; }
  double between(double low, double high) { return low + (high - low) * 0.5 * (real() + 1.0); }

 private:
  std::uint64_t state_;
};

/// Noise (bright or dark), tones and pauses at changing gains, apart in each channel.
inline Sound random_sound(std::uint32_t channels, double rate, double seconds, std::uint64_t seed) {
  Random random(seed);
  Sound sound{channels, rate};
  const auto total = static_cast<std::size_t>(seconds * rate);
  std::vector<double> dark(channels, 0.0), gain(channels);
  double angle = 0.0;
  while (sound.frames() < total) {
    const auto length = static_cast<std::size_t>(random.between(0.03, 2.5) * rate);
    const double kind = random.between(0.0, 4.0), hz = random.between(40.0, 0.4 * rate);
    for (double& g : gain) g = std::pow(10.0, random.between(-45.0, -3.0) / 20.0);
    for (std::size_t i = 0; i < length && sound.frames() < total; ++i) {
      angle += hz / rate;
      angle -= std::floor(angle);
      for (std::uint32_t c = 0; c < channels; ++c) {
        const double noise = random.real();
        dark[c] += 0.05 * (noise - dark[c]);
        const double s = kind < 1.5   ? noise
                         : kind < 2.5 ? 3.0 * dark[c]
                         : kind < 3.6 ? std::sin(2.0 * std::numbers::pi * angle)
                                      : 0.0;
        sound.samples.push_back(static_cast<float>(gain[c] * s));
      }
    }
  }
  return sound;
}

/// Feeds in pieces: of `size` frames, or ragged ones where it is 0; planar where asked for.
template <class Meter>
void feed_in_pieces(Meter& meter, const Sound& sound, std::size_t size, bool planar) {
  Random random(size + 7);
  std::vector<std::vector<float>> planes(planar ? sound.channels : 0);
  std::vector<const float*> pointers;
  for (std::uint32_t c = 0; c < planes.size(); ++c) {
    for (std::size_t i = 0; i < sound.frames(); ++i) planes[c].push_back(sound.samples[i * sound.channels + c]);
    pointers.push_back(planes[c].data());
  }
  for (std::size_t at = 0; at < sound.frames();) {
    const std::size_t n = std::min(size != 0 ? size : 1 + random.next() % 3000, sound.frames() - at);
    meter.feed(planar ? Frames::planar(pointers.data(), sound.channels, n, at) : sound.view(at, n));
    at += n;
  }
}

}  // namespace continuo::analysis::test
