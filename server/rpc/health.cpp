#include "server/rpc/health.hpp"

#include <grpcpp/alarm.h>

#include <chrono>
#include <mutex>
#include <optional>

namespace continuo::rpc {

/// Outlives its owner by as long as the last alarm needs: that one finds `service` null.
struct Health::Poll : std::enable_shared_from_this<Health::Poll> {
  Poll(control::Engine& e, grpc::HealthCheckServiceInterface& s) : engine(e), service(&s) {}

  static constexpr std::chrono::milliseconds kPeriod{250};

  void tick() {
    const std::lock_guard lock(mutex);
    if (service == nullptr) return;
    const bool alive = engine.audio_alive();
    if (said != alive) service->SetServingStatus(kAudioHealth, alive);
    said = alive;
    // A new one each time: setting it anew from its own call would destroy that call while it runs.
    alarm = std::make_unique<grpc::Alarm>();
    alarm->Set(std::chrono::system_clock::now() + kPeriod, [self = shared_from_this()](bool) { self->tick(); });
  }

  std::mutex mutex;
  std::unique_ptr<grpc::Alarm> alarm;
  control::Engine& engine;
  grpc::HealthCheckServiceInterface* service;
  std::optional<bool> said;
};

Health::Health(control::Engine& engine, grpc::HealthCheckServiceInterface& service)
    : poll_(std::make_shared<Poll>(engine, service)) {
  poll_->tick();
}

Health::~Health() { stop(); }

void Health::stop() {
  const std::lock_guard lock(poll_->mutex);
  if (poll_->service == nullptr) return;
  poll_->service->Shutdown();
  poll_->service = nullptr;
  poll_->alarm.reset();
}

}  // namespace continuo::rpc
