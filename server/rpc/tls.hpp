// THREAD: rpc - mutual TLS: certificates that may be replaced while the daemon runs, and who a client's certificate
// names
#pragma once

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/server_credentials.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "server/base/result.hpp"
#include "server/rpc/access.hpp"

namespace continuo::rpc {

/// PEM files, all three or none.
struct TlsFiles {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path client_ca;
  [[nodiscard]] bool set() const noexcept { return !certificate.empty(); }
};

/// Every client must show a certificate that the CA signed. The files are looked at every few seconds: a new pair
/// serves the connections that come after it.
[[nodiscard]] std::shared_ptr<grpc::ServerCredentials> tls_credentials(const TlsFiles& files);

/// They can be read, the key is the certificate's, and neither it nor the CA has ended. Kind `configuration`.
[[nodiscard]] Result<> check_tls(const TlsFiles& files);

/// What a person should know: a certificate that ends within 30 days, has ended or cannot be read; else empty.
inline constexpr int kWarnDays = 30;
[[nodiscard]] std::string tls_warning(const TlsFiles& files, std::chrono::system_clock::time_point now);

/// Whose connection it is; none where it is not mutual TLS.
[[nodiscard]] std::optional<Caller> caller_of(const grpc::AuthContext& context, const Access& access);

}  // namespace continuo::rpc
