// THREAD: any - what a client is told of a node's parameters and of the devices
#pragma once

#include <string>
#include <vector>

#include "continuo/v1/device.pb.h"
#include "continuo/v1/session.pb.h"
#include "server/base/result.hpp"
#include "server/device/device.hpp"
#include "server/session/document.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {

[[nodiscard]] v1::ParamSpec describe(const session::ParamSpec& spec);
/// NOT_FOUND names the path.
[[nodiscard]] Result<v1::ListParamsResponse> describe_params(const session::Document& document,
                                                             const std::string& path);

/// `labels`, from channel 1, are those of the device in use.
[[nodiscard]] v1::ListDevicesResponse describe_devices(const std::vector<device::DeviceInfo>& devices,
                                                       const device::DeviceInfo* in_use,
                                                       const std::vector<std::string>& input_labels,
                                                       const std::vector<std::string>& output_labels);

}  // namespace continuo::control
