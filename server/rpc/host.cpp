#include "server/rpc/host.hpp"

#include <fcntl.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/server_posix.h>

#include <mutex>
#include <string>
#include <utility>

#include "server/base/check.hpp"
#include "server/base/log.hpp"
#include "server/rpc/services.hpp"

namespace continuo::rpc {
namespace {

constexpr int kMaxStreamsPerConnection = 100;
// A client whose machine went away without a word is noticed within this and a little.
constexpr int kKeepaliveMs = 30'000;
// Of all connections together: what gRPC may hold of half-read requests and unsent answers.
constexpr std::size_t kMaxTransportBytes = 256u << 20;
constexpr std::chrono::seconds kLogEvery{1};

/// gRPC's own complaints (a port that is taken, a failed handshake) say more than its return values. Strangers cause
/// them as often as they like: one a second is written, with how many there were.
void log_grpc(gpr_log_func_args* args) {
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return log::write(log::Level::debug, args->message);
  static std::mutex mutex;
  static std::uint64_t held_back = 0;
  static std::chrono::steady_clock::time_point written{};
  std::string text = std::string("gRPC: ") + args->message;
  {
    const std::lock_guard lock(mutex);
    const auto now = std::chrono::steady_clock::now();
    if (written != std::chrono::steady_clock::time_point{} && now - written < kLogEvery) {
      ++held_back;
      return;
    }
    written = now;
    if (const std::uint64_t more = std::exchange(held_back, 0); more > 0)
      text += " (and " + std::to_string(more) + " more complaints before it)";
  }
  log::write(log::Level::warning, text);
}

/// Once in a process, before the first server.
void set_up_grpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(log_grpc);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

}  // namespace

Host::Host(control::Engine& engine, Gate& gate, Door::Who who, const std::function<void(grpc::ServerBuilder&)>& listen)
    : door_(gate, std::move(who)) {
  set_up_grpc();
  services_.push_back(make_session_service(engine, door_));
  services_.push_back(make_meter_service(engine, door_));
  services_.push_back(make_system_service(engine, door_));
  services_.push_back(make_device_service(engine, door_));
  services_.push_back(make_media_service(engine, door_));
  services_.push_back(make_event_service(engine, door_));
  services_.push_back(make_param_service(engine, door_));
  services_.push_back(make_job_service(engine, door_));
  services_.push_back(make_lease_service(engine, door_));

  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(static_cast<int>(control::kMaxMessageBytes));
  builder.SetMaxSendMessageSize(static_cast<int>(control::kMaxMessageBytes));
  // Otherwise a second daemon could take every other connection of a TCP port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  static grpc::ResourceQuota quota("continuo");
  quota.Resize(kMaxTransportBytes);
  builder.SetResourceQuota(quota);
  if (listen) {
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
    listen(builder);
  }
  for (const auto& service : services_) builder.RegisterService(service.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return;
  auto* health = server_->GetHealthCheckService();
  CONTINUO_CHECK(health != nullptr, "clients wait on grpc health");
  health_.emplace(engine, *health);
}

Host::~Host() {
  health_.reset();
  if (server_) server_->Shutdown(std::chrono::system_clock::now());
}

void Host::adopt(int connection) { grpc::AddInsecureChannelFromFd(server_.get(), connection); }

void Host::close_health() {
  if (health_) health_->stop();
}

void Host::stop(std::chrono::system_clock::time_point deadline) {
  if (server_) server_->Shutdown(deadline);
}

}  // namespace continuo::rpc
