// THREAD: control, which asks a worker - how long the way out of a device and in again is: measured, or as it says
// itself
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "continuo/v1/device.pb.h"
#include "server/control/strand.hpp"
#include "server/control/worker.hpp"
#include "server/device/device.hpp"

namespace continuo::control {

/// What `calibrate` found, by device, rate and buffer, kept in "calibrations.json" of the state folder. At most
/// kMaxKept; the loser is the oldest. A file that cannot be read counts as none, and is told in the log.
class RoundTrips {
 public:
  static constexpr int kMaxKept = 64;

  RoundTrips(Strand& strand, Worker& worker, std::filesystem::path folder);

  [[nodiscard]] const v1::Calibration* measured(const device::DeviceInfo& device) const;
  /// In place of an earlier one of the same device, rate and buffer; `done` once it is on the disk, or why it is not.
  void keep(v1::Calibration found, std::function<void(Result<>)> done);
  void forget(const device::DeviceInfo& device, std::function<void(Result<>)> done);

  /// Frames of the device's rate: as measured, else what the driver says of both ways.
  [[nodiscard]] double frames(const device::DeviceInfo& device) const;
  [[nodiscard]] static double reported_frames(const device::DeviceInfo& device);

 private:
  void save(std::function<void(Result<>)> done);
  [[nodiscard]] static bool same(const v1::Calibration& one, const device::DeviceInfo& device);

  Strand& strand_;
  Worker& worker_;
  const std::filesystem::path file_;
  v1::Calibrations all_;
};

}  // namespace continuo::control
