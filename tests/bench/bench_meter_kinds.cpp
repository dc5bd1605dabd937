// What the analysis thread pays for each kind of meter, for a spectrum and for a measurement, fed as it feeds them: in
// pieces of 64 frames, told of every 20 ms. ns a mono track and piece; medians of rounds in which all take turns.
// bench_measure has the measures alone, over whole files; bench_meters what the audio thread pays.
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/control/kind_meter.hpp"
#include "server/control/measure_meter.hpp"
#include "server/control/spectrum_meter.hpp"

namespace {

using namespace continuo;
using namespace continuo::control;

constexpr double kRate = 48'000.0;
constexpr std::array<std::uint32_t, 4> kTracks{1, 32, 64, 256};
constexpr std::size_t kPieces = 15;  // of a pass: 20 ms

double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Noise, other in each piece; not what a peak meter can let go.
const std::vector<float>& sound() {
  static const std::vector<float> samples = [] {
    std::vector<float> out(rt::kBlockFrames * 257);
    std::uint32_t seed = 1;
    for (float& sample : out) {
      seed = seed * 1664525u + 1013904223u;
      sample = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-32f;
    }
    return out;
  }();
  return samples;
}

struct Row {
  std::string name;
  std::function<std::shared_ptr<Analyser>()> make;  // of a track
  std::vector<std::shared_ptr<Analyser>> tracks = {};
  std::vector<double> rounds = {};
  rt::FrameCount frame = 0;

  /// A pass over all tracks, as the analysis thread makes it: one track after the other.
  void pass() {
    const double begin = now_ns();
    const rt::FrameCount from = frame;
    for (const auto& track : tracks) {
      frame = from;
      for (std::size_t piece = 0; piece < kPieces; ++piece) {
        const auto at = static_cast<std::size_t>(frame / rt::kBlockFrames) % 257;
        const float* const channel = sound().data() + at * rt::kBlockFrames;
        frame += rt::kBlockFrames;
        track->feed({&channel, 1, rt::kBlockFrames, 0, frame});
      }
      track->publish();
    }
    rounds.push_back((now_ns() - begin) / static_cast<double>(tracks.size() * kPieces));
  }
};

std::shared_ptr<Analyser> of_kinds(std::vector<v1::MeterKind> kinds) {
  KindSettings settings;
  settings.kinds = std::move(kinds);
  return std::make_shared<KindMeter>(kRate, 1, settings);
}

std::vector<Row> rows() {
  std::vector<Row> all;
  all.push_back({"nothing", [] { return of_kinds({}); }});
  std::vector<v1::MeterKind> each;
  for (int kind = v1::MeterKind_MIN + 1; kind <= v1::MeterKind_MAX; ++kind) {
    const auto one = static_cast<v1::MeterKind>(kind);
    if (one == v1::METER_KIND_CORRELATION || one == v1::METER_KIND_BALANCE) continue;  // of two channels
    each.push_back(one);
    all.push_back({v1::MeterKind_Name(one).substr(std::strlen("METER_KIND_")), [one] { return of_kinds({one}); }});
  }
  all.push_back({"all of them", [each] { return of_kinds(each); }});
  all.push_back({"spectrum, 4096, 10 Hz", [] {
                   analysis::SpectrumSettings settings;
                   settings.size = 4096;
                   settings.averaging = analysis::Averaging::none;
                   settings.rate_hz = 10;
                   return std::make_shared<SpectrumMeter>(kRate, 0, settings);
                 }});
  all.push_back({"spectrum, 4096, averaged", [] {
                   analysis::SpectrumSettings settings;
                   settings.size = 4096;
                   settings.averaging = analysis::Averaging::exponential;
                   settings.time_constant_s = 1.0;
                   return std::make_shared<SpectrumMeter>(kRate, 0, settings);
                 }});
  all.push_back({"measurement", [] { return std::make_shared<MeasureMeter>(kRate, 1); }});
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
  double load = 0.0;
  if (::getloadavg(&load, 1) == 1) std::printf("load %.2f at the start\n", load);
  std::printf("ns a mono track and 64-frame block on the analysis thread%28s", "tracks:");
  std::vector<std::vector<double>> costs;
  std::vector<std::string> names;
  for (const std::uint32_t tracks : kTracks) {
    std::printf("%9u", tracks);
    std::vector<Row> all = rows();
    names.clear();
    for (Row& row : all) {
      for (std::uint32_t t = 0; t < tracks; ++t) row.tracks.push_back(row.make());
      names.push_back(row.name);
    }
    const int rounds = quick ? 9 : 50;
    for (int round = 0; round < rounds; ++round)
      for (Row& row : all) row.pass();
    costs.resize(all.size());
    for (std::size_t r = 0; r < all.size(); ++r) costs[r].push_back(median(all[r].rounds));
  }
  std::printf("   tracks that one core carries\n");
  for (std::size_t r = 0; r < names.size(); ++r) {
    std::printf("  %-82s", names[r].c_str());
    for (const double ns : costs[r]) std::printf("%9.1f", ns);
    std::printf("   %8.0f\n", 1e9 / kRate * rt::kBlockFrames / costs[r].back());
  }
}
