#include "rt/nodes/device_io.hpp"

#include "rt/counters.hpp"
#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/guard.hpp"

namespace continuo::rt {
namespace {

class DeviceInputKind final : public NodeKind {
 public:
  constexpr DeviceInputKind() noexcept : NodeKind("device_in") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }
  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      std::uint32_t bad = 0;
      for (std::uint32_t c = 0; c < m.out_count; ++c) {
        float* const out = m.to(c, slice);
        if (c >= slice.device_in.channel_count) {
          dsp::silence(out, slice.frames);
          continue;
        }
        dsp::copy(out, slice.device_in.channels[c] + slice.device_offset, slice.frames);
        bad += dsp::make_finite(out, slice.frames);
      }
      if (bad != 0) report(*m.node, slice, bad);
    }
  }

 private:
  /// Named at most once a second; nothing is muted, for what is bad is silent already.
  static void report(Node& node, const Slice& slice, std::uint32_t bad) noexcept RT_NONBLOCKING {
    slice.counters->non_finite_inputs.fetch_add(bad, std::memory_order_relaxed);
    FrameCount& told = node.worked_out;  // it works out nothing else
    if (told >= 0 && slice.engine_frame < told + static_cast<FrameCount>(slice.sample_rate_hz)) return;
    told = slice.engine_frame;
    report_fault(node, slice, 0);
  }
};

class DeviceOutputKind final : public NodeKind {
 public:
  constexpr DeviceOutputKind() noexcept : NodeKind("device_out") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }
  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members)
      for (std::uint32_t c = 0; c < m.in_count && c < slice.device_out.channel_count; ++c)
        dsp::copy(slice.device_out.channels[c] + slice.device_offset, m.from(c, slice), slice.frames);
  }
};

constinit const DeviceInputKind kDeviceInput;
constinit const DeviceOutputKind kDeviceOutput;

}  // namespace

const NodeKind& device_input_kind() noexcept { return kDeviceInput; }
const NodeKind& device_output_kind() noexcept { return kDeviceOutput; }

}  // namespace continuo::rt
