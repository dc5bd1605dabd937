// THREAD: audio - part of level.cpp: compressor and gate in lanes
//
// The compressor: feed-forward, in the logarithmic domain, after Giannoulis, Massberg and Reiss, "Digital Dynamic Range
// Compressor Design", JAES 60 (2012): level -> static curve with a quadratic knee -> smooth branching peak detector on
// the gain reduction -> gain. In stages of 8 frames, so that the long chains of log2 and exp2 of different frames
// overlap.

template <bool kRms>
CONTINUO_INLINE void compressor_column(float* tile, const float* key, float* rows, float t,
                                       std::uint32_t frames) noexcept RT_NONBLOCKING {
  const auto row = [rows](std::uint32_t r) noexcept RT_NONBLOCKING { return load(rows + r * kMaxLanes); };
  const V threshold = row(CompressorRow::threshold), knee = row(CompressorRow::knee);
  const V inverse = row(CompressorRow::half_inverse_knee), slope = row(CompressorRow::slope);
  const V attack = row(CompressorRow::attack), release = row(CompressorRow::release), smooth = row(CompressorRow::rms);
  const V makeup = row(CompressorRow::makeup), makeup_delta = row(CompressorRow::makeup_delta);
  const V wet = row(CompressorRow::wet), wet_delta = row(CompressorRow::wet_delta);
  const VI is_rms = (VI)row(CompressorRow::is_rms);
  V envelope = row(CompressorRow::envelope), power = row(CompressorRow::power);

  constexpr std::uint32_t kStage = 8;
  for (std::uint32_t done = 0; done < frames; done += kStage) {
    const std::uint32_t n = frames - done < kStage ? frames - done : kStage;
    V stage[kStage];
    for (std::uint32_t i = 0; i < n; ++i) {
      V level = magnitude(load(key + (done + i) * kMaxLanes));
      if constexpr (kRms) {
        // Held from 0 to the largest number: an infinity or NaN that came in must not stay.
        power = smaller(all(3.402823466e38f), larger(V{}, power + smooth * (level * level - power)));
        const V log_power = log2_lanes(power) * 0.5f;
        level = select(is_rms, log_power, log2_lanes(level));
      } else {
        level = log2_lanes(level);
      }
      const V over = level - threshold;  // from where the knee begins
      const V bent = smaller(larger(over, V{}), knee);
      stage[i] = slope * (bent * bent * inverse + larger(over - knee, V{}));
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      envelope += select(stage[i] > envelope, attack, release) * (stage[i] - envelope);
      stage[i] = envelope;
    }
    for (std::uint32_t i = 0; i < n; ++i, t += 1.0f) {
      const V gain = exp2_lanes((wet + wet_delta * t) * ((makeup + makeup_delta * t) - stage[i]));
      float* const at = tile + (done + i) * kMaxLanes;
      store(at, load(at) * gain);
    }
  }
  store(rows + CompressorRow::envelope * kMaxLanes, envelope);
  store(rows + CompressorRow::power * kMaxLanes, power);
}

void compressor(float* tile, const float* key, float* rows, std::uint32_t lanes, std::uint32_t cell_frame, bool any_rms,
                std::uint32_t frames) noexcept RT_NONBLOCKING {
  const auto t = static_cast<float>(static_cast<std::int32_t>(cell_frame));
  for (std::uint32_t v = 0; v < lanes; v += kWidth) {
    if (any_rms)
      compressor_column<true>(tile + v, key + v, rows + v, t, frames);
    else
      compressor_column<false>(tile + v, key + v, rows + v, t, frames);
  }
}

// The gate: level -> open or not, with hysteresis and hold -> downward expansion below the threshold, no deeper than
// the range -> smooth branching detector on the reduction -> gain.
CONTINUO_INLINE void gate_column(float* tile, const float* key, float* rows, float t, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  const auto row = [rows](std::uint32_t r) noexcept RT_NONBLOCKING { return load(rows + r * kMaxLanes); };
  const V threshold = row(GateRow::threshold), closing = threshold - row(GateRow::hysteresis);
  const V slope = row(GateRow::slope), range = row(GateRow::range), hold = row(GateRow::hold);
  const V attack = row(GateRow::attack), release = row(GateRow::release);
  const V wet = row(GateRow::wet), wet_delta = row(GateRow::wet_delta);
  V reduction = row(GateRow::reduction), open = row(GateRow::open);

  constexpr std::uint32_t kStage = 8;
  for (std::uint32_t done = 0; done < frames; done += kStage) {
    const std::uint32_t n = frames - done < kStage ? frames - done : kStage;
    V stage[kStage];
    for (std::uint32_t i = 0; i < n; ++i) stage[i] = log2_lanes(magnitude(load(key + (done + i) * kMaxLanes)));
    for (std::uint32_t i = 0; i < n; ++i) {
      const V level = stage[i];
      const VI loud = level >= select(open > V{}, closing, threshold);
      open = select(loud, hold, larger(open - 1.0f, V{}));
      const V below = smaller(slope * larger(threshold - level, V{}), range);
      const V target = select(open > V{}, V{}, below);
      // Never by less than its last bit, so that it arrives: after silence it is bit for bit as in a fresh one.
      const VI opens = target < reduction;
      const V way = magnitude(target - reduction);
      const V step = larger(select(opens, attack, release) * way, reduction * 0x1p-23f);
      reduction = select(opens, larger(reduction - step, target), smaller(reduction + step, target));
      stage[i] = reduction;
    }
    for (std::uint32_t i = 0; i < n; ++i, t += 1.0f) {
      float* const at = tile + (done + i) * kMaxLanes;
      store(at, load(at) * exp2_lanes(-((wet + wet_delta * t) * stage[i])));
    }
  }
  store(rows + GateRow::reduction * kMaxLanes, reduction);
  store(rows + GateRow::open * kMaxLanes, open);
}

void gate(float* tile, const float* key, float* rows, std::uint32_t lanes, std::uint32_t cell_frame,
          std::uint32_t frames) noexcept RT_NONBLOCKING {
  const auto t = static_cast<float>(static_cast<std::int32_t>(cell_frame));
  for (std::uint32_t v = 0; v < lanes; v += kWidth) gate_column(tile + v, key + v, rows + v, t, frames);
}
