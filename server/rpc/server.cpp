#include "server/rpc/server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/base/check.hpp"
#include "server/base/log.hpp"
#include "server/rpc/acceptor.hpp"
#include "server/rpc/certificate_watch.hpp"
#include "server/rpc/guarded_pipes.hpp"
#include "server/rpc/host.hpp"
#include "server/rpc/listener.hpp"
#include "server/rpc/token_call.hpp"

namespace continuo::rpc {
namespace {

constexpr std::size_t kMaxPeers = 64;  // Unix users with different groups; more wait until the next start

Result<gid_t> group_id(const std::string& name) {
  if (name.empty()) return getegid();
  if (const std::optional<gid_t> found = group_by_name(name)) return *found;
  return make_error(ErrorKind::configuration, "GROUP", "server.group", "this machine has no group \"" + name + "\"");
}

}  // namespace

struct Server::Impl {
  explicit Impl(const ServerConfig& config, gid_t group_of_sockets)
      : tls(config.tls),
        group(group_of_sockets),
        gate(config.operations_per_second),
        access(std::make_shared<const Access>(config.access, group)) {}

  [[nodiscard]] std::shared_ptr<const Access> rules() {
    const std::lock_guard lock(mutex);
    return access;
  }
  /// A token says more than the connection.
  [[nodiscard]] Door::Who with_token(std::function<Caller(const grpc::ServerContextBase&, const Access&)> otherwise) {
    return [this, otherwise = std::move(otherwise)](const grpc::ServerContextBase& context) -> Result<Caller> {
      const std::shared_ptr<const Access> now = rules();
      if (const auto token = token_of(context)) return *token ? now->token(**token) : token->error();
      return otherwise(context, *now);
    };
  }
  void arrived(int connection, int socket);
  void arrived(Descriptor connection, const Peer& peer);
  /// gRPC's end of it; none where there is no room.
  [[nodiscard]] Descriptor guarded(Descriptor connection, const std::string& whose);
  [[nodiscard]] Result<> listen_tls(control::Engine& engine, const std::vector<Listener*>& mine);
  [[nodiscard]] Result<> listen_tcp(control::Engine& engine);

  const TlsFiles tls;
  const gid_t group;
  Gate gate;
  std::mutex mutex;  // of the three below
  std::shared_ptr<const Access> access;
  std::map<Peer, std::unique_ptr<Host>> peers;
  bool full = false;
  control::Engine* engine = nullptr;
  std::vector<Listener> listeners;
  std::unique_ptr<Host> tcp;
  std::unique_ptr<CertificateWatch> certificates;
  std::set<int> plain;  // our sockets of TCP without TLS
  std::unique_ptr<GuardedPipes> pipes;
  std::unique_ptr<Acceptor> door;  // last: it brings new peers
};

Descriptor Server::Impl::guarded(Descriptor connection, const std::string& whose) {
  Descriptor inner = pipes->add(std::move(connection));
  if (!inner) {
    gate.refused(whose, "a connection",
                 make_error(ErrorKind::resource_exhausted, "TOO_MANY_CONNECTIONS", "",
                            "the daemon serves " + std::to_string(GuardedPipes::Options{}.most) +
                                " connections of clients that only a token can name, and all are taken: try again"));
  }
  return inner;
}

void Server::Impl::arrived(int connection, int socket) {
  Descriptor held(connection);
  if (plain.contains(socket)) {
    const int yes = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (Descriptor inner = guarded(std::move(held), "loopback")) tcp->adopt(inner.release());
    return;
  }
  if (const std::optional<Peer> peer = peer_of(connection)) return arrived(std::move(held), *peer);
  log::warning("a connection was closed: the kernel does not say whose it is");
}

void Server::Impl::arrived(Descriptor held, const Peer& peer) {
  const std::lock_guard lock(mutex);
  // Whoever can never be let in gets nothing. A token may be anybody's: until it is shown, every frame is looked at.
  const Caller caller = access->user(peer);
  if (caller.stranger && !access->has_tokens()) {
    gate.refused(
        caller.name, "a connection",
        make_error(ErrorKind::permission_denied, "ROLE", "", caller.name + " has no role here: " + caller.remedy));
    return;
  }
  auto found = peers.find(peer);
  if (found == peers.end()) {
    if (peers.size() >= kMaxPeers) {
      if (!std::exchange(full, true)) log::warning("more than {} kinds of users: new ones are turned away", kMaxPeers);
      return;
    }
    auto who = with_token([peer](const grpc::ServerContextBase&, const Access& now) { return now.user(peer); });
    auto host = std::make_unique<Host>(*engine, gate, std::move(who));
    if (host->failed()) return log::error("no server for a new user of the socket");
    found = peers.emplace(peer, std::move(host)).first;
  }
  if (caller.stranger) held = guarded(std::move(held), caller.name);
  if (held) found->second->adopt(held.release());
}

/// One gRPC server for all of TCP. With TLS gRPC listens itself: nobody gets further than the handshake without a
/// certificate of ours. Without it the sockets are ours, and guarded.
Result<> Server::Impl::listen_tcp(control::Engine& for_engine) {
  std::vector<Listener*> mine;
  for (Listener& listener : listeners) {
    if (!listener.is_unix()) mine.push_back(&listener);
  }
  if (mine.empty()) return {};
  if (tls.set()) return listen_tls(for_engine, mine);
  tcp = std::make_unique<Host>(
      for_engine, gate, with_token([](const grpc::ServerContextBase&, const Access& now) { return now.loopback(); }));
  if (tcp->failed())
    return make_error(ErrorKind::internal, "LISTEN", "server.listen", "the gRPC server would not start");
  for (Listener* listener : mine) {
    const auto sockets = listener->open_tcp();
    if (!sockets) return sockets.error();
    plain.insert(sockets->begin(), sockets->end());
  }
  return {};
}

Result<> Server::Impl::listen_tls(control::Engine& for_engine, const std::vector<Listener*>& mine) {
  std::vector<int> ports(mine.size(), 0);
  const auto credentials = tls_credentials(tls);
  auto who = with_token([](const grpc::ServerContextBase& context, const Access& now) {
    const auto shown = context.auth_context();
    const auto certified = shown == nullptr ? std::nullopt : caller_of(*shown, now);
    return certified ? *certified : now.loopback();
  });
  tcp = std::make_unique<Host>(for_engine, gate, std::move(who), [&](grpc::ServerBuilder& builder) {
    for (std::size_t i = 0; i < mine.size(); ++i)
      builder.AddListeningPort(mine[i]->public_text(), credentials, &ports[i]);
  });
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (ports[i] == 0) {
      return make_error(
          ErrorKind::already_exists, "LISTEN", "server.listen",
          "cannot listen on " + mine[i]->public_text() + ": another program has it, or it is not this machine's");
    }
    mine[i]->bound(ports[i]);
  }
  if (tcp->failed())
    return make_error(ErrorKind::internal, "LISTEN", "server.listen", "the gRPC server would not start");
  return {};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  if (impl_) impl_->door.reset();
}

Result<std::unique_ptr<Server>> Server::claim(const ServerConfig& config) {
  const Result<gid_t> group = group_id(config.group);
  if (!group) return group.error();
  if (config.tls.set()) {
    if (Result<> good = check_tls(config.tls); !good) return good.error();
  }
  auto impl = std::make_unique<Impl>(config, *group);
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
  CONTINUO_CHECK(impl_->engine == nullptr, "a server starts once");
  impl_->engine = &engine;
  impl_->gate.tell([&journal = engine.journal()](const Gate::Refusal& refusal) {
    v1::Event event;
    event.set_kind(v1::Event::KIND_REFUSAL);
    event.set_severity(v1::Event::SEVERITY_WARNING);
    event.set_cause(refusal.error.reason);
    event.set_message(refusal.what + ": " + refusal.error.message);
    event.mutable_origin()->set_identity(refusal.caller);
    event.set_count(refusal.count);
    journal.add(std::move(event));
  });
  if (Result<> listening = impl_->listen_tcp(engine); !listening) return listening;
  std::vector<int> sockets(impl_->plain.begin(), impl_->plain.end());
  for (Listener& listener : impl_->listeners) {
    if (!listener.is_unix()) continue;
    const Result<int> socket = listener.open_socket(impl_->group);
    if (!socket) return socket.error();
    sockets.push_back(*socket);
  }
  if (impl_->tls.set()) impl_->certificates = std::make_unique<CertificateWatch>(engine, impl_->tls);
  GuardedPipes::Options guarding;
  guarding.cut = [&gate = impl_->gate](const std::string& why) {
    gate.refused("somebody", "a connection",
                 make_error(ErrorKind::permission_denied, "CUT_OFF", "", "a client was cut off: " + why));
  };
  impl_->pipes = std::make_unique<GuardedPipes>(std::move(guarding));
  impl_->door = std::make_unique<Acceptor>(
      std::move(sockets), [impl = impl_.get()](int connection, int socket) { impl->arrived(connection, socket); });
  return {};
}

void Server::use(const AccessRules& rules) {
  auto access = std::make_shared<const Access>(rules, impl_->group);
  const std::lock_guard lock(impl_->mutex);
  impl_->access = std::move(access);
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> texts;
  for (const Listener& listener : impl_->listeners) texts.push_back(listener.public_text());
  return texts;
}

void Server::close_door() {
  impl_->gate.close();
  impl_->door.reset();
  impl_->certificates.reset();
  if (impl_->tcp) impl_->tcp->close_health();
  for (const auto& [peer, host] : impl_->peers) host->close_health();
}

void Server::stop(std::chrono::system_clock::time_point deadline) {
  impl_->door.reset();
  if (impl_->tcp) impl_->tcp->stop(deadline);
  for (const auto& [peer, host] : impl_->peers) host->stop(deadline);
}

void Server::abandon() { impl_->listeners.clear(); }

}  // namespace continuo::rpc
