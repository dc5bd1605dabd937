// THREAD: any - what the benches of meters share: their words, quantiles, and who looks and listens
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "rt/meter.hpp"
#include "tests/bench/live_rig.hpp"

namespace continuo::bench {

inline constexpr std::uint32_t kWindowBlocks = rt::kMeterWindowFrames / rt::kBlockFrames;

/// [--quick] [--only PART]
struct Options {
  bool quick = false;
  std::string_view only;
  [[nodiscard]] bool runs(std::string_view part) const { return only.empty() || only == part; }
};

inline double at(std::vector<double> values, double part = 0.5) {
  const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

/// What somebody does with meters: nothing, looks at levels, listens to the sound.
enum class Use { off, looked_at, listened };

/// Those who look and listen, at any meters; drains what they hear, outside of what is timed.
class Audience {
 public:
  Audience(Use use, const std::vector<std::shared_ptr<rt::MeterSlots>>& meters) {
    for (const auto& slots : meters) {
      if (use == Use::looked_at) looks_.emplace_back(slots);
      if (use == Use::listened) listens_.push_back(std::make_unique<rt::MeterListen>(slots, 8192));
    }
  }
  void drain() {
    for (const auto& listen : listens_) listen->feed().clear();
  }

 private:
  std::vector<rt::MeterLook> looks_;
  std::vector<std::unique_ptr<rt::MeterListen>> listens_;
};

inline std::vector<std::shared_ptr<rt::MeterSlots>> meters_of(const LiveRig& rig) {
  std::vector<std::shared_ptr<rt::MeterSlots>> all;
  for (const session::CompiledMeter& meter : rig.meters()) all.push_back(meter.slots);
  return all;
}

/// Ends the program where the words are no options. Says how busy the machine is: figures of a loaded one are worse.
inline Options options_of(int argc, char** argv, const char* parts) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--quick") == 0) {
      options.quick = true;
    } else if (std::strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
      options.only = argv[++i];
    } else {
      std::fprintf(stderr, "usage: %s [--quick] [--only %s]\n", argv[0], parts);
      std::exit(64);
    }
  }
  double load = 0.0;
  if (::getloadavg(&load, 1) == 1) std::printf("load %.2f at the start\n", load);
  return options;
}

}  // namespace continuo::bench
