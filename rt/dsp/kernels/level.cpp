// Compiled once a CPU level: CONTINUO_LEVEL is 1 (baseline), 3 or 4. Everything but the table's function has internal
// linkage, and nothing inline comes from elsewhere: a linker that finds a function twice keeps either, and must not
// find one here that other CPUs cannot run. tests/checks/kernel_symbols.sh looks.
#include "rt/dsp/kernels/levels.hpp"

#ifndef CONTINUO_LEVEL
#error "compile this once a CPU level, see rt/CMakeLists.txt"
#endif

namespace continuo::rt::dsp {
namespace {

#include "rt/dsp/kernels/vector.inc.hpp"
// What follows needs vector.inc.hpp.
#include "rt/dsp/kernels/dynamics.inc.hpp"
#include "rt/dsp/kernels/eq.inc.hpp"
#include "rt/dsp/kernels/fft.inc.hpp"
#include "rt/dsp/kernels/meter.inc.hpp"
#include "rt/dsp/kernels/pcm.inc.hpp"
#include "rt/dsp/kernels/planar.inc.hpp"
#include "rt/dsp/kernels/sine.inc.hpp"
#include "rt/dsp/kernels/tile.inc.hpp"

#if CONTINUO_LEVEL == 4
constexpr CpuLevel kLevel = CpuLevel::v4;
#elif CONTINUO_LEVEL == 3
constexpr CpuLevel kLevel = CpuLevel::v3;
#else
constexpr CpuLevel kLevel = CpuLevel::baseline;
#endif

constinit const Kernels kTable = {
    .level = kLevel,
    .scale = scale,
    .scale_two = scale_two,
    .multiply = multiply,
    .mix = mix,
    .pack = pack,
    .unpack = unpack,
    .tile_gain = tile_gain,
    .eq = eq,
    .compressor = compressor,
    .gate = gate,
    .sines_of = sines_of,
    .sine_wave = sine_wave,
    .sine_table = sine_table,
    .deinterleave = deinterleave,
    .levels = levels,
    .pcm24 = pcm24,
    .fft = {.forward = fft_forward, .inverse = fft_inverse, .multiply_add = multiply_add, .fir = fir}};

}  // namespace

#if CONTINUO_LEVEL == 4
const Kernels& kernels_v4() noexcept { return kTable; }
#elif CONTINUO_LEVEL == 3
const Kernels& kernels_v3() noexcept { return kTable; }
#else
const Kernels& kernels_baseline() noexcept { return kTable; }
#endif

}  // namespace continuo::rt::dsp
