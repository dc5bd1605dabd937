// THREAD: rpc - looks now and then how long the certificates last
#pragma once

#include <memory>

#include "server/control/engine.hpp"
#include "server/rpc/tls.hpp"

namespace continuo::rpc {

/// What tls_warning() says is a reason of the status, and in the log when it changes. The engine must live until this
/// has gone.
class CertificateWatch {
 public:
  CertificateWatch(control::Engine& engine, TlsFiles files);
  ~CertificateWatch();
  CertificateWatch(const CertificateWatch&) = delete;
  CertificateWatch& operator=(const CertificateWatch&) = delete;

 private:
  struct Poll;
  std::shared_ptr<Poll> poll_;
};

}  // namespace continuo::rpc
