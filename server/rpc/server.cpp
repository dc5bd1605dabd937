#include "server/rpc/server.hpp"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <mutex>
#include <optional>
#include <utility>

#include "server/base/check.hpp"
#include "server/base/log.hpp"
#include "server/rpc/door.hpp"
#include "server/rpc/health.hpp"
#include "server/rpc/listener.hpp"
#include "server/rpc/services.hpp"

namespace continuo::rpc {
namespace {

constexpr int kMaxStreamsPerConnection = 100;

/// gRPC's own complaints (a port that is taken, a failed handshake) say more than its return values.
void log_grpc(gpr_log_func_args* args) {
  const log::Level level = args->severity == GPR_LOG_SEVERITY_ERROR ? log::Level::warning : log::Level::debug;
  log::write(level, std::string("gRPC: ") + args->message);
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

struct Server::Impl {
  explicit Impl(v1::Role role) : door(Authority(role)) {}

  Door door;
  std::vector<Listener> listeners;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> grpc_server;
  std::optional<Health> health;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (!impl_) return;
  impl_->health.reset();
  if (impl_->grpc_server) impl_->grpc_server->Shutdown(std::chrono::system_clock::now());
}

Result<std::unique_ptr<Server>> Server::claim(const ServerConfig& config) {
  auto impl = std::make_unique<Impl>(role_of(config.role));
  for (const std::string& text : config.listen) {
    const Result<Address> address = parse_address(text);
    if (!address) return address.error();
    Result<Listener> listener = Listener::claim(*address);
    if (!listener) return listener.error();
    impl->listeners.push_back(*std::move(listener));
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Result<> Server::start(control::Engine& engine) {
  CONTINUO_CHECK(!impl_->grpc_server, "a server starts once");
  set_up_grpc();
  impl_->services.push_back(make_session_service(engine, impl_->door));
  impl_->services.push_back(make_meter_service(engine, impl_->door));
  impl_->services.push_back(make_system_service(engine, impl_->door));
  impl_->services.push_back(make_device_service(engine, impl_->door));
  impl_->services.push_back(make_media_service(engine, impl_->door));

  grpc::ServerBuilder builder;
  builder.SetMaxReceiveMessageSize(static_cast<int>(control::kMaxMessageBytes));
  builder.SetMaxSendMessageSize(static_cast<int>(control::kMaxMessageBytes));
  // Otherwise a second daemon could take every other connection of a TCP port.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  for (const auto& service : impl_->services) builder.RegisterService(service.get());
  std::vector<int> ports(impl_->listeners.size(), 0);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    builder.AddListeningPort(impl_->listeners[i].bind_text(), grpc::InsecureServerCredentials(), &ports[i]);
  }
  impl_->grpc_server = builder.BuildAndStart();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (impl_->grpc_server == nullptr || ports[i] == 0) {
      if (ports[i] != 0) continue;
      const std::string text = impl_->listeners[i].public_text();
      return make_error(ErrorKind::already_exists, "LISTEN", "server.listen",
                        "cannot listen on " + text + ": another program has it, or it is not this machine's");
    }
    if (Result<> published = impl_->listeners[i].publish(ports[i]); !published) return published;
  }
  if (impl_->grpc_server == nullptr) {
    return make_error(ErrorKind::internal, "LISTEN", "server.listen", "the gRPC server would not start");
  }
  auto* health = impl_->grpc_server->GetHealthCheckService();
  CONTINUO_CHECK(health != nullptr, "clients wait on grpc health");
  impl_->health.emplace(engine, *health);
  return {};
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> texts;
  for (const Listener& listener : impl_->listeners) texts.push_back(listener.public_text());
  return texts;
}

void Server::close_door() {
  impl_->door.close();
  if (impl_->health) impl_->health->stop();
}

void Server::stop(std::chrono::system_clock::time_point deadline) {
  if (impl_->grpc_server) impl_->grpc_server->Shutdown(deadline);
}

void Server::abandon() { impl_->listeners.clear(); }

}  // namespace continuo::rpc
