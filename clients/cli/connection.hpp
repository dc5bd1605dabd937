// THREAD: any, one call at a time - every call to the daemon; gRPC's headers stay behind it
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "clients/cli/media_path.hpp"
#include "continuo/v1/device.pb.h"
#include "continuo/v1/edit.pb.h"
#include "continuo/v1/event.pb.h"
#include "continuo/v1/lease.pb.h"
#include "continuo/v1/meter.pb.h"
#include "continuo/v1/session.pb.h"
#include "continuo/v1/system.pb.h"

namespace continuo::cli {

/// Each call throws a Failure. Those that answer once end after `timeout`; those that follow end when the daemon goes,
/// when the callback returns false, or (without a Failure) at an interrupt.
class Connection {
 public:
  /// `address` as gRPC names it. Connects at the first call.
  Connection(std::string address, std::chrono::milliseconds timeout);
  ~Connection();

  [[nodiscard]] v1::GetInfoResponse info();
  [[nodiscard]] v1::GetStatusResponse status();
  [[nodiscard]] v1::WhyResponse why(const v1::WhyRequest& request);
  [[nodiscard]] v1::Clock clock();
  [[nodiscard]] MediaRoots media_roots();

  struct SessionText {
    std::string json;
    v1::Revision revision;
  };
  [[nodiscard]] SessionText session_text();
  struct LoadOptions {
    std::string base;  // "root:folder"; empty: none
    bool dry_run = false;
    bool keep_transport = false;
  };
  v1::LoadSessionResponse load(const std::string& json, const LoadOptions& options);
  /// Names the client; waits as long as the call may last.
  v1::ApplyResponse apply(v1::ApplyRequest request);
  /// All pages.
  [[nodiscard]] std::vector<v1::ScheduledTransaction> scheduled();
  void cancel_scheduled(std::uint64_t transaction_id);
  v1::ApplyResponse undo(v1::UndoRequest request);
  v1::ApplyResponse redo(v1::RedoRequest request);
  /// Tokens, with commas between them, that go along with every write from now on.
  void use_leases(const std::string& tokens);
  [[nodiscard]] const std::vector<std::string>& leases() const;
  v1::Lease acquire_lease(v1::AcquireLeaseRequest request);
  v1::Lease renew_lease(const v1::RenewLeaseRequest& request);
  void release_lease(const std::string& token);
  void break_lease(std::uint64_t lease_id);
  [[nodiscard]] v1::ListLeasesResponse list_leases();
  [[nodiscard]] v1::ListParamsResponse list_params(const std::string& path);
  [[nodiscard]] v1::ListTypesResponse list_types();
  [[nodiscard]] v1::ListDevicesResponse list_devices();
  v1::UseDeviceResponse use_device(v1::UseDeviceRequest request);
  /// Returns when the bursts are over, or false at an interrupt.
  bool identify(v1::IdentifyRequest request);
  [[nodiscard]] v1::ListEventsResponse list_events(const v1::ListEventsRequest& request);
  v1::CalibrateResponse calibrate(v1::CalibrateRequest request);

  void watch(const v1::WatchRequest& request, const std::function<bool(const v1::WatchResponse&)>& on_message);
  void watch_meters(const v1::WatchMetersRequest& request, const std::function<bool(const v1::MeterFrame&)>& on_frame);
  void watch_spectrum(const v1::WatchSpectrumRequest& request,
                      const std::function<bool(const v1::SpectrumFrame&)>& on_frame);
  v1::Measurement start_measurement(const std::string& name, const std::string& node);
  v1::Measurement reset_measurement(const std::string& name);
  v1::Measurement stop_measurement(const std::string& name);
  [[nodiscard]] v1::ListMeasurementsResponse list_measurements();
  /// Ends what is watched from another thread; a call that comes later ends at once.
  void cancel_streams();

  /// The grpc health service's word for a service: true where it serves.
  [[nodiscard]] bool serving(const std::string& service);

  [[nodiscard]] const std::string& address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::cli
