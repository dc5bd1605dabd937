// THREAD: any - the loudest tones of a spectrum
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "continuo/v1/meter.pb.h"

namespace continuo::cli {

struct Tone {
  double frequency_hz;  // between bins by a parabola through the highest and its neighbours
  double level_db;      // by the energy of the main lobe, so wherever between two bins it lies
};

inline constexpr double kToneFloorDb = -120.0;

/// The loudest first, at most `most`, none below kToneFloorDb. Within four bins there is one at most: narrower is the
/// window. `window`: as the daemon knows it; a rectangular one smears a tone between two bins, which then reads low.
[[nodiscard]] std::vector<Tone> loudest_tones(const v1::SpectrumFrame& frame, std::size_t most,
                                              std::string_view window = "hann");

}  // namespace continuo::cli
