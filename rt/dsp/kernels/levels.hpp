// THREAD: any - the tables, one a CPU level: level.cpp compiled three times
#pragma once

#include "rt/dsp/kernels.hpp"

namespace continuo::rt::dsp {

[[nodiscard]] const Kernels& kernels_baseline() noexcept;
[[nodiscard]] const Kernels& kernels_v3() noexcept;
[[nodiscard]] const Kernels& kernels_v4() noexcept;

}  // namespace continuo::rt::dsp
