// THREAD: control makes, audio runs - channel matrix: every output a sum of the inputs, each with its factor
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

inline constexpr std::uint32_t kMatrixChannels = 16;

/// The factor of input i in output o is parameter o * kMatrixChannels + i; then bypass: output o is input o. All ramp.
struct MatrixParam {
  enum : std::uint16_t { first_gain, bypass = kMatrixChannels * kMatrixChannels, count };
  static constexpr std::uint16_t gain(std::uint32_t o, std::uint32_t i) noexcept {
    return static_cast<std::uint16_t>(o * kMatrixChannels + i);
  }
};

/// out_count is 1 to kMatrixChannels; inputs beyond kMatrixChannels are not heard. Summed in the order of the inputs.
[[nodiscard]] const NodeKind& matrix_kind() noexcept;
[[nodiscard]] Node* make_matrix(Uid uid);  // control; the caller owns it

}  // namespace continuo::rt
