#include "clients/cli/spectrum_tones.hpp"

#include <algorithm>
#include <cmath>

namespace continuo::cli {
namespace {

constexpr int kApart = 4;  // bins: half the main lobe of the widest window

struct Lobe {
  int reach;          // bins from the top to the end of the main lobe, wherever between two bins the tone lies
  double noise_bins;  // equivalent noise bandwidth: what the powers of a tone's bins add up to
};

Lobe lobe_of(std::string_view window) {
  if (window == "blackman-harris") return {4, 2.0044};
  if (window == "flat-top") return {5, 3.7702};
  if (window == "rectangular") return {4, 1.0};
  return {2, 1.5};
}

// A tone whose lobe meets its own image at 0 Hz or at half the rate has no energy that could be told apart.
bool whole_at(const v1::SpectrumFrame& frame, int bin, const Lobe& lobe) {
  return bin > lobe.reach && bin + lobe.reach + 1 < frame.level_db_size();
}

double energy_db(const v1::SpectrumFrame& frame, int bin, const Lobe& lobe) {
  double power = 0.0;
  for (int other = bin - lobe.reach; other <= bin + lobe.reach; ++other)
    power += std::pow(10.0, static_cast<double>(frame.level_db(other)) / 10.0);
  return 10.0 * std::log10(power / lobe.noise_bins);
}

bool is_top(const v1::SpectrumFrame& frame, int bin) {
  const float level = frame.level_db(bin);
  for (int other = std::max(bin - kApart, 0); other <= std::min(bin + kApart, frame.level_db_size() - 1); ++other) {
    // Of two that are equal the lower one counts.
    if (frame.level_db(other) > level || (frame.level_db(other) == level && other < bin)) return false;
  }
  return true;
}

}  // namespace

std::vector<Tone> loudest_tones(const v1::SpectrumFrame& frame, std::size_t most, std::string_view window) {
  const Lobe lobe = lobe_of(window);
  std::vector<Tone> tones;
  for (int bin = 0; bin < frame.level_db_size(); ++bin) {
    const double level = frame.level_db(bin);
    if (level < kToneFloorDb || !is_top(frame, bin)) continue;
    double beside = 0.0;  // bins
    double above = 0.0;   // dB
    if (bin > 0 && bin + 1 < frame.level_db_size()) {
      const double before = frame.level_db(bin - 1);
      const double after = frame.level_db(bin + 1);
      const double bend = before - 2.0 * level + after;
      if (bend < 0.0) beside = std::clamp(0.5 * (before - after) / bend, -0.5, 0.5);
      above = -0.25 * (before - after) * beside;
    }
    tones.push_back(
        {(bin + beside) * frame.bin_hz(), whole_at(frame, bin, lobe) ? energy_db(frame, bin, lobe) : level + above});
  }
  std::ranges::sort(tones, [](const Tone& a, const Tone& b) {
    return a.level_db != b.level_db ? a.level_db > b.level_db : a.frequency_hz < b.frequency_hz;
  });
  if (tones.size() > most) tones.resize(most);
  return tones;
}

}  // namespace continuo::cli
