#include "clients/cli/connection.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <algorithm>
#include <mutex>

#include "clients/cli/channel.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/output.hpp"
#include "clients/cli/unary_call.hpp"
#include "continuo/v1/device.grpc.pb.h"
#include "continuo/v1/event.grpc.pb.h"
#include "continuo/v1/lease.grpc.pb.h"
#include "continuo/v1/meter.grpc.pb.h"
#include "continuo/v1/session.grpc.pb.h"
#include "continuo/v1/system.grpc.pb.h"

namespace continuo::cli {
namespace {

constexpr std::size_t kChunkBytes = 512 * 1024;

}  // namespace

struct Connection::Impl : Way {
  Impl(std::string server, std::chrono::milliseconds most)
      : Way{std::move(server), most},
        channel(make_channel(address)),
        system(v1::SystemService::NewStub(channel)),
        session(v1::SessionService::NewStub(channel)),
        meters(v1::MeterService::NewStub(channel)),
        device(v1::DeviceService::NewStub(channel)),
        events(v1::EventService::NewStub(channel)),
        lease(v1::LeaseService::NewStub(channel)) {}

  // A write says which leases it holds.
  template <class Request>
  void hold(Request& request) const {
    for (const std::string& token : leases) request.add_leases(token);
  }

  // A stream that lasts until somebody ends it.
  template <class Message, class Open, class OnMessage>
  void follow(Open&& open, OnMessage&& on_message) {
    grpc::ClientContext context;
    {
      const std::lock_guard lock(mutex);
      if (cancelled) return;
      streaming = &context;
    }
    bool ended = false;
    grpc::Status status;
    {
      const auto reader = open(&context);
      Message message;
      while (reader->Read(&message)) {
        if (!on_message(message)) {
          ended = true;
          context.TryCancel();
          break;
        }
      }
      status = reader->Finish();
    }
    const std::lock_guard lock(mutex);
    streaming = nullptr;
    if (ended || cancelled) return;
    if (status.ok())
      throw Failure(kNoServer, "STREAM_ENDED", "",
                    "the daemon at " + address + " ended the stream; is it shutting down?");
    check(status);
  }

  // What is followed and of which the newest counts.
  v1::MeterService::Stub& newest() {
    if (!followed) followed = v1::MeterService::NewStub(make_channel(address, Window::newest_first));
    return *followed;
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::SystemService::Stub> system;
  std::unique_ptr<v1::SessionService::Stub> session;
  std::unique_ptr<v1::MeterService::Stub> meters;
  std::unique_ptr<v1::MeterService::Stub> followed;  // null until it is asked for
  std::unique_ptr<v1::DeviceService::Stub> device;
  std::unique_ptr<v1::EventService::Stub> events;
  std::unique_ptr<v1::LeaseService::Stub> lease;
  std::vector<std::string> leases;  // of which each write sends the tokens

  std::mutex mutex;
  grpc::ClientContext* streaming = nullptr;  // guarded by mutex
  bool cancelled = false;                    // guarded by mutex
};

Connection::Connection(std::string address, std::chrono::milliseconds timeout)
    : impl_(std::make_unique<Impl>(std::move(address), timeout)) {}
Connection::~Connection() = default;

const std::string& Connection::address() const { return impl_->address; }

v1::GetInfoResponse Connection::info() {
  return impl_->call(*impl_->system, &v1::SystemService::Stub::GetInfo, v1::GetInfoRequest{});
}
v1::GetStatusResponse Connection::status() {
  return impl_->call(*impl_->system, &v1::SystemService::Stub::GetStatus, v1::GetStatusRequest{});
}
v1::WhyResponse Connection::why(const v1::WhyRequest& request) {
  return impl_->call(*impl_->system, &v1::SystemService::Stub::Why, request);
}
v1::Clock Connection::clock() {
  return impl_->call(*impl_->system, &v1::SystemService::Stub::GetClock, v1::GetClockRequest{});
}
v1::ListTypesResponse Connection::list_types() {
  return impl_->call(*impl_->session, &v1::SessionService::Stub::ListTypes, v1::ListTypesRequest{});
}
v1::ListDevicesResponse Connection::list_devices() {
  return impl_->call(*impl_->device, &v1::DeviceService::Stub::ListDevices, v1::ListDevicesRequest{});
}
v1::UseDeviceResponse Connection::use_device(v1::UseDeviceRequest request) {
  impl_->hold(request);
  return impl_->call(*impl_->device, &v1::DeviceService::Stub::UseDevice, request);
}
v1::ListParamsResponse Connection::list_params(const std::string& path) {
  v1::ListParamsRequest request;
  request.set_path(path);
  return impl_->call(*impl_->session, &v1::SessionService::Stub::ListParams, request);
}

MediaRoots Connection::media_roots() {
  MediaRoots roots;
  const v1::GetInfoResponse response = info();
  for (const auto& root : response.media_roots()) roots[root.name()] = root.path();
  return roots;
}

Connection::SessionText Connection::session_text() {
  grpc::ClientContext context;
  impl_->limit(context);
  const auto reader = impl_->session->GetSession(&context, v1::GetSessionRequest{});
  SessionText text;
  v1::GetSessionResponse chunk;
  while (reader->Read(&chunk)) {
    text.json += chunk.json();
    if (chunk.has_revision()) text.revision = chunk.revision();
  }
  impl_->check(reader->Finish());
  return text;
}

v1::LoadSessionResponse Connection::load(const std::string& json, const LoadOptions& options) {
  grpc::ClientContext context;
  impl_->limit(context);
  v1::LoadSessionResponse response;
  const auto writer = impl_->session->LoadSession(&context, &response);
  for (std::size_t at = 0; at == 0 || at < json.size(); at += kChunkBytes) {
    v1::LoadSessionRequest request;
    request.set_json(json.substr(at, kChunkBytes));
    if (at == 0) {
      if (!options.base.empty()) request.set_base(options.base);
      request.set_dry_run(options.dry_run);
      request.set_keep_transport(options.keep_transport);
      impl_->hold(request);
    }
    if (!writer->Write(request)) break;  // Finish says why
  }
  writer->WritesDone();
  impl_->check(writer->Finish());
  return response;
}

v1::ApplyResponse Connection::apply(v1::ApplyRequest request) {
  if (request.client().empty()) request.set_client(client_name());
  if (request.leases().empty()) impl_->hold(request);
  return impl_->call(*impl_->session, &v1::SessionService::Stub::Apply, request);
}

std::vector<v1::ScheduledTransaction> Connection::scheduled() {
  std::vector<v1::ScheduledTransaction> all;
  v1::ListScheduledRequest request;
  do {
    v1::ListScheduledResponse page = impl_->call(*impl_->session, &v1::SessionService::Stub::ListScheduled, request);
    for (v1::ScheduledTransaction& transaction : *page.mutable_transactions()) all.push_back(std::move(transaction));
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return all;
}

void Connection::cancel_scheduled(std::uint64_t transaction_id) {
  v1::CancelScheduledRequest request;
  request.set_transaction_id(transaction_id);
  request.set_client(client_name());
  impl_->hold(request);
  impl_->call(*impl_->session, &v1::SessionService::Stub::CancelScheduled, request);
}

v1::ApplyResponse Connection::undo(v1::UndoRequest request) {
  request.set_client(client_name());
  impl_->hold(request);
  return impl_->call(*impl_->session, &v1::SessionService::Stub::Undo, request);
}

v1::ApplyResponse Connection::redo(v1::RedoRequest request) {
  request.set_client(client_name());
  impl_->hold(request);
  return impl_->call(*impl_->session, &v1::SessionService::Stub::Redo, request);
}

void Connection::use_leases(const std::string& tokens) {
  impl_->leases.clear();
  for (std::size_t at = 0; at < tokens.size();) {
    const std::size_t end = std::min(tokens.find(',', at), tokens.size());
    if (end > at) impl_->leases.push_back(tokens.substr(at, end - at));
    at = end + 1;
  }
}

const std::vector<std::string>& Connection::leases() const { return impl_->leases; }

v1::Lease Connection::acquire_lease(v1::AcquireLeaseRequest request) {
  request.set_client(client_name());
  impl_->hold(request);
  return impl_->call(*impl_->lease, &v1::LeaseService::Stub::AcquireLease, request);
}

v1::Lease Connection::renew_lease(const v1::RenewLeaseRequest& request) {
  return impl_->call(*impl_->lease, &v1::LeaseService::Stub::RenewLease, request);
}

void Connection::release_lease(const std::string& token) {
  v1::ReleaseLeaseRequest request;
  request.set_token(token);
  impl_->call(*impl_->lease, &v1::LeaseService::Stub::ReleaseLease, request);
}

void Connection::break_lease(std::uint64_t lease_id) {
  v1::BreakLeaseRequest request;
  request.set_lease_id(lease_id);
  request.set_client(client_name());
  impl_->call(*impl_->lease, &v1::LeaseService::Stub::BreakLease, request);
}

v1::ListLeasesResponse Connection::list_leases() {
  return impl_->call(*impl_->lease, &v1::LeaseService::Stub::ListLeases, v1::ListLeasesRequest{});
}

bool Connection::identify(v1::IdentifyRequest request) {
  impl_->hold(request);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + impl_->timeout +
                       std::chrono::milliseconds(static_cast<std::int64_t>(request.seconds() * 1000.0)));
  const Interrupt::Scope scope([&context] { context.TryCancel(); });
  v1::IdentifyResponse response;
  const grpc::Status status = impl_->device->Identify(&context, request, &response);
  if (scope.happened()) return false;
  impl_->check(status);
  return true;
}

v1::ListEventsResponse Connection::list_events(const v1::ListEventsRequest& request) {
  return impl_->call(*impl_->events, &v1::EventService::Stub::ListEvents, request);
}

v1::CalibrateResponse Connection::calibrate(v1::CalibrateRequest request) {
  impl_->hold(request);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + impl_->timeout + std::chrono::seconds(10));
  v1::CalibrateResponse response;
  impl_->check(impl_->device->Calibrate(&context, request, &response));
  return response;
}

void Connection::watch(const v1::WatchRequest& request,
                       const std::function<bool(const v1::WatchResponse&)>& on_message) {
  impl_->follow<v1::WatchResponse>(
      [&](grpc::ClientContext* context) { return impl_->session->Watch(context, request); }, on_message);
}

void Connection::watch_meters(const v1::WatchMetersRequest& request,
                              const std::function<bool(const v1::MeterFrame&)>& on_frame) {
  impl_->follow<v1::MeterFrame>(
      [&](grpc::ClientContext* context) { return impl_->newest().WatchMeters(context, request); }, on_frame);
}

void Connection::watch_spectrum(const v1::WatchSpectrumRequest& request,
                                const std::function<bool(const v1::SpectrumFrame&)>& on_frame) {
  impl_->follow<v1::SpectrumFrame>(
      [&](grpc::ClientContext* context) { return impl_->newest().WatchSpectrum(context, request); }, on_frame);
}

v1::Measurement Connection::start_measurement(const std::string& name, const std::string& node) {
  v1::StartMeasurementRequest request;
  request.set_name(name);
  request.set_node(node);
  request.set_client(client_name());
  return impl_->call(*impl_->meters, &v1::MeterService::Stub::StartMeasurement, request);
}

v1::Measurement Connection::reset_measurement(const std::string& name) {
  v1::ResetMeasurementRequest request;
  request.set_name(name);
  return impl_->call(*impl_->meters, &v1::MeterService::Stub::ResetMeasurement, request);
}

v1::Measurement Connection::stop_measurement(const std::string& name) {
  v1::StopMeasurementRequest request;
  request.set_name(name);
  return impl_->call(*impl_->meters, &v1::MeterService::Stub::StopMeasurement, request);
}

v1::ListMeasurementsResponse Connection::list_measurements() {
  return impl_->call(*impl_->meters, &v1::MeterService::Stub::ListMeasurements, v1::ListMeasurementsRequest{});
}

void Connection::cancel_streams() {
  const std::lock_guard lock(impl_->mutex);
  impl_->cancelled = true;
  if (impl_->streaming != nullptr) impl_->streaming->TryCancel();
}

// grpc.health.v1: request {string service = 1}, answer {ServingStatus status = 1}; SERVING is 1. By hand: Debian's gRPC
// does not bring the message classes.
bool Connection::serving(const std::string& service) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.WriteTag(1U << 3U | 2U);
    coded.WriteVarint32(static_cast<std::uint32_t>(service.size()));
    coded.WriteString(service);
  }
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::ClientContext context;
  impl_->limit(context);
  const grpc::Status status = grpc::internal::BlockingUnaryCall<grpc::ByteBuffer, grpc::ByteBuffer>(
      impl_->channel.get(),
      grpc::internal::RpcMethod("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC), &context,
      request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return false;
  impl_->check(status);
  std::vector<grpc::Slice> slices;
  if (!response.Dump(&slices).ok()) return false;
  std::string answer;
  for (const grpc::Slice& part : slices) answer.append(reinterpret_cast<const char*>(part.begin()), part.size());
  return answer.size() >= 2 && answer[0] == (1 << 3) && answer[1] == 1;
}

}  // namespace continuo::cli
