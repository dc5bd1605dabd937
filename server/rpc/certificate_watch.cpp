#include "server/rpc/certificate_watch.hpp"

#include <grpcpp/alarm.h>

#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "server/base/log.hpp"

namespace continuo::rpc {

/// Outlives its owner by as long as the last alarm needs: that one finds `engine` null.
struct CertificateWatch::Poll : std::enable_shared_from_this<CertificateWatch::Poll> {
  Poll(control::Engine& e, TlsFiles f) : engine(&e), files(std::move(f)) {}

  static constexpr std::chrono::seconds kPeriod{10};

  void tick() {
    const std::lock_guard lock(mutex);
    if (engine == nullptr) return;
    std::string warning = tls_warning(files, std::chrono::system_clock::now());
    if (warning != said) {
      if (!warning.empty()) log::warning("{}", warning);
      said = warning;
      engine->set_notice("tls", std::move(warning));
    }
    // A new one each time: setting it anew from its own call would destroy that call while it runs.
    alarm = std::make_unique<grpc::Alarm>();
    alarm->Set(std::chrono::system_clock::now() + kPeriod, [self = shared_from_this()](bool) { self->tick(); });
  }

  std::mutex mutex;
  std::unique_ptr<grpc::Alarm> alarm;
  control::Engine* engine;
  const TlsFiles files;
  std::string said;
};

CertificateWatch::CertificateWatch(control::Engine& engine, TlsFiles files)
    : poll_(std::make_shared<Poll>(engine, std::move(files))) {
  poll_->tick();
}

CertificateWatch::~CertificateWatch() {
  const std::lock_guard lock(poll_->mutex);
  poll_->engine = nullptr;
  poll_->alarm.reset();
}

}  // namespace continuo::rpc
