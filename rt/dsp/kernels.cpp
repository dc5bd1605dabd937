#include "rt/dsp/kernels.hpp"

#include <algorithm>

#include "rt/dsp/kernels/levels.hpp"

namespace continuo::rt::dsp {

const Kernels& kernels_of(CpuLevel level) noexcept {
  switch (std::min(level, best_cpu_level())) {
#if defined(__x86_64__)
    case CpuLevel::v3:
      return kernels_v3();
    case CpuLevel::v4:
      return kernels_v4();
#endif
    default:
      break;
  }
  return kernels_baseline();
}

const Kernels& chosen_kernels() noexcept { return kernels_of(chosen_cpu_level()); }

}  // namespace continuo::rt::dsp
