#include "rt/nodes/device_io.hpp"

#include "rt/dsp/planar.hpp"

namespace continuo::rt {
namespace {

class DeviceInputKind final : public NodeKind {
 public:
  constexpr DeviceInputKind() noexcept : NodeKind("device_in") {}
  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      for (std::uint32_t c = 0; c < m.out_count; ++c) {
        if (c < slice.device_in.channel_count)
          dsp::copy(m.to(c, slice), slice.device_in.channels[c] + slice.device_offset, slice.frames);
        else
          dsp::silence(m.to(c, slice), slice.frames);
      }
    }
  }
};

class DeviceOutputKind final : public NodeKind {
 public:
  constexpr DeviceOutputKind() noexcept : NodeKind("device_out") {}
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
