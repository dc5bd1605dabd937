// The floor of the speed table: mix64, mix64comp and graph1k as a loop by hand in lanes, on one thread, reading the
// same files and writing the same kind of file as continuo-render does. An engine can come near it, not below it.
#include <fcntl.h>
#include <immintrin.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/floor/kernels.hpp"

namespace {

using namespace continuo::bench;

constexpr double kRateHz = 48000.0;
constexpr std::size_t kBlockFrames = 16384;  // read and written in one go
constexpr std::size_t kHeaderBytes = 44;

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "floor_mix64: %s\n", why.c_str());
  std::exit(1);
}

struct Arguments {
  std::string work;
  std::string folder = ".";
  std::string out;
  double seconds = 60.0;
  bool memory = false;
};

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const bool value = i + 1 < argc;
    if (word == "--memory")
      a.memory = true;
    else if (word == "--folder" && value)
      a.folder = argv[++i];
    else if (word == "--out" && value)
      a.out = argv[++i];
    else if (word == "--seconds" && value)
      a.seconds = std::atof(argv[++i]);
    else if (a.work.empty() && !word.starts_with('-'))
      a.work = word;
    else
      a.work = "?";
  }
  if ((a.work != "mix64" && a.work != "mix64comp" && a.work != "graph1k") || !(a.seconds > 0.0))
    die("usage: floor_mix64 mix64|mix64comp|graph1k [--folder MEDIA] [--memory] [--seconds S] [--out FILE.wav]; "
        "CONTINUO_CPU=v3|v4");
  return a;
}

const FloorKernels& choose() {
  const char* forced = std::getenv("CONTINUO_CPU");
  const std::string_view level = forced == nullptr ? "" : forced;
  const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    die("this CPU is below x86-64-v3: there is no floor for it");
  if (level == "v4" && !v4) die("this CPU is below x86-64-v4");
  return v4 && level != "v3" && level != "baseline" ? floor_kernels_v4() : floor_kernels_v3();
}

/// RBJ, as the works say: low shelf, peak, peak, high shelf.
std::array<double, 5> band(int shape, double freq_hz, double gain_db, double q) {
  const double a = std::pow(10.0, gain_db / 40.0), w = 2.0 * std::numbers::pi * freq_hz / kRateHz;
  const double c = std::cos(w), alpha = std::sin(w) / (2.0 * q);
  if (shape == 0) {
    const double a0 = 1.0 + alpha / a;
    return {(1.0 + alpha * a) / a0, -2.0 * c / a0, (1.0 - alpha * a) / a0, -2.0 * c / a0, (1.0 - alpha / a) / a0};
  }
  const double d = shape < 0 ? 1.0 : -1.0, r = 2.0 * std::sqrt(a) * alpha;  // d: 1 low, -1 high
  const double a0 = (a + 1.0) + d * (a - 1.0) * c + r;
  return {a * ((a + 1.0) - d * (a - 1.0) * c + r) / a0, d * 2.0 * a * ((a - 1.0) - d * (a + 1.0) * c) / a0,
          a * ((a + 1.0) - d * (a - 1.0) * c - r) / a0, -d * 2.0 * ((a - 1.0) + d * (a + 1.0) * c) / a0,
          ((a + 1.0) + d * (a - 1.0) * c - r) / a0};
}

std::unique_ptr<FloorMix> make_mix(bool compressor) {
  auto mix = std::make_unique<FloorMix>();
  const double shelf = std::numbers::sqrt2 / 2.0;
  const std::array<std::array<double, 5>, kFloorBands> bands = {
      band(-1, 80.0, 3.0, shelf), band(0, 400.0, -4.0, 1.0), band(0, 2500.0, 2.0, 1.4), band(1, 10000.0, 1.5, shelf)};
  for (std::size_t t = 0; t < kFloorTracks; ++t) {
    const double pan = -1.0 + 2.0 * static_cast<double>(t) / (kFloorTracks - 1);
    mix->scale[t] = static_cast<float>(std::pow(10.0, -6.0 / 20.0) * 0x1p-31);
    mix->left[t] = static_cast<float>(std::cos((pan + 1.0) * std::numbers::pi / 4.0));
    mix->right[t] = static_cast<float>(std::sin((pan + 1.0) * std::numbers::pi / 4.0));
    for (std::size_t b = 0; b < kFloorBands; ++b) {
      for (std::size_t i = 0; i < 5; ++i) mix->coefficients[b][i][t] = static_cast<float>(bands[b][i]);
    }
  }
  mix->threshold = static_cast<float>(-30.0 / (20.0 * std::log10(2.0)));
  mix->slope = 1.0f - 1.0f / 4.0f;
  mix->attack = static_cast<float>(1.0 - std::exp(-1.0 / (0.010 * kRateHz)));
  mix->release = static_cast<float>(1.0 - std::exp(-1.0 / (0.100 * kRateHz)));
  mix->compressor = compressor;
  return mix;
}

std::unique_ptr<FloorSines> make_sines(std::size_t lanes) {
  auto s = std::make_unique<FloorSines>();
  for (std::size_t o = 0; o < kFloorSines; ++o) {
    const double number = static_cast<double>(o + 1);
    const double w = 2.0 * std::numbers::pi * (50.0 + 9.5 * number) / kRateHz;
    const double gain =
        std::pow(10.0, (-45.0 - 0.25 * static_cast<double>((o + 1) % 40)) / 20.0) * std::numbers::sqrt2 / 2.0;
    s->cosine[o] = 1.0;
    s->chunk_sine[o] = std::sin(w * kFloorChunk);
    s->chunk_cosine[o] = std::cos(w * kFloorChunk);
    for (std::size_t i = 0; i < 16; ++i) {
      s->lane_sine[o][i] = static_cast<float>(gain * std::sin(w * static_cast<double>(i)));
      s->lane_cosine[o][i] = static_cast<float>(gain * std::cos(w * static_cast<double>(i)));
    }
    for (std::size_t v = 0; v < 8; ++v) {
      s->step_sine[v][o] = static_cast<float>(std::sin(w * static_cast<double>(v * lanes)));
      s->step_cosine[v][o] = static_cast<float>(std::cos(w * static_cast<double>(v * lanes)));
    }
  }
  return s;
}

/// A stereo float WAV file, or nothing where no name was given.
class Output {
 public:
  Output(const std::string& path, std::size_t frames) {
    if (path.empty()) return;
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file_ < 0) die("cannot write " + path);
    const auto size = static_cast<std::uint32_t>(frames * 8);
    unsigned char header[kHeaderBytes];
    const auto word = [&](std::size_t at, std::uint32_t value) { std::memcpy(header + at, &value, 4); };
    std::memcpy(header, "RIFF....WAVEfmt ", 16);
    word(4, size + 36), word(16, 16), word(20, 3 | 2u << 16), word(24, 48000), word(28, 48000 * 8),
        word(32, 8 | 32u << 16);
    std::memcpy(header + 36, "data", 4);
    word(40, size);
    write(header, sizeof header);
  }
  ~Output() {
    if (file_ >= 0 && (::fsync(file_) != 0 || ::close(file_) != 0)) die("cannot finish the output");
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  void write(const void* data, std::size_t bytes) {
    if (file_ >= 0 && ::write(file_, data, bytes) != static_cast<ssize_t>(bytes)) die("cannot write the output");
  }

 private:
  int file_ = -1;
};

/// The tracks' next block of 24-bit samples: from files, or the same noise again and again.
class Tracks {
 public:
  Tracks(const Arguments& arguments) : memory_(arguments.memory), bytes_(kFloorTracks * kStride) {
    for (std::size_t t = 0; t < kFloorTracks; ++t) at[t] = bytes_.data() + t * kStride;
    std::uint32_t noise = 1;
    if (memory_) {
      for (std::uint8_t& byte : bytes_)
        byte = static_cast<std::uint8_t>((noise = noise * 1664525u + 1013904223u) >> 24);
      return;
    }
    for (std::size_t t = 0; t < kFloorTracks; ++t) {
      char name[32];
      std::snprintf(name, sizeof name, "/mono%02zu.wav", t + 1);
      files_[t] = ::open((arguments.folder + name).c_str(), O_RDONLY);
      unsigned char head[kHeaderBytes];
      if (files_[t] < 0 || ::read(files_[t], head, sizeof head) != static_cast<ssize_t>(sizeof head) ||
          std::memcmp(head + 36, "data", 4) != 0 || head[22] != 1 || head[34] != 24)
        die("no mono 24-bit file of make_works.py: " + arguments.folder + name);
    }
  }
  ~Tracks() {
    for (std::size_t t = 0; t < kFloorTracks && !memory_; ++t) ::close(files_[t]);
  }
  Tracks(const Tracks&) = delete;
  Tracks& operator=(const Tracks&) = delete;
  void read(std::size_t frames) {
    if (memory_) return;
    for (std::size_t t = 0; t < kFloorTracks; ++t) {
      if (::read(files_[t], bytes_.data() + t * kStride, frames * 3) != static_cast<ssize_t>(frames * 3))
        die("a file is shorter than the work");
    }
  }
  const std::uint8_t* at[kFloorTracks];

 private:
  static constexpr std::size_t kStride =
      3 * kBlockFrames + 16 + 192;  // not a multiple of 4096: tracks in their own sets of the cache
  bool memory_;
  std::vector<std::uint8_t> bytes_;
  int files_[kFloorTracks] = {};
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  const FloorKernels& kernels = choose();
  _mm_setcsr(_mm_getcsr() | 0x8040);  // subnormals are zero, as in the engine
  const auto frames = static_cast<std::size_t>(std::llround(arguments.seconds * kRateHz));
  std::vector<float> stereo(2 * kBlockFrames), mono(kBlockFrames);
  double peak = 0.0;
  {
    Output out(arguments.out, frames);
    const bool sines = arguments.work == "graph1k";
    const auto oscillators = sines ? make_sines(kernels.lanes) : nullptr;
    const auto mix = sines ? nullptr : make_mix(arguments.work == "mix64comp");
    const auto tracks = sines ? nullptr : std::make_unique<Tracks>(arguments);
    for (std::size_t done = 0; done < frames; done += kBlockFrames) {
      const std::size_t n = std::min(kBlockFrames, frames - done);
      const std::size_t whole = (n + kFloorChunk - 1) / kFloorChunk * kFloorChunk;
      if (sines) {
        kernels.sines(*oscillators, whole, mono.data());
        for (std::size_t f = 0; f < n; ++f) stereo[2 * f] = stereo[2 * f + 1] = mono[f];
      } else {
        tracks->read(n);
        kernels.mix(*mix, tracks->at, whole, stereo.data());
      }
      peak = std::max(peak, static_cast<double>(std::fabs(stereo[0])));
      out.write(stereo.data(), n * 8);
    }
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  std::printf("%s %s%s: %.1f s, CPU %.3f s (%.3f in the system), %.1f MiB, %s\n", arguments.work.c_str(), kernels.level,
              arguments.memory ? " from memory" : "", arguments.seconds,
              seconds(used.ru_utime) + seconds(used.ru_stime), seconds(used.ru_stime),
              static_cast<double>(used.ru_maxrss) / 1024.0, peak > 0.0 ? "sounds" : "SILENT");
  return peak > 0.0 ? 0 : 1;
}
