// THREAD: any - which device a request means: a pure function over the list
#pragma once

#include <span>
#include <string_view>

#include "server/device/device.hpp"

namespace continuo::device {

/// The index of the one device that `name` and `host_api` mean. A name means the device that is called exactly so, else
/// the only one whose name holds it, letter case aside; a host API likewise. Neither may be empty at once with `name`:
/// the best device is the factory's choice.
/// NOT_FOUND names what there is; INVALID_ARGUMENT names the candidates.
[[nodiscard]] Result<std::size_t> match_device(std::span<const DeviceInfo> devices, std::string_view name,
                                               std::string_view host_api);

/// Whether the host API `actual` is meant by `wanted`: equal, or part of it, letter case aside; an empty one means any.
[[nodiscard]] bool host_api_matches(std::string_view actual, std::string_view wanted);

}  // namespace continuo::device
