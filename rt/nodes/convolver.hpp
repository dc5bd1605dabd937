// THREAD: control makes, audio runs - convolution with an impulse response, beside the sound itself
#pragma once

#include <memory>

#include "rt/dsp/convolution.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

/// Everything comes ConvolverSetup::latency_frames late, the dry sound and the bypassed too.
struct ConvolverParam {
  enum : std::uint16_t { wet_db, dry_db, bypass, count };
};
[[nodiscard]] const NodeKind& convolver_kind() noexcept;

struct ConvolverSetup {
  std::shared_ptr<const dsp::Impulse> impulse;  // null: there is no wet sound
  std::uint32_t latency_frames = 0;             // the impulse's plan's
  std::uint32_t ins = 1;
  std::uint32_t outs = 1;  // see convolver_outs()
};

/// How many channels come out of `ins` that are convolved with this many (Convolver::accepts() has the meanings).
[[nodiscard]] std::uint32_t convolver_outs(std::uint32_t ins, std::uint32_t impulse_channels) noexcept;

/// The node keeps its impulse alive: another one is another node, and the plan compiler fades from one to the other.
/// With an impulse of one channel `ins` may be any number; else what Convolver::accepts(). Aborts where it does not.
[[nodiscard]] std::unique_ptr<Node> make_convolver(Uid uid, const ConvolverSetup& setup);

}  // namespace continuo::rt
