// THREAD: audio - part of level.cpp: second-order sections in lanes
//
// A state-variable form of any section (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2):
//   L = L + B;   y = d0 x + d1 B + d2 L;   B = B + k1 (x - L) - k2 B        (B on the right: of the frame before)
//   k1 = 1 + a1 + a2;   k2 = 1 - a2;   d0 = b0;   d1 = (b0 a2 - b2) / k1;   d2 = (b0 + b1 + b2) / k1 - b0
// The transfer function is the same, but the poles hang on k1 and k2, which are small where the frequency is low,
// instead of on the last bits of a1 + 2: at 20 Hz a direct form in float is wrong by tenths of a decibel, this one by
// less than a thousandth. One multiplication a sample more than the direct form.

template <std::uint32_t kSections, bool kRamping, bool kMasked>
CONTINUO_INLINE void eq_column(float* tile, float* rows, float t, std::uint32_t frames) noexcept RT_NONBLOCKING {
  V l[kSections], b[kSections], c[kSections][5], d[kSections][5];
  VI has[kSections];
  for (std::uint32_t s = 0; s < kSections; ++s) {
    float* const section = rows + s * kEqRows * kMaxLanes;
    l[s] = load(section + EqRow::state_l * kMaxLanes);
    b[s] = load(section + EqRow::state_b * kMaxLanes);
    for (std::uint32_t k = 0; k < 5; ++k) {
      c[s][k] = load(section + (EqRow::base + k) * kMaxLanes);
      if constexpr (kRamping) d[s][k] = load(section + (EqRow::delta + k) * kMaxLanes);
    }
    if constexpr (kMasked) has[s] = (VI)load(section + EqRow::mask * kMaxLanes);
  }
  for (std::uint32_t i = 0; i < frames; ++i, tile += kMaxLanes) {
    V x = load(tile);
    for (std::uint32_t s = 0; s < kSections; ++s) {
      V k[5];
      for (std::uint32_t n = 0; n < 5; ++n) {
        if constexpr (kRamping)
          k[n] = c[s][n] + d[s][n] * t;
        else
          k[n] = c[s][n];
      }
      l[s] = l[s] + b[s];
      const V y = (k[2] * x + k[3] * b[s]) + k[4] * l[s];
      b[s] = (b[s] - k[1] * b[s]) + k[0] * (x - l[s]);
      if constexpr (kMasked)
        x = select(has[s], y, x);
      else
        x = y;
    }
    if constexpr (kRamping) t += 1.0f;
    store(tile, x);
  }
  for (std::uint32_t s = 0; s < kSections; ++s) {
    float* const section = rows + s * kEqRows * kMaxLanes;
    store(section + EqRow::state_l * kMaxLanes, l[s]);
    store(section + EqRow::state_b * kMaxLanes, b[s]);
  }
}

template <std::uint32_t kSections>
void eq_run(float* tile, float* rows, std::uint32_t lanes, bool ramping, bool masked, std::uint32_t cell_frame,
            std::uint32_t frames) noexcept RT_NONBLOCKING {
  const auto t = static_cast<float>(static_cast<std::int32_t>(cell_frame));
  for (std::uint32_t v = 0; v < lanes; v += kWidth) {
    if (ramping) {
      if (masked)
        eq_column<kSections, true, true>(tile + v, rows + v, t, frames);
      else
        eq_column<kSections, true, false>(tile + v, rows + v, t, frames);
    } else if (masked) {
      eq_column<kSections, false, true>(tile + v, rows + v, t, frames);
    } else {
      eq_column<kSections, false, false>(tile + v, rows + v, t, frames);
    }
  }
}

/// Sections that are alike (ramping, masked) run together, up to 4 at a time. However they are cut, the samples are the
/// same.
void eq(float* tile, float* rows, std::uint32_t lanes, std::uint32_t full, std::uint32_t sections,
        std::uint32_t ramping, std::uint32_t cell_frame, std::uint32_t frames) noexcept RT_NONBLOCKING {
  for (std::uint32_t s = 0; s < sections;) {
    const auto ramps = [&](std::uint32_t k) noexcept RT_NONBLOCKING { return (ramping >> k & 1u) != 0; };
    std::uint32_t n = 1;
    const std::uint32_t most = ramps(s) ? 1 : 4;
    while (n < most && s + n < sections && ramps(s + n) == ramps(s) && (s + n < full) == (s < full)) ++n;
    float* const at = rows + s * kEqRows * kMaxLanes;
    const bool masked = s >= full;
    switch (n) {
      case 1:
        eq_run<1>(tile, at, lanes, ramps(s), masked, cell_frame, frames);
        break;
      case 2:
        eq_run<2>(tile, at, lanes, ramps(s), masked, cell_frame, frames);
        break;
      case 3:
        eq_run<3>(tile, at, lanes, ramps(s), masked, cell_frame, frames);
        break;
      default:
        eq_run<4>(tile, at, lanes, ramps(s), masked, cell_frame, frames);
        break;
    }
    s += n;
  }
}
