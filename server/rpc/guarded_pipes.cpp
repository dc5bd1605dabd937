#include "server/rpc/guarded_pipes.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/base/check.hpp"
#include "server/rpc/frame_guard.hpp"

namespace continuo::rpc {
namespace {

using Clock = std::chrono::steady_clock;

/// Bytes on their way from one descriptor to the other.
struct Flow {
  std::array<char, GuardedPipes::kBuffer> bytes;
  std::size_t begin = 0, end = 0;
  bool ended = false;  // nothing more comes
  bool shut = false;   // and the other side was told

  [[nodiscard]] short wants_in() const { return !ended && end < bytes.size() ? POLLIN : 0; }
  [[nodiscard]] short wants_out() const { return begin < end ? POLLOUT : 0; }

  /// What was read now; false where the descriptor is broken.
  bool read(int from, std::string_view& fresh) {
    const ssize_t got = recv(from, bytes.data() + end, bytes.size() - end, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    ended = got == 0;
    fresh = {bytes.data() + end, static_cast<std::size_t>(got)};
    end += static_cast<std::size_t>(got);
    return true;
  }
  bool write(int to) {
    if (begin < end) {
      const ssize_t put = send(to, bytes.data() + begin, end - begin, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0) return errno == EAGAIN || errno == EINTR;
      begin += static_cast<std::size_t>(put);
      if (begin == end) begin = end = 0;
    }
    if (ended && begin == end && !std::exchange(shut, true)) shutdown(to, SHUT_WR);
    return true;
  }
};

}  // namespace

struct GuardedPipes::Pipe {
  Descriptor client, server;
  Flow up, down;  // to the server, to the client
  FrameGuard guard;
  Clock::time_point greeting_until;
};

GuardedPipes::GuardedPipes(Options options)
    : options_(std::move(options)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CONTINUO_CHECK(static_cast<bool>(wake_), "a daemon without a descriptor cannot serve");
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "continuo-guard");
    run();
  });
}

GuardedPipes::~GuardedPipes() {
  stop_ = true;
  wake();
  thread_.join();
}

void GuardedPipes::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
}

Descriptor GuardedPipes::add(Descriptor client) {
  if (size_.fetch_add(1) >= options_.most + kNewcomers) {
    --size_;
    return {};
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    --size_;
    return {};
  }
  auto pipe = std::make_unique<Pipe>();
  pipe->client = std::move(client);
  pipe->server = Descriptor(pair[0]);
  pipe->greeting_until = Clock::now() + options_.greeting;
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(std::move(pipe));
  }
  wake();
  return Descriptor(pair[1]);
}

void GuardedPipes::run() {
  while (!stop_) {
    {
      const std::lock_guard lock(mutex_);
      for (auto& pipe : arrived_) pipes_.push_back(std::move(pipe));
      arrived_.clear();
    }
    make_room();
    std::vector<pollfd> watched{{wake_.get(), POLLIN, 0}};
    bool waits_for_greeting = false;
    for (const auto& pipe : pipes_) {
      // What is wanted of neither way is not looked at: a client that hung up would be ready for ever.
      const short client = pipe->up.wants_in() | pipe->down.wants_out();
      const short server = pipe->down.wants_in() | pipe->up.wants_out();
      watched.push_back({client != 0 ? pipe->client.get() : -1, client, 0});
      watched.push_back({server != 0 ? pipe->server.get() : -1, server, 0});
      waits_for_greeting = waits_for_greeting || !pipe->guard.greeted();
    }
    if (poll(watched.data(), watched.size(), waits_for_greeting ? 1000 : -1) < 0) continue;
    std::uint64_t drained = 0;
    if (watched[0].revents != 0) [[maybe_unused]]
      const ssize_t got = ::read(wake_.get(), &drained, sizeof drained);
    std::size_t at = 1;
    const std::size_t ended = std::erase_if(pipes_, [&](const std::unique_ptr<Pipe>& pipe) {
      const short client = watched[at].revents, server = watched[at + 1].revents;
      at += 2;
      return !serve(*pipe, client, server);
    });
    size_ -= ended;
  }
}

/// Whoever has said nothing yet makes room for a newcomer, the one who came first of them first: idle connections keep
/// nobody out.
void GuardedPipes::make_room() {
  while (pipes_.size() > options_.most) {
    const auto silent = std::ranges::find_if(pipes_, [](const auto& pipe) { return !pipe->guard.greeted(); });
    if (silent == pipes_.end()) break;
    cut("it says nothing, and others want in");
    pipes_.erase(silent);
    --size_;
  }
}

bool GuardedPipes::serve(Pipe& pipe, short client_events, short server_events) const {
  std::string_view fresh;
  const bool client_told = pipe.up.wants_in() != 0 && (client_events & (POLLIN | POLLHUP | POLLERR)) != 0;
  if (client_told && !pipe.up.read(pipe.client.get(), fresh)) return false;
  if (!pipe.guard.pass(fresh)) {
    cut(pipe.guard.why());
    return false;
  }
  if (!pipe.guard.greeted() && Clock::now() >= pipe.greeting_until) {
    cut("it says nothing");
    return false;
  }
  const bool server_told = pipe.down.wants_in() != 0 && (server_events & (POLLIN | POLLHUP | POLLERR)) != 0;
  if (server_told && !pipe.down.read(pipe.server.get(), fresh)) return false;
  if (!pipe.up.write(pipe.server.get()) || !pipe.down.write(pipe.client.get())) return false;
  return !(pipe.up.shut && pipe.down.shut);
}

void GuardedPipes::cut(const char* why) const {
  if (options_.cut) options_.cut(why);
}

}  // namespace continuo::rpc
