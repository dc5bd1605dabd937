// THREAD: any calls it, the control strand does it - the one owner of the document and of every ring's writer end
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "continuo/v1/device.pb.h"
#include "continuo/v1/edit.pb.h"
#include "continuo/v1/lease.pb.h"
#include "continuo/v1/meter.pb.h"
#include "continuo/v1/session.pb.h"
#include "continuo/v1/system.pb.h"
#include "server/base/result.hpp"
#include "server/control/feed.hpp"
#include "server/control/job_ticket.hpp"
#include "server/device/device.hpp"
#include "server/journal/journal.hpp"
#include "server/media/take_file.hpp"

namespace continuo::control {

/// The largest message that the door to clients takes or sends; GetInfo tells it.
inline constexpr std::uint32_t kMaxMessageBytes = 8u << 20;

class Analysis;
class JobDesk;
class MediaLibrary;
class ParamStreams;

/// Called exactly once, on the control strand; must not block.
template <class T>
using Done = std::function<void(Result<T>)>;

struct EngineConfig {
  device::DeviceRequest device;
  std::map<std::string, std::filesystem::path> media_roots;
  std::filesystem::path take_folder;         // becomes the root "takes"
  std::filesystem::path second_take_folder;  // becomes the root "takes2", where every take is written as well; or empty
  std::string second_take_problem = {};      // why nothing can be written there for now; empty: all is well
  std::filesystem::path state_folder;        // uids, last session
  std::vector<std::string> input_labels;     // from channel 1
  std::vector<std::string> output_labels;
  std::string take_template = "{node}-{date}-{time}";  // check_template(); ".wav" or ".flac" is added
  bool restore_session = false;                        // at the start: the last one, stopped
  bool resume_playback = false;                        // and from where it stood
  bool resume_recording = false;
  bool loss_stops_playback = false;  // when the device is lost; else the clock device goes on with it
  bool loss_stops_recording = false;
  std::chrono::milliseconds device_retry{5000};
  std::chrono::milliseconds media_retry{2000};  // how often missing files are looked for
  std::uint32_t render_workers = 0;             // wanted; fewer where the machine has not the cores
  double ceiling_db = 0.0;                      // of the device output: no sample leaves above it
  std::function<std::int64_t()> utc_ns;         // nanoseconds since 1970; empty: the system's
  media::MakeTakeFile take_file;                // the file under a take; empty: one on the disk
  std::function<std::chrono::steady_clock::time_point()> transfer_clock = {};  // of the idle limit; empty: the system's
  std::chrono::milliseconds transfer_check{5000};  // how often transfers are looked at that wait for their clients
  std::function<std::chrono::steady_clock::time_point()> lease_clock = {};  // by which leases end; empty: the system's
  std::filesystem::path render_program = {};  // continuo-render; empty: the one beside this program
  bool analysis_by_hand = false;              // of what meters feed: no thread does it, analyse() does
  std::function<void()> before_disk;  // called before files are opened or probed, on that thread; empty: nothing
};

struct LoadRequest {
  std::string json;
  std::string base;  // "root:folder", or empty
  bool dry_run = false;
  bool keep_transport = false;
  std::string client;
  std::string identity;  // as the door proved it
  google::protobuf::RepeatedPtrField<std::string> leases = {};
  JobTicket job = {};  // is told how far it is, and may end it; empty: load() begins one
  bool own = false;    // the daemon's own doing, which no lease stops
};

struct SessionText {
  std::shared_ptr<const std::string> json;
  v1::Revision revision;
};

/// The control seam: tests, gRPC and any later front end call the same. It knows proto messages, no gRPC.
/// Every call returns at once; the answer comes through `done`.
class Engine {
 public:
  /// `io` is run by one thread: the control strand. The factory is used on a worker (its calls are slow).
  Engine(boost::asio::io_context& io, EngineConfig config, std::unique_ptr<device::DeviceFactory> factory);
  ~Engine();

  /// Opens the device (or, where it is missing, the clock device, and goes on looking for it) and starts the sound of
  /// an empty session. `done` once a device runs.
  void start(Done<std::monostate> done);

  /// Stops takes, closes their files, saves the session, stops the device; bounded by 4 s even with a dead audio
  /// server. After `done` nothing else is called.
  void shutdown(Done<std::monostate> done);

  /// Apply: [rpc] shape -> [control] edit a copy, validate -> [disk] probe and prime what is new -> [control] compile,
  /// push one batch -> [audio] apply at one frame -> [control] revision's watchers, answer.
  /// `identity`: who asks, as the door proved it; request ids are its own.
  void apply(v1::ApplyRequest request, Done<v1::ApplyResponse> done, std::string identity = {});

  /// Transactions that were accepted for later: Scheduled. `allowed` judges the operations of the one to be cancelled;
  /// it is called on the control strand.
  void list_scheduled(v1::ListScheduledRequest request, Done<v1::ListScheduledResponse> done);
  void cancel_scheduled(v1::CancelScheduledRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
                        Done<v1::CancelScheduledResponse> done, std::string identity = {});

  /// Undo and redo: Transactions::take_back(). `allowed` judges the operations that it comes to, on the control strand.
  void undo(v1::UndoRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
            Done<v1::ApplyResponse> done, std::string identity = {});
  void redo(v1::RedoRequest request, std::function<Result<>(const v1::ApplyRequest&)> allowed,
            Done<v1::ApplyResponse> done, std::string identity = {});

  void load(LoadRequest request, Done<v1::LoadSessionResponse> done);

  /// Leases (lease.proto, Leases). Each write above says which it holds; the daemon's own doing is never stopped.
  void acquire_lease(v1::AcquireLeaseRequest request, Done<v1::Lease> done, std::string identity = {});
  void renew_lease(v1::RenewLeaseRequest request, Done<v1::Lease> done, std::string identity = {});
  void release_lease(v1::ReleaseLeaseRequest request, Done<v1::ReleaseLeaseResponse> done, std::string identity = {});
  void break_lease(v1::BreakLeaseRequest request, Done<v1::BreakLeaseResponse> done, std::string identity = {});
  void list_leases(Done<v1::ListLeasesResponse> done);

  void get_session(Done<SessionText> done);
  void list_params(std::string path, Done<v1::ListParamsResponse> done);
  void status(Done<v1::GetStatusResponse> done);
  /// Why there is silence: listens for a tenth of a second first.
  void why(v1::WhyRequest request, Done<v1::WhyResponse> done);
  void info(Done<v1::GetInfoResponse> done);
  void list_devices(Done<v1::ListDevicesResponse> done);
  void use_device(v1::UseDeviceRequest request, Done<v1::UseDeviceResponse> done);

  /// `done` when the bursts are over. `stop_identify(token)` ends them early (the client went away).
  std::uint64_t identify(v1::IdentifyRequest request, Done<v1::IdentifyResponse> done);
  void stop_identify(std::uint64_t token);

  /// Measures the way out of the device and in again; the result is stored, and takes of inputs are placed by it.
  void calibrate(v1::CalibrateRequest request, Done<v1::CalibrateResponse> done, std::string identity = {},
                 std::string client = {});

  /// A reason of the status until `who` says another; empty: none.
  void set_notice(std::string who, std::string notice);

  /// Any thread, wait-free: from the audio thread's last snapshot.
  [[nodiscard]] v1::Clock clock() const;
  /// Any thread: callbacks came within the last second.
  [[nodiscard]] bool audio_alive() const;

  /// A client's place in the stream of changes; see feed.hpp. Dropping it ends the subscription.
  void watch(v1::WatchRequest request, Done<std::shared_ptr<Feed<v1::WatchResponse>>> done);
  void watch_meters(v1::WatchMetersRequest request, Done<std::shared_ptr<Feed<v1::MeterFrame>>> done);
  void watch_spectrum(v1::WatchSpectrumRequest request, Done<std::shared_ptr<Feed<v1::SpectrumFrame>>> done);

  /// Measurements by name (meter.proto, Measurements).
  void start_measurement(v1::StartMeasurementRequest request, Done<v1::Measurement> done, std::string identity = {});
  void reset_measurement(std::string name, Done<v1::Measurement> done, std::string identity = {});
  void stop_measurement(std::string name, Done<v1::Measurement> done, std::string identity = {});
  void list_measurements(Done<v1::ListMeasurementsResponse> done);

  /// Any thread: what EngineConfig::analysis_by_hand leaves to the caller.
  void analyse();
  /// Any thread: who listens at meters, and how many.
  [[nodiscard]] const Analysis& analysis() const;

  /// What happened; any thread adds and asks.
  [[nodiscard]] journal::Journal& journal();

  /// The files of the media roots; see media_library.hpp.
  [[nodiscard]] MediaLibrary& media();

  /// Renders, scans, and whatever else takes long; see job_desk.hpp.
  [[nodiscard]] JobDesk& jobs();

  /// Parameters by handle; see param_streams.hpp.
  [[nodiscard]] ParamStreams& params();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace continuo::control
