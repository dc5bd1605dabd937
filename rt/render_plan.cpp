#include "rt/render_plan.hpp"

#include <algorithm>
#include <new>

namespace continuo::rt {

AlignedFloats make_aligned_floats(std::size_t count) {
  auto* p = static_cast<float*>(::operator new[](std::max<std::size_t>(count, 16) * sizeof(float), std::align_val_t{64}));
  std::fill_n(p, std::max<std::size_t>(count, 16), 0.0f);
  return AlignedFloats(p);
}

}  // namespace continuo::rt
